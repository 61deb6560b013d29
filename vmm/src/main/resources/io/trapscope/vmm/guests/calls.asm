; calls: functions that call each other, with frame pointers. Long mode, loaded and entered at 0x10000.
; outer writes a byte to port 0x600 and calls middle three times; middle writes one and calls inner
; five times; inner writes one. All that seven times: 7, 21 and 105 bytes. Then leaf, which has no
; frame of its own, writes one, called from start, whose frame pointer is 0. Ends with debug exit 0.

        bits    64
        org     0x10000

PORT    equ     0x600

        jmp     start
%include "runtime.inc"

%macro enter_function 0
        push    rbp
        mov     rbp, rsp
%endmacro

        align   16
start:  xor     ebp, ebp                ; no caller
        mov     edx, PORT
        mov     r12d, 7
.again: call    outer
        dec     r12d
        jnz     .again
        call    leaf
        finish  0

        align   16
outer:  enter_function
        mov     al, 'o'
        out     dx, al
        mov     r13d, 3
.again: call    middle
        dec     r13d
        jnz     .again
        pop     rbp
        ret

        align   16
middle: enter_function
        sub     rsp, 32                 ; room for what a function keeps
        mov     al, 'm'
        out     dx, al
        mov     r14d, 5
.again: call    inner
        dec     r14d
        jnz     .again
        leave
        ret

        align   16
inner:  enter_function
        mov     al, 'i'
        out     dx, al
        pop     rbp
        ret

        align   16
leaf:   mov     al, 'l'
        out     dx, al
        ret
