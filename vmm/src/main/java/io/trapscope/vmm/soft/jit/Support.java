package io.trapscope.vmm.soft.jit;

import io.trapscope.vmm.soft.cpu.Cpu;

/** What generated code calls. */
public final class Support {
  private Support() {}

  /** Raises #GP(0) where a 64-bit branch target is not canonical. */
  public static void checkTarget(Cpu cpu, long target) {
    if (!Cpu.isCanonical(target)) {
      throw cpu.gp(0);
    }
  }

  /** Carry out of a + b = r, with or without a carry in; all sign-extended. */
  public static int carryOfSum(long r, long a, long b) {
    return (int) ((a & b | (a | b) & ~r) >>> 63);
  }

  /** Borrow of a - b = r, with or without a borrow in; all sign-extended. */
  public static int carryOfDifference(long r, long a, long b) {
    return (int) ((~a & b | (~a | b) & r) >>> 63);
  }

  /** Whether the signed product of a and b is more than its low 64 bits. */
  public static int overflows64(long a, long b, long low) {
    return Math.multiplyHigh(a, b) != low >> 63 ? 1 : 0;
  }

  /** Whether the product of a and b, 32 bits or less, is more than its sign-extended low part. */
  public static int overflows(long a, long b, long low) {
    return a * b != low ? 1 : 0;
  }

  public static int isNotZero(long value) {
    return value != 0 ? 1 : 0;
  }
}
