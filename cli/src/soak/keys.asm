; A guest for cli/soak that is typed to, in real mode at 0x1000: the serial port interrupts for each
; byte, which is sent back, and 'q' ends the run through the debug exit.
;
;   nasm -f bin -DWAIT=HALT -DTICKS=0 keys.asm
;
;   WAIT   what it does meanwhile: HALT, COMPUTE (no exit at all) or POLL (reads a port, over and over)
;   TICKS  from how many ticks of the 8254, a hundred a second, it ends by itself; 0 for no ticks
%define HALT 0
%define COMPUTE 1
%define POLL 2

bits 16
org 0x1000

start:
  cli
  xor ax, ax
  mov ds, ax
  mov ss, ax
  mov sp, start
  mov word [0x20 * 4], tick
  mov word [0x20 * 4 + 2], 0
  mov word [0x24 * 4], key
  mov word [0x24 * 4 + 2], 0

  mov al, 0x11 ; both 8259: ICW1 to ICW4, vectors from 0x20 and 0x28 on
  out 0x20, al
  out 0xa0, al
  mov al, 0x20
  out 0x21, al
  mov al, 0x28
  out 0xa1, al
  mov al, 4
  out 0x21, al
  mov al, 2
  out 0xa1, al
  mov al, 1
  out 0x21, al
  out 0xa1, al
%if TICKS
  mov al, 0xee ; lets through IRQ 0 and 4
%else
  mov al, 0xef ; IRQ 4
%endif
  out 0x21, al
  mov al, 0xff
  out 0xa1, al

%if TICKS
  mov al, 0x34 ; channel 0 of the 8254: both bytes, mode 2
  out 0x43, al
  mov ax, 11932
  out 0x40, al
  mov al, ah
  out 0x40, al
%endif

  mov dx, 0x3f9 ; IER: received data
  mov al, 1
  out dx, al
  mov dx, 0x3fc ; MCR: DTR, RTS, OUT2
  mov al, 0x0b
  out dx, al
  mov dx, 0x3f8
  mov al, '>'
  out dx, al
  mov al, 10
  out dx, al
  sti

wait_here:
%if WAIT == HALT
  hlt
%elif WAIT == POLL
  mov dx, 0x600
  in al, dx
%endif
  jmp wait_here

tick:
  push ax
  dec word [ticks]
  jnz .more
  jmp done
.more:
  mov al, 0x20
  out 0x20, al
  pop ax
  iret

key:
  push ax
  push dx
.next:
  mov dx, 0x3fd ; LSR: data ready
  in al, dx
  test al, 1
  jz .none
  mov dx, 0x3f8
  in al, dx
  out dx, al
  cmp al, 'q'
  jne .next
  jmp done
.none:
  mov al, 0x20 ; end of interrupt
  out 0x20, al
  pop dx
  pop ax
  iret

done:
  mov al, 10
  mov dx, 0x3f8
  out dx, al
  xor ax, ax
  mov dx, 0xf4
  out dx, al
  cli
  hlt

ticks: dw TICKS
