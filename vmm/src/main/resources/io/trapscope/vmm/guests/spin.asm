; spin: an exit-heavy loop for benchmarks. Long mode, loaded and entered at 0x10000.
; Writes one byte to port 0x600 as often as count=N of the command line says, 100000 times where it
; says nothing, and ends with debug exit 0. Nothing else in it exits.

        bits    64
        org     0x10000

PORT    equ     0x600
MANY    equ     100000

        jmp     start
%include "runtime.inc"

start:  mov     ecx, MANY
        cld
.find:  mov     eax, [rsi]              ; look for "count="
        test    al, al
        jz      .go
        cmp     eax, 'coun'
        jne     .step
        cmp     word [rsi + 4], 't='
        je      .read
.step:  inc     rsi
        jmp     .find
.read:  add     rsi, 6
        xor     ecx, ecx
.digit: movzx   eax, byte [rsi]
        sub     eax, '0'
        cmp     eax, 9
        ja      .go
        imul    rcx, rcx, 10
        add     rcx, rax
        inc     rsi
        jmp     .digit
.go:    mov     edx, PORT
        mov     al, '.'
        test    rcx, rcx
        jz      .done
        align   16
.loop:  out     dx, al
        dec     rcx
        jnz     .loop
.done:  finish  0
