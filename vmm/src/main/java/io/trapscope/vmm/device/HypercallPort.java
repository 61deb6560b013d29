package io.trapscope.vmm.device;

/**
 * Hypercalls by port, for guests on a host where VMCALL does not reach user space.
 *
 * <pre>
 *   0x620  4 bytes  argument 0 (RBX), low half
 *   0x624  4 bytes  argument 0 (RBX), high half
 *   0x628  4 bytes  argument 1 (RCX), low half
 *   0x62c  4 bytes  argument 1 (RCX), high half
 *   0x630  4 bytes  write: number (RAX), makes the call; read: low half of the result
 *   0x634  4 bytes  read: high half of the result
 * </pre>
 */
public final class HypercallPort implements Device {
  public static final int PORT = 0x620;
  public static final int PORTS = 24;

  private static final int CALL = 0x10;
  private static final int RESULT_HIGH = 0x14;

  /** Makes a hypercall and returns its result. */
  @FunctionalInterface
  public interface Call {
    /** Calls {@code number} with RBX, RCX; the other arguments are 0. */
    long call(long number, long rbx, long rcx);
  }

  private final Call target;
  private final int[] arguments = new int[4];
  private long result;

  public HypercallPort(Call target) {
    this.target = target;
  }

  @Override
  public String name() {
    return "hypercall-port";
  }

  @Override
  public long read(long offset, int size) {
    if (offset == RESULT_HIGH) {
      return result >>> 32;
    }
    if (offset == CALL) {
      return result & 0xffff_ffffL;
    }
    return argument((int) offset >> 2 & 3, size);
  }

  private long argument(int index, int size) {
    return arguments[index] & (size >= 4 ? 0xffff_ffffL : (1L << 8 * size) - 1);
  }

  @Override
  public void write(long offset, int size, long value) {
    if (offset == CALL) {
      result = target.call(value, pair(0), pair(2));
    } else if (offset < CALL) {
      arguments[(int) offset >> 2] = (int) value;
    }
  }

  private long pair(int low) {
    return arguments[low] & 0xffff_ffffL | (long) arguments[low + 1] << 32;
  }
}
