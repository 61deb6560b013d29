; exits: the ground truth. Long mode, loaded and entered at 0x10000.
;
; Causes an exactly known number of exits of each kind; exits.csv is the table. Every number is a
; prime that no other kind has, so that a mix-up shows. What it reads back it checks: debug exit 0
; means that all went as it should, any other value is the number of the section that did not.
;
; The word at 0x10008 says which sections run, one bit each, by their number below. The host clears
; the bits of those that cannot run where it is.

        bits    64
        org     0x10000

        jmp     start
        align   8, db 0
selected:
        dq      -1

%include "runtime.inc"

; Section numbers.
S_PORT          equ     1
S_STRING        equ     2
S_MMIO          equ     3
S_CPUID         equ     4
S_MSR           equ     5
S_HYPERCALL     equ     6
S_HALT          equ     7
S_TOUCH         equ     8
S_CR            equ     9
S_DE            equ     10
S_DB            equ     11
S_BP            equ     12
S_UD            equ     13
S_NM            equ     14
S_NP            equ     15
S_SS            equ     16
S_GP            equ     17
S_PF            equ     18

; How often: the numbers of exits.csv.
N_OUT1          equ     101
N_OUT2          equ     103
N_OUT4          equ     107
N_IN1           equ     109
N_IN2           equ     113
N_IN4           equ     127
N_READ1         equ     131
N_READ2         equ     137
N_READ4         equ     139
N_READ8         equ     149
N_WRITE1        equ     151
N_WRITE2        equ     157
N_WRITE4        equ     163
N_WRITE8        equ     167
N_CPUID         equ     173
N_RDMSR         equ     179
N_WRMSR         equ     181
N_VMCALL        equ     191
N_HLT           equ     23
N_TOUCH_READ    equ     79
N_TOUCH_WRITE   equ     83
N_TOUCH_FETCH   equ     89
N_TO_CR0        equ     29
N_TO_CR3        equ     17
N_FROM_CR3      equ     37
N_TO_CR4        equ     19
N_DE            equ     41
N_DB            equ     43
N_BP            equ     47
N_UD            equ     53
N_NM            equ     59
N_NP            equ     61
N_SS            equ     67
N_GP            equ     71
N_PF            equ     73

; String I/O: instructions and items each.
OUTSB_TIMES     equ     5
OUTSB_ITEMS     equ     13
OUTSW_TIMES     equ     3
OUTSW_ITEMS     equ     7
OUTSD_TIMES     equ     2
OUTSD_ITEMS     equ     11
INSB_TIMES      equ     4
INSB_ITEMS      equ     19
INSW_TIMES      equ     3
INSW_ITEMS      equ     17
INSD_TIMES      equ     2
INSD_ITEMS      equ     31

PORT            equ     0x600           ; a scratch register: reads what was written
STRING_PORT     equ     0x608           ; another one, for string I/O
MMIO            equ     0xe0000000      ; a page of scratch registers
SYSENTER_CS     equ     0x174
NO_HYPERCALL    equ     9999
KVM_ENOSYS      equ     -1000

TOUCH_READ      equ     0x00400000      ; first of the fresh pages
TOUCH_WRITE     equ     0x00600000
TOUCH_FETCH     equ     0x00800000      ; the host put a RET at the start of each

NOT_CANONICAL   equ     0x0123_0000_0000_0000
NOT_MAPPED      equ     0x0000_4000_0000_0000

NOT_PRESENT     equ     0x20            ; selector of a data segment with P clear
IRQ0            equ     0x20            ; vector

; Runs the section or goes on after it.
%macro section_begin 1
        mov     byte [rel running], %1
        bt      qword [rel selected], %1
        jnc     %%skip
        call    run_%1
%%skip:
%endmacro

; Repeats what stands between the two: RBX counts.
%macro times_begin 1
        mov     ebx, %1
%%loop:
%define times_loop %%loop
%endmacro
%macro times_end 0
        dec     ebx
        jnz     times_loop
%endmacro

; Repeats one instruction that faults; the handler goes on behind it and counts.
%macro fault 3+                          ; vector, times, instruction
        mov     dword [rel faults], 0
        times_begin %2
        lea     r15, [rel %%behind]
        %3
%%behind:
        times_end
        cmp     dword [rel faults], %2
        jne     failed
        cmp     byte [rel last_vector], %1
        jne     failed
%endmacro

start:  cld
        lgdt    [rel gdt_register]
        call    make_idt
        section_begin S_PORT
        section_begin S_STRING
        section_begin S_MMIO
        section_begin S_CPUID
        section_begin S_MSR
        section_begin S_HYPERCALL
        section_begin S_HALT
        section_begin S_TOUCH
        section_begin S_CR
        section_begin S_DE
        section_begin S_DB
        section_begin S_BP
        section_begin S_UD
        section_begin S_NM
        section_begin S_NP
        section_begin S_SS
        section_begin S_GP
        section_begin S_PF
        mov     rsi, text_done
        call    print
        finish  0

