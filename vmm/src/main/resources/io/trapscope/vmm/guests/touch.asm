; touch: first touches of a known set of pages. Long mode, loaded and entered at 0x10000.
; Goes over as many pages of 4 KiB as pages=N of the command line says (1000 where it says nothing),
; from 16 MiB on: writes a byte to those with an even number, reads one of the others. Then writes to
; every page once more, and ends with debug exit 0.

        bits    64
        org     0x10000

FIRST   equ     0x1000000
MANY    equ     1000

        jmp     start
%include "runtime.inc"

start:  mov     ecx, MANY
        cld
.find:  mov     eax, [rsi]              ; look for "pages="
        test    al, al
        jz      .go
        cmp     eax, 'page'
        jne     .step
        cmp     word [rsi + 4], 's='
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
.go:    test    rcx, rcx
        jz      .done
        mov     r9, rcx
        mov     edi, FIRST
.first: test    edi, 0x1000
        jnz     .odd
        mov     byte [rdi], 1
        jmp     .next
.odd:   mov     al, [rdi]
.next:  add     rdi, 0x1000
        dec     rcx
        jnz     .first
        mov     edi, FIRST
.again: mov     byte [rdi], 2
        add     rdi, 0x1000
        dec     r9
        jnz     .again
.done:  finish  0
