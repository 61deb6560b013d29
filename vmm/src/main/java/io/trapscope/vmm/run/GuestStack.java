package io.trapscope.vmm.run;

import io.trapscope.vmm.hypervisor.CpuState;
import io.trapscope.vmm.hypervisor.Vcpu;
import io.trapscope.vmm.memory.GuestMemory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Where a guest's code was called from, by its frame pointers: RBP points at the caller's RBP, with
 * the return address behind it (System V ABI for AMD64, section 3.2.2; for i386 the same with
 * 32-bit words). Reads guest memory and changes none; allocates nothing.
 *
 * <p>A function that has not yet pushed RBP, or never does, hides its caller; a guest built without
 * frame pointers has none, which shows where RBP does not lie in the stack.
 *
 * <p>Linux marks where an interrupt or a system call came in by a frame pointer whose lowest bit is
 * set: the registers of what it interrupted lie there (struct pt_regs;
 * arch/x86/include/asm/frame.h, ENCODE_FRAME_POINTER). The walk goes on in these.
 */
final class GuestStack {
  /** Most return addresses of a stack. */
  static final int MOST = 128;

  /** No frame is larger; what lies further away is no frame of this stack. */
  private static final long LARGEST_FRAME = 1 << 20;

  // Of struct pt_regs.
  private static final int SAVED_BP = 4 * 8;
  private static final int SAVED_IP = 16 * 8;
  private static final int SAVED_CS = 17 * 8;
  private static final int SAVED_SP = 19 * 8;

  private final Vcpu vcpu;
  private final GuestWords words;
  private final int depth;
  private final CpuState state = new CpuState();
  private final ByteBuffer found;

  /**
   * Stacks of one vCPU.
   *
   * @param depth most return addresses of a stack, 1 to {@link #MOST}
   */
  GuestStack(Vcpu vcpu, GuestMemory memory, int depth) {
    this.vcpu = vcpu;
    this.words = new GuestWords(memory);
    this.depth = depth;
    this.found = ByteBuffer.allocate(8 * depth).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Walks the stack as it is now, which has to be before the guest is entered again. */
  void walk() {
    vcpu.readState(state);
    found.clear();
    words.begin(state);
    if (words.wide()) {
      walkWide();
    } else {
      walkNarrow();
    }
  }

  private void walkWide() {
    long sp = state.gpr[CpuState.RSP];
    long frame = state.gpr[CpuState.RBP];
    while (found.hasRemaining()) {
      boolean marked = (frame & 7) == 1;
      long at = marked ? frame - 1 : frame;
      if ((at & 7) != 0 || Long.compareUnsigned(at - sp, LARGEST_FRAME) >= 0) {
        return;
      }
      if (marked) {
        if (!words.has(at, SAVED_SP + 8) || !add(words.wide(at + SAVED_IP))) {
          return;
        }
        frame = words.wide(at + SAVED_BP);
        sp = (words.wide(at + SAVED_CS) & 3) == 0 ? at : words.wide(at + SAVED_SP);
      } else {
        if (!words.has(at, 16) || !add(words.wide(at + 8))) {
          return;
        }
        frame = words.wide(at);
        sp = at + 16;
      }
    }
  }

  private void walkNarrow() {
    long sp = state.gpr[CpuState.RSP] & 0xffff_ffffL;
    long frame = state.gpr[CpuState.RBP] & 0xffff_ffffL;
    while (found.hasRemaining()
        && (frame & 3) == 0
        && Long.compareUnsigned(frame - sp, LARGEST_FRAME) < 0
        && words.has(frame, 8)
        && add(words.narrow(frame + 4))) {
      sp = frame + 8;
      frame = words.narrow(frame);
    }
  }

  private boolean add(long address) {
    // No code lies at 0, where a chain of frames ends, nor outside the canonical addresses.
    if (address == 0 || address << 16 >> 16 != address) {
      return false;
    }
    found.putLong(address);
    return true;
  }

  /** The return addresses found last, 64 bits each, little-endian, innermost first. */
  byte[] bytes() {
    return found.array();
  }

  /** How many of the bytes count. */
  int length() {
    return found.position();
  }
}