failed: mov     rsi, text_failed
        call    print
        movzx   eax, byte [rel running]
        call    print_decimal
        mov     edx, CONSOLE
        mov     al, 10
        out     dx, al
        finish  [rel running]

run_S_PORT:
        mov     edx, PORT
        mov     eax, 0x89abcdef
        times_begin N_OUT1
        out     dx, al
        times_end
        times_begin N_OUT2
        out     dx, ax
        times_end
        times_begin N_OUT4
        out     dx, eax
        times_end
        times_begin N_IN1
        xor     eax, eax
        in      al, dx
        cmp     eax, 0xef
        jne     failed
        times_end
        times_begin N_IN2
        xor     eax, eax
        in      ax, dx
        cmp     eax, 0xcdef
        jne     failed
        times_end
        times_begin N_IN4
        in      eax, dx
        cmp     eax, 0x89abcdef
        jne     failed
        times_end
        ret

; Writes and reads strings; what is written last is read back.
%macro string_out 3                     ; times, items, instruction
        times_begin %1
        mov     rsi, pattern
        mov     ecx, %2
        rep %3
        times_end
%endmacro
%macro string_in 3
        times_begin %1
        mov     rdi, buffer
        mov     ecx, %2
        rep %3
        times_end
%endmacro

run_S_STRING:
        mov     edx, STRING_PORT
        string_out OUTSB_TIMES, OUTSB_ITEMS, outsb
        string_out OUTSW_TIMES, OUTSW_ITEMS, outsw
        string_out OUTSD_TIMES, OUTSD_ITEMS, outsd
        mov     r8d, [pattern + 4 * (OUTSD_ITEMS - 1)]
        string_in INSB_TIMES, INSB_ITEMS, insb
        cmp     [buffer + INSB_ITEMS - 1], r8b
        jne     failed
        string_in INSW_TIMES, INSW_ITEMS, insw
        cmp     [buffer + 2 * (INSW_ITEMS - 1)], r8w
        jne     failed
        string_in INSD_TIMES, INSD_ITEMS, insd
        cmp     [buffer + 4 * (INSD_ITEMS - 1)], r8d
        jne     failed
        ret

run_S_MMIO:
        mov     edi, MMIO
        mov     rax, 0x0123456789abcdef
        times_begin N_WRITE1
        mov     [rdi + 0x10], al
        times_end
        times_begin N_WRITE2
        mov     [rdi + 0x20], ax
        times_end
        times_begin N_WRITE4
        mov     [rdi + 0x30], eax
        times_end
        times_begin N_WRITE8
        mov     [rdi + 0x40], rax
        times_end
        mov     r8, rax
        times_begin N_READ1
        mov     al, [rdi + 0x10]
        cmp     al, r8b
        jne     failed
        times_end
        times_begin N_READ2
        mov     ax, [rdi + 0x20]
        cmp     ax, r8w
        jne     failed
        times_end
        times_begin N_READ4
        mov     eax, [rdi + 0x30]
        cmp     eax, r8d
        jne     failed
        times_end
        times_begin N_READ8
        mov     rax, [rdi + 0x40]
        cmp     rax, r8
        jne     failed
        times_end
        ret

run_S_CPUID:
        mov     esi, N_CPUID            ; CPUID changes RBX
.again: xor     eax, eax
        xor     ecx, ecx
        cpuid
        dec     esi
        jnz     .again
        ret

run_S_MSR:
        mov     ecx, SYSENTER_CS
        times_begin N_WRMSR
        mov     eax, ebx
        xor     edx, edx
        wrmsr
        times_end
        times_begin N_RDMSR
        rdmsr
        cmp     eax, 1                  ; what was written last
        jne     failed
        times_end
        ret

run_S_HYPERCALL:
        mov     esi, N_VMCALL
.again: mov     eax, NO_HYPERCALL
        xor     ebx, ebx
        vmcall
        cmp     rax, KVM_ENOSYS
        jne     failed
        dec     esi
        jnz     .again
        ret

; Arms the timer for 1 ms and halts until its interrupt comes.
run_S_HALT:
        mov     al, 0x11                ; both 8259: edge, cascade, ICW4; only IRQ 0 open
        out     0x20, al
        mov     al, IRQ0
        out     0x21, al
        mov     al, 4
        out     0x21, al
        mov     al, 1
        out     0x21, al
        mov     al, 0x30                ; 8254 counter 0, mode 0: OUT is low from here on
        out     0x43, al
        mov     al, 0xfe
        out     0x21, al
        mov     dword [rel interrupts], 0
        times_begin N_HLT
        mov     al, 0xa9                ; 1193 pulses
        out     0x40, al
        mov     al, 0x04
        out     0x40, al
        sti
        hlt
        cli
        mov     al, 0x30
        out     0x43, al
        times_end
        cmp     dword [rel interrupts], N_HLT
        jne     failed
        ret

