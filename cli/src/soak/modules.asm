; A Multiboot kernel for cli/soak: prints its command line, then of each module the length and the
; sum of its bytes, in hexadecimal, and its text, a line each; then the debug exit.
;
;   nasm -f bin modules.asm
bits 32
org 0x100000

FLAGS equ 0x10003 ; modules on pages, memory information, addresses in the header

start:
header:
  dd 0x1badb002, FLAGS, -(0x1badb002 + FLAGS)
  dd header, start, end_of_file, end_of_bss, entry

entry:
  mov esp, stack
  mov esi, [ebx + 16]
  call print
  mov ebp, [ebx + 20]
  mov edi, [ebx + 24]

.module:
  test ebp, ebp
  jz done
  mov ecx, [edi + 4]
  sub ecx, [edi]
  mov eax, ecx
  call number
  mov esi, [edi]
  xor edx, edx
  jecxz .summed
.byte:
  movzx eax, byte [esi]
  add edx, eax
  inc esi
  dec ecx
  jnz .byte
.summed:
  mov eax, edx
  call number
  mov esi, [edi + 8]
  call print
  add edi, 16
  dec ebp
  jmp .module

done:
  xor eax, eax
  mov dx, 0xf4
  out dx, al
  cli
  hlt

; The text at ESI, and the end of the line.
print:
  mov dx, 0x3f8
.next:
  mov al, [esi]
  inc esi
  test al, al
  jz .end
  out dx, al
  jmp .next
.end:
  mov al, 10
  out dx, al
  ret

; EAX as eight digits and a blank. Keeps ECX.
number:
  push ecx
  push edx
  mov dx, 0x3f8
  mov ecx, 8
.digit:
  rol eax, 4
  push eax
  and eax, 15
  mov al, [digits + eax]
  out dx, al
  pop eax
  dec ecx
  jnz .digit
  mov al, ' '
  out dx, al
  pop edx
  pop ecx
  ret

digits: db '0123456789abcdef'
end_of_file:
stack equ end_of_file + 4096
end_of_bss equ stack
