package io.trapscope.analyzer.symbols;

import java.util.regex.Pattern;

/**
 * An instruction that can only exit in one way, by which one recognizes a kernel's code: its bytes
 * (SDM volume 2), and words that names of functions have around it.
 */
public enum ExitInstruction {
  IN("in[bwl]?$|inb|serial_in|_in$|" + Words.PORTS, 0xec, 0xed, 0xe4, 0xe5, 0x6c, 0x6d),
  OUT("out[bwl]?$|outb|serial_out|_out$|" + Words.PORTS, 0xee, 0xef, 0xe6, 0xe7, 0x6e, 0x6f),
  CPUID("cpuid|cpu", 0x0fa2),
  RDMSR("msr", 0x0f32),
  WRMSR("msr", 0x0f30),
  HLT("halt|hlt|idle", 0xf4),
  HYPERCALL("hypercall|kvm|xen", 0x0f01c1, 0x0f01d9),
  MOV_CR("cr[0348]|tlb|switch_mm", 0x0f20, 0x0f22, 0x0f06);

  private static final class Words {
    static final String PORTS =
        "io_delay|pci_conf|pci_direct|cmos|8259|i8042|pit_|i8254|rtc|serial|uart";
  }

  private static final int MOST_PREFIXES = 4;

  private final Pattern names;
  private final int[] opcodes;

  ExitInstruction(String names, int... opcodes) {
    this.names = Pattern.compile(names);
    this.opcodes = opcodes;
  }

  /** Whether a function with this name is likely to hold such an instruction. */
  boolean fits(String function) {
    return names.matcher(function).find();
  }

  /**
   * Whether the code has this instruction at an address, or just before it: KVM may show either.
   */
  boolean isAt(KernelCode code, long address) {
    long at = address;
    for (int i = 0; i < MOST_PREFIXES && isPrefix(code.at(at)); i++) {
      at++;
    }
    for (int opcode : opcodes) {
      int bytes = opcode > 0xffff ? 3 : opcode > 0xff ? 2 : 1;
      if (matches(code, at, opcode, bytes)) {
        return true;
      }
      boolean operand = opcode >= 0xe4 && opcode <= 0xe7 || (opcode & ~0x2) == 0x0f20;
      if (matches(code, address - bytes - (operand ? 1 : 0), opcode, bytes)) {
        return true;
      }
    }
    return false;
  }

  private static boolean matches(KernelCode code, long at, int opcode, int bytes) {
    for (int i = 0; i < bytes; i++) {
      if (code.at(at + i) != (opcode >> 8 * (bytes - 1 - i) & 0xff)) {
        return false;
      }
    }
    return true;
  }

  /** Operand and address size, REP, REX. */
  private static boolean isPrefix(int value) {
    return value == 0x66
        || value == 0x67
        || value == 0xf2
        || value == 0xf3
        || value >= 0x40 && value <= 0x4f;
  }
}
