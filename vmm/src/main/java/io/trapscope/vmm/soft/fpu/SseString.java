package io.trapscope.vmm.soft.fpu;

import io.trapscope.vmm.soft.cpu.Cpu;
import io.trapscope.vmm.soft.cpu.Handler;
import io.trapscope.vmm.soft.cpu.Op;

/**
 * PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM (SDM volume 2, section 4.1): compare two strings of 16
 * bytes or 8 words, all pairs at once, and aggregate.
 */
final class SseString {
  private SseString() {}

  /**
   * @param explicit lengths in EAX and EDX instead of a terminating 0
   * @param mask result as a mask in XMM0 instead of an index in ECX
   */
  static Handler compare(boolean explicit, boolean mask) {
    return (cpu, op) -> {
      long low = Simd.loadUnaligned(cpu, op);
      long high = cpu.high;
      int imm = (int) op.imm();
      long[] x = cpu.fpu.xmm;
      int at = Simd.xmm(op.reg());
      int count = (imm & 1) != 0 ? 8 : 16;
      int[] first = elements(x[at], x[at + 1], imm);
      int[] second = elements(low, high, imm);
      int firstLength = explicit ? length(cpu, op, Cpu.RAX, count) : terminated(first, count);
      int secondLength = explicit ? length(cpu, op, Cpu.RDX, count) : terminated(second, count);
      int bits = aggregate(imm >> 2 & 3, first, firstLength, second, secondLength);
      bits = polarity(imm >> 4 & 3, bits, secondLength, count);
      if (mask) {
        writeMask(x, bits, count, (imm & 0x40) != 0);
      } else {
        cpu.gpr[Cpu.RCX] = index(bits, count, (imm & 0x40) != 0);
      }
      cpu.setArithmeticFlags(
          (bits != 0 ? Cpu.CF : 0)
              | (secondLength < count ? Cpu.ZF : 0)
              | (firstLength < count ? Cpu.SF : 0)
              | ((bits & 1) != 0 ? Cpu.OF : 0));
    };
  }

  private static int[] elements(long low, long high, int imm) {
    boolean words = (imm & 1) != 0;
    boolean signed = (imm & 2) != 0;
    int count = words ? 8 : 16;
    int bits = words ? 16 : 8;
    int[] result = new int[count];
    for (int i = 0; i < count; i++) {
      long half = i < count / 2 ? low : high;
      long element = half >>> (i * bits & 63) << (64 - bits);
      result[i] = (int) (signed ? element >> (64 - bits) : element >>> (64 - bits));
    }
    return result;
  }

  private static int terminated(int[] string, int count) {
    int length = 0;
    while (length < count && string[length] != 0) {
      length++;
    }
    return length;
  }

  /** Magnitude of EAX or EDX, or RAX or RDX with REX.W, at most {@code count}. */
  private static int length(Cpu cpu, Op op, int register, int count) {
    long value = op.has(Op.REX_W) ? cpu.gpr[register] : (int) cpu.gpr[register];
    long magnitude = value == Long.MIN_VALUE ? Long.MAX_VALUE : Math.abs(value);
    return (int) Math.min(magnitude, count);
  }

  private static int aggregate(int kind, int[] a, int aLength, int[] b, int bLength) {
    int bits = 0;
    for (int j = 0; j < b.length; j++) {
      boolean set =
          switch (kind) {
            case 0 -> j < bLength && isAny(a, aLength, b[j]);
            case 1 -> j < bLength && isInRange(a, aLength, b[j]);
            case 2 -> isEqual(a, aLength, b, bLength, j);
            default -> isOrdered(a, aLength, b, bLength, j);
          };
      bits |= set ? 1 << j : 0;
    }
    return bits;
  }

  private static boolean isAny(int[] a, int length, int element) {
    for (int i = 0; i < length; i++) {
      if (a[i] == element) {
        return true;
      }
    }
    return false;
  }

  private static boolean isInRange(int[] a, int length, int element) {
    for (int i = 0; i + 1 < length; i += 2) {
      if (a[i] <= element && element <= a[i + 1]) {
        return true;
      }
    }
    return false;
  }

  private static boolean isEqual(int[] a, int aLength, int[] b, int bLength, int j) {
    return j < aLength && j < bLength ? a[j] == b[j] : j >= aLength && j >= bLength;
  }

  /** Whether a occurs in b at j, as far as b's 16 bytes reach. */
  private static boolean isOrdered(int[] a, int aLength, int[] b, int bLength, int j) {
    for (int i = 0; i < aLength && i + j < b.length; i++) {
      if (i + j >= bLength || a[i] != b[i + j]) {
        return false;
      }
    }
    return true;
  }

  private static int polarity(int kind, int bits, int secondLength, int count) {
    return switch (kind) {
      case 1 -> ~bits & (1 << count) - 1;
      case 3 -> bits ^ (1 << secondLength) - 1;
      default -> bits;
    };
  }

  private static int index(int bits, int count, boolean last) {
    if (bits == 0) {
      return count;
    }
    return last ? 31 - Integer.numberOfLeadingZeros(bits) : Integer.numberOfTrailingZeros(bits);
  }

  private static void writeMask(long[] x, int bits, int count, boolean expand) {
    x[0] = bits;
    x[1] = 0;
    if (expand) {
      x[0] = 0;
      int width = 128 / count;
      for (int i = 0; i < count; i++) {
        if ((bits >> i & 1) != 0) {
          x[i * 2 / count] |= -1L >>> (64 - width) << (i * width & 63);
        }
      }
    }
  }
}
