; translate: an address followed by hand. Long mode, loaded and entered at 0x10000.
;
; Maps one 4 KiB and one 2 MiB page of its own, stores 1772334 behind a virtual address in each, walks
; its page tables as the processor does (Intel SDM volume 3, section 4.5), printing every level, and
; asks the host by hypercall 22 (RAX = 22, RBX = GPA, RCX = GVA) what lies at the address found. The
; host answers with the value at the end of its own walk.
;
; "port" on the command line makes the call through the hypercall port instead of VMCALL.

        bits    64
        org     0x10000

VALUE           equ     1772334
SMALL_GVA       equ     0x0000_7123_4567_8018   ; PML4 226, PDPT 141, PD 43, PT 120
LARGE_GVA       equ     0x0000_7123_8034_5678   ; PML4 226, PDPT 142, PD 1
SMALL_PAGE      equ     0x00305000
LARGE_PAGE      equ     0x00600000

; Page tables, one page each, all zero at the start.
TABLES          equ     0x00200000
PDPT            equ     TABLES
PD_SMALL        equ     TABLES + 0x1000
PT_SMALL        equ     TABLES + 0x2000
PD_LARGE        equ     TABLES + 0x3000

PRESENT_RW      equ     3
LARGE           equ     0x80
ADDRESS         equ     0x000f_ffff_ffff_f000

TRANSLATE       equ     22

        jmp     start
%include "runtime.inc"

start:  cld
        mov     eax, [rsi]
        cmp     eax, 'port'
        sete    [rel by_port]

        ; Map both pages.
        mov     rax, cr3
        mov     qword [rax + 226 * 8], PDPT + PRESENT_RW
        mov     qword [PDPT + 141 * 8], PD_SMALL + PRESENT_RW
        mov     qword [PD_SMALL + 43 * 8], PT_SMALL + PRESENT_RW
        mov     qword [PT_SMALL + 120 * 8], SMALL_PAGE + PRESENT_RW
        mov     qword [PDPT + 142 * 8], PD_LARGE + PRESENT_RW
        mov     qword [PD_LARGE + 1 * 8], LARGE_PAGE + LARGE + PRESENT_RW

        mov     rdi, SMALL_GVA
        call    show
        mov     rdi, LARGE_GVA
        call    show
        finish  0

; Stores VALUE at the GVA in RDI, walks to it and has the host check.
show:   mov     qword [rdi], VALUE
        mov     rsi, text_gva
        call    print
        mov     rax, rdi
        call    print_hex
        call    line_end

        mov     rbx, cr3
        mov     r9d, 39                 ; shift of the level's index
        mov     r10, names
.level: mov     rcx, r9                 ; index into the table at RBX
        mov     r11, rdi
        shr     r11, cl
        and     r11d, 511
        mov     rsi, r10
        call    print
        mov     eax, r11d
        call    print_decimal
        mov     rsi, text_entry
        call    print
        and     rbx, [rel address_bits]
        mov     r12, [rbx + r11 * 8]
        mov     rax, r12
        call    print_hex
        call    line_end
        test    r12b, 1
        jz      .absent
        mov     rbx, r12
        cmp     r9d, 12
        je      .leaf
        test    r12b, LARGE
        jnz     .leaf
        add     r10, NAME_BYTES
        sub     r9d, 9
        jmp     .level

.leaf:  mov     rcx, r9                 ; GPA = page address with the GVA's low bits
        mov     rax, -1
        shl     rax, cl
        and     rbx, rax
        and     rbx, [rel address_bits]
        not     rax
        and     rax, rdi
        or      rbx, rax
        mov     rsi, text_gpa
        call    print
        mov     rax, rbx
        call    print_hex
        call    line_end

        mov     rcx, rdi
        mov     eax, TRANSLATE
        cmp     byte [rel by_port], 0
        jne     .port
        vmcall
        jmp     .answer
.port:  mov     edx, HYPERCALL_PORT     ; the same call, piece by piece
        mov     rax, rbx
        out     dx, eax
        shr     rax, 32
        add     edx, 4
        out     dx, eax
        mov     rax, rcx
        add     edx, 4
        out     dx, eax
        shr     rax, 32
        add     edx, 4
        out     dx, eax
        mov     eax, TRANSLATE
        add     edx, 4
        out     dx, eax
        in      eax, dx
.answer:
        mov     r13, rax
        mov     rsi, text_value
        call    print
        mov     eax, r13d
        call    print_decimal
        call    line_end
        cmp     r13, VALUE
        jne     .wrong
        ret
.wrong: finish  1
.absent:
        finish  2

line_end:
        mov     edx, CONSOLE
        mov     al, 10
        out     dx, al
        ret

text_gva:       db      "GVA ", 0
text_entry:     db      " entry ", 0
text_gpa:       db      "GPA ", 0
text_value:     db      "value ", 0
NAME_BYTES      equ     14
names:          db      "  PML4 index ", 0
                db      "  PDPT index ", 0
                db      "  PD   index ", 0
                db      "  PT   index ", 0
                align   8
address_bits:   dq      ADDRESS
by_port:        db      0