run_S_TOUCH:
        mov     rdi, TOUCH_READ
        times_begin N_TOUCH_READ
        mov     al, [rdi]
        add     rdi, 4096
        times_end
        mov     rdi, TOUCH_WRITE
        times_begin N_TOUCH_WRITE
        mov     [rdi], bl
        add     rdi, 4096
        times_end
        mov     rdi, TOUCH_FETCH
        times_begin N_TOUCH_FETCH
        call    rdi
        add     rdi, 4096
        times_end
        ret

run_S_CR:
        mov     rax, cr0
        times_begin N_TO_CR0
        xor     eax, 1 << 16            ; WP
        mov     cr0, rax
        times_end
        and     eax, ~(1 << 16)
        times_begin N_FROM_CR3
        mov     rax, cr3
        times_end
        times_begin N_TO_CR3
        mov     cr3, rax
        times_end
        mov     rax, cr4
        times_begin N_TO_CR4
        xor     eax, 1 << 7             ; PGE
        mov     cr4, rax
        times_end
        ret

run_S_DE:
        xor     ecx, ecx
        mov     eax, 1
        xor     edx, edx
        fault   0, N_DE, div ecx
        ret

run_S_DB:
        mov     dword [rel faults], 0   ; single steps: the trap comes after the NOP
        times_begin N_DB
        lea     r15, [rel .behind]
        pushfq
        or      qword [rsp], 1 << 8
        popfq
        nop
.behind:
        times_end
        cmp     dword [rel faults], N_DB
        jne     failed
        ret

run_S_BP:
        fault   3, N_BP, int3
        ret

run_S_UD:
        fault   6, N_UD, ud2
        ret

run_S_NM:
        mov     rax, cr0                ; two accesses that exits.csv counts with CR0's
        or      eax, 1 << 3             ; TS
        mov     cr0, rax
        fault   7, N_NM, fninit
        mov     rax, cr0
        and     eax, ~(1 << 3)
        mov     cr0, rax
        ret

run_S_NP:
        mov     eax, NOT_PRESENT
        fault   11, N_NP, mov es, eax
        ret

run_S_SS:
        mov     rbp, NOT_CANONICAL
        fault   12, N_SS, mov rax, [rbp]
        ret

run_S_GP:
        mov     rdi, NOT_CANONICAL
        fault   13, N_GP, mov rax, [rdi]
        ret

run_S_PF:
        mov     rdi, NOT_MAPPED
        fault   14, N_PF, mov rax, [rdi]
        ret

; Interrupt gates for exceptions 0 to 31 and for the timer.
make_idt:
        xor     ecx, ecx
        mov     rdi, idt
        mov     rsi, stubs
.gate:  mov     eax, esi
        mov     [rdi], ax
        mov     word [rdi + 2], 0x10
        mov     word [rdi + 4], 0x8e00
        shr     eax, 16
        mov     [rdi + 6], ax
        add     rsi, STUB_BYTES
        add     rdi, 16
        inc     ecx
        cmp     ecx, IRQ0 + 1
        jb      .gate
        lidt    [rel idt_register]
        ret

; One stub a vector: error code (0 where there is none) and vector on the stack.
STUB_BYTES      equ     16
        align   16
stubs:
%assign vector 0
%rep IRQ0 + 1
        align   STUB_BYTES
    %if vector <> 8 && (vector < 10 || vector > 14) && vector <> 17
        push    0
    %endif
        push    vector
        jmp     strict near handle
    %assign vector vector + 1
%endrep
        align   STUB_BYTES

handle: push    rax
        mov     rax, [rsp + 8]
        cmp     al, IRQ0
        je      .timer
        mov     [rel last_vector], al
        inc     dword [rel faults]
        mov     [rsp + 24], r15         ; RIP
        and     qword [rsp + 40], ~(1 << 8)
        pop     rax
        add     rsp, 16
        iretq
.timer: inc     dword [rel interrupts]
        mov     al, 0x20                ; end of interrupt
        out     0x20, al
        pop     rax
        add     rsp, 16
        iretq

        align   8
gdt:    dq      0, 0
        dq      0x00af9b000000ffff      ; 0x10: 64-bit code
        dq      0x00cf93000000ffff      ; 0x18: data
        dq      0x00cf13000000ffff      ; 0x20: data, not present
gdt_register:
        dw      $ - gdt - 1
        dq      gdt
idt_register:
        dw      16 * (IRQ0 + 1) - 1
        dq      idt

text_done:      db      "exits: done", 10, 0
text_failed:    db      "exits: failed in section ", 0
pattern:        db      "The quick brown fox jumps over the lazy dog."

; Written by the guest: a page of its own, so that the code before it stays as it is.
        align   4096, db 0
running:        db      0
last_vector:    db      0
        align   4, db 0
faults:         dd      0
interrupts:     dd      0
        align   16, db 0
buffer:         times   128 db 0
idt:            times   16 * (IRQ0 + 1) db 0
