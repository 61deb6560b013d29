; spin: an exit-heavy loop for benchmarks. Long mode, loaded and entered at 0x10000.
; Writes one byte to port 0x600 as often as count=N of the command line says, 100000 times where it
; says nothing, and ends with debug exit 0. Nothing else in it exits.
; With cpus=N it starts all other vCPUs by INIT and a start-up message to all but itself. The first
; N - 1 that come make as many writes, at the same time, and halt; the rest halt at once. The first
; vCPU waits until N - 1 have written.

        bits    64
        org     0x10000

PORT    equ     0x600
MANY    equ     100000

APIC            equ     0xfee00000
SPURIOUS        equ     0xf0
COMMAND         equ     0x300
OTHERS_INIT     equ     0x000c4500
OTHERS_START    equ     0x000c4600 | OTHER >> 12

LONG_CODE       equ     0x10
DATA            equ     0x18
OTHER           equ     0x11000         ; where the others start, in real mode

        jmp     start
%include "runtime.inc"

; Reads the decimal number at RSI into RCX. Changes RAX.
number: xor     ecx, ecx
.digit: movzx   eax, byte [rsi]
        sub     eax, '0'
        cmp     eax, 9
        ja      .end
        imul    rcx, rcx, 10
        add     rcx, rax
        inc     rsi
        jmp     .digit
.end:   ret

start:  mov     r8d, MANY
        mov     r9d, 1
.find:  mov     eax, [rsi]              ; look for "count=" and "cpus="
        test    al, al
        jz      .go
        cmp     eax, 'coun'
        jne     .cpus
        cmp     word [rsi + 4], 't='
        jne     .step
        add     rsi, 6
        call    number
        mov     r8, rcx
        jmp     .find
.cpus:  cmp     eax, 'cpus'
        jne     .step
        cmp     byte [rsi + 4], '='
        jne     .step
        add     rsi, 5
        call    number
        mov     r9, rcx
        jmp     .find
.step:  inc     rsi
        jmp     .find

.go:    cmp     r9, 1
        jbe     .spin
        sgdt    [tables]
        mov     rax, cr3
        mov     [root], eax
        mov     [count], r8
        mov     [cpus], r9d
        mov     ebx, APIC
        mov     dword [rbx + SPURIOUS], 0x1ff
        mov     dword [rbx + COMMAND], OTHERS_INIT
        mov     dword [rbx + COMMAND], OTHERS_START
.spin:  mov     rcx, r8
        mov     edx, PORT
        mov     al, '.'
        test    rcx, rcx
        jz      .wait
        align   16
.loop:  out     dx, al
        dec     rcx
        jnz     .loop
.wait:  mov     eax, [halted]
        inc     rax
        cmp     rax, r9
        jae     .done
        pause
        jmp     .wait
.done:  finish  0

        times   OTHER - 0x10000 - ($ - $$) db 0

; The others begin here, in real mode at IP 0. Those that are to write go to where the first one is.
        bits    16
other:  cli
        mov     ax, cs
        mov     ds, ax
        mov     eax, 1
        lock xadd [started - other], eax
        inc     eax
        cmp     eax, [cpus - other]
        jb      .write
.rest:  cli
        hlt
        jmp     .rest
.write: o32 lgdt [tables - other]
        mov     eax, cr4
        or      eax, 0x20               ; PAE
        mov     cr4, eax
        mov     eax, [root - other]
        mov     cr3, eax
        mov     ecx, 0xc0000080         ; EFER
        rdmsr
        or      eax, 0x100              ; LME
        wrmsr
        mov     eax, cr0
        or      eax, 0x80000001         ; PG, PE
        mov     cr0, eax
        jmp     dword LONG_CODE:.long

        bits    64
.long:  mov     eax, DATA
        mov     ds, eax
        mov     es, eax
        mov     ss, eax
        mov     rcx, [count]
        mov     edx, PORT
        mov     al, ':'
        test    rcx, rcx
        jz      .halt
        align   16
.loop:  out     dx, al
        dec     rcx
        jnz     .loop
.halt:  lock inc dword [halted]
.stay:  cli
        hlt
        jmp     .stay

        align   8
count:  dq      0
cpus:   dd      0
started:
        dd      0
root:   dd      0
halted: dd      0
tables: dw      0
        dq      0
