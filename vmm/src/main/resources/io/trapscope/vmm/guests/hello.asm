; hello: the smallest guest there is. Real mode, loaded and entered at 0x1000.
; Writes "Hello, world!" and a line end to port 0x3f8 and halts with interrupts off.

        bits    16
        org     0x1000

CONSOLE equ     0x3f8

        cld
        mov     dx, CONSOLE
        mov     si, text
next:   lodsb
        test    al, al
        jz      done
        out     dx, al
        jmp     next
done:   cli
        hlt

text:   db      "Hello, world!", 10, 0
