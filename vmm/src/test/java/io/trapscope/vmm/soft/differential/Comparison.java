package io.trapscope.vmm.soft.differential;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * What differs between the host's result and the software processor's.
 *
 * <p>{@code soft} does what Intel's processors do. Where AMD's do otherwise (AMD APM volume 2,
 * section 11.4.4, and volume 3; the rest as found), a host of AMD's can tell nothing, and less is
 * compared: the x87 pointers, which are kept only while an exception is pending; the flags after
 * the fault of a string instruction and the x87 registers after that of an MMX one; whether a
 * 32-bit operand that goes past 0xffffffff is past the segment's limit or wraps; what an x87 store
 * that faults has already stored, and which of an unmasked exception and a bad address it notices;
 * and cases that set MXCSR.MM, a reserved bit to Intel's. What differs in more than that is not
 * generated: the forms that say {@code intel}.
 */
final class Comparison {
  private static final String[] GPR = {
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
    "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"
  };

  /** Flags compared: CF PF AF ZF SF TF DF OF AC ID and NT. */
  private static final long FLAGS = 0x24_4DD5;

  private static final int MXCSR_OFFSET = 24;

  /** Exception summary in the x87 status. */
  private static final int ES = 0x80;

  /** How far an unmasked underflow moves the exponent (SDM volume 1, section 8.5.5). */
  private static final int UNDERFLOW_BIAS = 0x6000;

  private final List<String> differences = new ArrayList<>();
  private final boolean intel;

  private Comparison(boolean intel) {
    this.intel = intel;
  }

  /**
   * One line a difference; empty when the results agree.
   *
   * @param intel whether the host is Intel's
   */
  static List<String> of(TestCase test, TestResult host, TestResult soft, boolean intel) {
    Comparison c = new Comparison(intel);
    if (test.looseFault && (host.vector == 13 || host.vector == 14)) {
      return c.differences;
    }
    boolean faulted = isLimitFault(host.vector) || host.vector == 14;
    boolean x87Fault = faulted && test.family.startsWith("x87");
    if (!intel && (x87Fault && (soft.fx[2] & ES) != 0 || refusesMxcsr(test, soft))) {
      return c.differences;
    }
    boolean limitOrWrap = test.mode == 32 && isLimitFault(host.vector) && soft.vector == 14;
    if (intel || !limitOrWrap) {
      c.number("vector", host.vector, soft.vector);
    }
    if (host.vector == soft.vector) {
      // Bit 0 of #PF's error code says what a hypervisor below the host makes of an absent page.
      int mask = host.vector == 14 ? ~1 : ~0;
      c.number("error code", host.error & mask, soft.error & mask);
      if (host.vector == 14) {
        c.number("cr2", host.cr2, soft.cr2);
      }
    }
    c.number("rip", host.rip, soft.rip);
    long flags = FLAGS & ~test.undefinedFlags(host.rip);
    if (!intel && faulted && test.family.equals("string")) {
      flags &= ~Form.ALL;
    }
    c.number("rflags", host.rflags & flags, soft.rflags & flags);
    for (int i = 0; i < 16; i++) {
      c.number(GPR[i], host.gpr[i], soft.gpr[i]);
    }
    boolean mmxFault = faulted && test.family.equals("mmx");
    c.compareFpu(test, host.fx, soft.fx, intel || !mmxFault);
    for (int i = 0; i < TestCase.WINDOW_BYTES && (intel || !x87Fault); i++) {
      if (host.window[i] != soft.window[i]) {
        c.number("memory at window+" + i, host.window[i] & 0xFF, soft.window[i] & 0xFF);
      }
    }
    c.number("rest of memory", host.rest, soft.rest);
    return c.differences;
  }

  private void number(String what, long host, long soft) {
    if (host != soft) {
      differences.add(String.format("%s: host %x, soft %x", what, host, soft));
    }
  }

  /** Whether it stopped with #GP at LDMXCSR or FXRSTOR: 0F AE, perhaps after prefixes. */
  private static boolean refusesMxcsr(TestCase test, TestResult soft) {
    byte[] code = test.instructionAt(soft.rip);
    for (int i = 0; soft.vector == 13 && i + 1 < code.length; i++) {
      if (code[i] == 0x0F) {
        return code[i + 1] == (byte) 0xAE;
      }
    }
    return false;
  }

  /** #SS or #GP. */
  private static boolean isLimitFault(int vector) {
    return vector == 12 || vector == 13;
  }

  private void compareFpu(TestCase test, byte[] hostImage, byte[] softImage, boolean x87) {
    ByteBuffer host = ByteBuffer.wrap(hostImage).order(ByteOrder.LITTLE_ENDIAN);
    ByteBuffer soft = ByteBuffer.wrap(softImage).order(ByteOrder.LITTLE_ENDIAN);
    // C1, PE and UE (and ES and B with them) depend on how an approximation is rounded.
    int status = test.approximate ? 0x7D4F : 0xFFFF;
    number("fcw", host.getShort(0), soft.getShort(0));
    if (intel) {
      number("fip", host.getInt(8), soft.getInt(8));
    }
    number("mxcsr", host.getInt(MXCSR_OFFSET), soft.getInt(MXCSR_OFFSET));
    if (x87) {
      number("fsw", host.getShort(2) & status, soft.getShort(2) & status);
      number("ftw", host.get(4) & 0xFF, soft.get(4) & 0xFF);
      for (int i = 0; i < 8; i++) {
        extended(test, "st" + i, 32 + 16 * i, host, soft);
      }
    }
    for (int i = 0; i < 32; i++) {
      vector(test, i, host.getLong(160 + 8 * i), soft.getLong(160 + 8 * i));
    }
  }

  private void extended(TestCase test, String name, int at, ByteBuffer host, ByteBuffer soft) {
    long hostMant = host.getLong(at);
    long softMant = soft.getLong(at);
    int hostSe = host.getShort(at + 8) & 0xFFFF;
    int softSe = soft.getShort(at + 8) & 0xFFFF;
    if (hostMant == softMant && hostSe == softSe) {
      return;
    }
    // Across a power of two, the smaller number ends in ones; the smallest normal is next to the
    // largest denormal, and to what an unmasked underflow makes of it.
    boolean near =
        hostSe == softSe
            ? Math.abs(hostMant - softMant) <= 1
            : Math.abs(hostSe - softSe) == 1 && (hostMant == -1L || softMant == -1L)
                || ((hostSe | softSe) & 0x7FFF) == 1 && Math.abs(hostMant - softMant) <= 1
                || Math.abs(Math.abs(hostSe - softSe) - UNDERFLOW_BIAS) <= 1;
    if (!(test.approximate && near)) {
      differences.add(
          String.format(
              "%s: host %04x:%016x, soft %04x:%016x", name, hostSe, hostMant, softSe, softMant));
    }
  }

  private void vector(TestCase test, int half, long host, long soft) {
    String name = "xmm" + half / 2 + (half % 2 == 0 ? " low" : " high");
    if (test.approximate && test.family.startsWith("sse")) {
      if (isNear((int) host, (int) soft) && isNear((int) (host >>> 32), (int) (soft >>> 32))) {
        return;
      }
    }
    number(name, host, soft);
  }

  /** Both within 1.5 * 2^-12 of the exact value, so within twice that of each other. */
  private static boolean isNear(int host, int soft) {
    float a = Float.intBitsToFloat(host);
    float b = Float.intBitsToFloat(soft);
    return host == soft || Math.abs(a - b) <= Math.abs(a) * 3 / 4096;
  }
}
