package io.trapscope.analyzer.tally;

import io.trapscope.recorder.event.EventBlock;
import io.trapscope.recorder.event.EventLayout;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.Field;

/**
 * One exit, taken apart once for everything that counts it. Reused; nothing is allocated an exit.
 *
 * <p>Design note. An exit goes through all that count it before the next is looked at, in one loop
 * without calls: a processor then waits for the tables of one exit while it works on the next, and
 * what was read of an exit never leaves its registers. Numbers are taken as they lie in the
 * records, several fields a word; {@link SiteKey} gives them sense when a table is made of them.
 */
class Exit {
  private static final EventLayout ANY = EventLayout.of(EventType.PIO);
  private static final int GUEST_AT = ANY.offset(Field.GUEST_TIME);
  private static final int RIP_AT = ANY.offset(Field.RIP);
  private static final int TIME_AT = ANY.offset(Field.TIME);

  /** Loop time and, in the upper half, dispatch time. */
  private static final int LOOP_AT = ANY.offset(Field.LOOP_TIME);

  /** Device time; then a byte each: reason, KVM exit, mode and CPL, and the first of details. */
  private static final int DEVICE_AT = ANY.offset(Field.DEVICE_TIME);

  // Presence bits of the stages, as they are in the upper half of what. The kernel's stages have
  // another bit in each type, so they get those of two fields that make no difference here.
  static final long GUEST = bit(Field.GUEST_TIME);
  static final long LOOP = bit(Field.LOOP_TIME);
  static final long DISPATCH = bit(Field.DISPATCH_TIME);
  static final long DEVICE = bit(Field.DEVICE_TIME);
  static final long KERNEL = bit(Field.INSTRUCTIONS);
  static final long USER = bit(Field.KVM_EXIT);
  static final long RIP = bit(Field.RIP);

  /** The stages that a run of our own has, where nothing tells of the kernel's. */
  static final long USUAL_STAGES = GUEST | LOOP | DISPATCH | DEVICE;

  /** Those that only the host's kernel tells. */
  static final long KERNEL_STAGES = KERNEL | USER;

  static final long STAGES = USUAL_STAGES | KERNEL_STAGES;

  /** All but the guest's. */
  static final long HANDLING = STAGES & ~GUEST;

  private static final long U32 = 0xffff_ffffL;

  /** Time of the exit on the trace's clock, ns. */
  long time;

  /** Guest RIP. */
  long rip;

  /**
   * What the exit was about: port, GPA, MSR, CPUID leaf with the subleaf in the upper half,
   * hypercall; of an EPT fault EPT page, first touch and region, with the access in the upper half;
   * of a control register the type of access.
   */
  long number;

  /**
   * A byte each: reason, type, mode and CPL, first of details (direction and size; page size of the
   * guest; control register; vector); in the upper half which fields were captured.
   */
  long what;

  // Times of the stages in ns; 0 where not captured.
  long guest;
  long kernel;
  long loop;
  long dispatch;
  long device;
  long user;

  /** Time of all stages but the guest's, ns; 0 where none was captured. */
  long handling;

  /** Value of an access; idle time of HLT, ns; GPA of an EPT fault. */
  long extra;

  private static long bit(Field field) {
    return 1L << 32 + ANY.presenceBit(field);
  }

  /**
   * Takes an event apart.
   *
   * @return false where it is no exit
   */
  final boolean read(EventBlock block, int event) {
    int id = block.typeId(event);
    int captured = block.captured(event);
    if ((captured & ExitShape.IS_EXIT[id]) == 0) {
      return false;
    }
    int at = block.offset(event);
    readStages(block, at);
    rip = block.u64(at + RIP_AT);
    time = block.baseTime() + (block.i32(at + TIME_AT) & U32);
    final long[] table = ExitShape.TABLE;
    int shape = id << ExitShape.WORDS & ExitShape.MASK;
    long offsets = table[shape | ExitShape.OFFSETS];
    long first = block.u64(at + ((int) offsets & 0xffff));
    long upper = block.u64(at + ((int) offsets >>> 16)) & table[shape | ExitShape.UPPER_MASK];
    number = first & table[shape | ExitShape.NUMBER_MASK] | upper << 32;
    extra = block.u64(at + (int) (offsets >>> 32));
    boolean one =
        (first & table[shape | ExitShape.COUNT_MASK]) == table[shape | ExitShape.COUNT_ONE];
    long several = one ? 0 : table[shape | ExitShape.COUNT_BIT];
    what |= (long) (captured & ExitShape.RELEVANT[id]) << 32 & ~several | (long) id << 8;
    kernel = 0;
    user = 0;
    if ((captured & ExitShape.KERNEL_STAGES[id]) != 0) {
      readKernelStages(block, at, shape, captured);
    }
    return true;
  }

  private void readStages(EventBlock block, int at) {
    guest = block.u64(at + GUEST_AT);
    long word = block.u64(at + LOOP_AT);
    loop = word & U32;
    dispatch = word >>> 32;
    word = block.u64(at + DEVICE_AT);
    device = word & U32;
    what = word >>> 32 & 0xffff_00ffL;
    handling = loop + dispatch + device;
  }

  private void readKernelStages(EventBlock block, int at, int shape, int captured) {
    long bits = ExitShape.TABLE[shape | ExitShape.KERNEL_BITS];
    if ((captured & (int) bits) != 0) {
      kernel = block.u64(at + ((int) (bits >>> 32) & 0xffff));
      what |= KERNEL;
    }
    bits = ExitShape.TABLE[shape | ExitShape.USER_BITS];
    if ((captured & (int) bits) != 0) {
      user = block.u64(at + ((int) (bits >>> 32) & 0xffff));
      what |= USER;
    }
    handling += kernel + user;
  }

  /**
   * Leaves times out that are none; see {@link Latency#LIMIT}.
   *
   * @return how many there were
   */
  final int leaveOutImplausible() {
    // Of numbers that are not negative, one has a bit above the limit's if all together have.
    return Latency.isPlausible(guest | kernel | user) ? 0 : leaveOut();
  }

  private int leaveOut() {
    long before = what;
    if (!Latency.isPlausible(guest)) {
      guest = 0;
      what &= ~GUEST;
    }
    if (!Latency.isPlausible(kernel)) {
      kernel = 0;
      what &= ~KERNEL;
    }
    if (!Latency.isPlausible(user)) {
      user = 0;
      what &= ~USER;
    }
    handling = kernel + loop + dispatch + device + user;
    return Long.bitCount(before ^ what);
  }

  /** Whether any time of its handling was captured. */
  final boolean isHandlingTold() {
    return (what & HANDLING) != 0;
  }

  /** Code of the reason. */
  final int reason() {
    return (int) what & 0xff;
  }

  /** Id of the event's type. */
  final int type() {
    return (int) what >>> 8 & 0xff;
  }
}
