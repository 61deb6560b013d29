package io.trapscope.analyzer.tally;

import io.trapscope.recorder.event.EventLayout;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.Field;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Where {@link Exit} finds what is asked of an exit, by the id of its type: numbers instead of a
 * branch for each type.
 */
final class ExitShape {
  /**
   * The types of exits. An event of such a type is an exit if its reason was captured, which is
   * always so unless the trace is damaged.
   */
  static final Set<EventType> TYPES =
      Arrays.stream(EventType.values())
          .filter(EventType::isExit)
          .collect(
              Collectors.collectingAndThen(
                  Collectors.toCollection(() -> EnumSet.noneOf(EventType.class)),
                  Collections::unmodifiableSet));

  /** The field that names what an exit was about, by type; nothing does for the other types. */
  static final Map<EventType, Field> NAMED_BY =
      new EnumMap<>(
          Map.of(
              EventType.PIO, Field.PORT,
              EventType.MMIO, Field.GPA,
              EventType.MSR, Field.MSR,
              EventType.CPUID, Field.LEAF,
              EventType.HYPERCALL, Field.HYPERCALL,
              EventType.CR_ACCESS, Field.CONTROL_REGISTER,
              EventType.EXCEPTION, Field.VECTOR,
              EventType.EPT_FAULT, Field.REGION));

  private static final List<Field> FIELDS =
      List.of(
          Field.GUEST_TIME,
          Field.RIP,
          Field.LOOP_TIME,
          Field.DISPATCH_TIME,
          Field.DEVICE_TIME,
          Field.MODE,
          Field.CPL,
          Field.DIRECTION,
          Field.SIZE,
          Field.PORT,
          Field.GPA,
          Field.MSR,
          Field.LEAF,
          Field.SUBLEAF,
          Field.HYPERCALL,
          Field.CONTROL_REGISTER,
          Field.VECTOR,
          Field.REGION,
          Field.QUALIFICATION,
          Field.GUEST_PAGE,
          Field.EPT_PAGE,
          Field.FIRST_TOUCH,
          Field.VALUE,
          Field.IDLE_TIME);

  private static final int IDS = 256;

  /** Of each type: presence bit of the reason, or no bit at all where it is no exit. */
  static final int[] IS_EXIT = new int[IDS];

  /** The fields that make a difference to what is counted, as presence bits. */
  static final int[] RELEVANT = new int[IDS];

  /** Of each type: presence bits of the time in the kernel and of that outside. */
  static final int[] KERNEL_STAGES = new int[IDS];

  // What follows is a row of numbers a type, which begins at id << WORDS.

  static final int WORDS = 3;

  /** Room of all rows: an index below it needs no check. */
  static final int MASK = (IDS << WORDS) - 1;

  /** Offsets of three words of the record: 16 bits each; see the masks. */
  static final int OFFSETS = 0;

  /** Which bits of the first word go to {@link Exit#number}. */
  static final int NUMBER_MASK = 1;

  /** Which bits of the second word go to the upper half of the number. */
  static final int UPPER_MASK = 2;

  /** Bits of the first word that are those in {@link #COUNT_ONE} in an access of one item. */
  static final int COUNT_MASK = 3;

  static final int COUNT_ONE = 4;

  /** Bit of {@link Exit#what} that is taken away where several: the value is the first's. */
  static final int COUNT_BIT = 5;

  /** Presence bit of the kernel's time and, from bit 32 on, where it lies. */
  static final int KERNEL_BITS = 6;

  /** The same of the time outside the kernel. */
  static final int USER_BITS = 7;

  static final long[] TABLE = new long[IDS << WORDS];

  static {
    for (EventType type : TYPES) {
      EventLayout layout = EventLayout.of(type);
      IS_EXIT[type.id()] = bit(type, Field.REASON);
      for (Field field : FIELDS) {
        RELEVANT[type.id()] |= layout.presenceBit(field) < 0 ? 0 : bit(type, field);
      }
      int rip = layout.offset(Field.RIP);
      offsets(type, rip, rip, rip);
      KERNEL_STAGES[type.id()] = bit(type, Field.KERNEL_TIME) | bit(type, Field.USER_TIME);
      set(type, KERNEL_BITS, place(type, Field.KERNEL_TIME));
      set(type, USER_BITS, place(type, Field.USER_TIME));
    }
    number(EventType.MSR, Field.MSR, 0xffff_ffffL, Field.VALUE);
    number(EventType.MMIO, Field.GPA, -1, Field.VALUE);
    number(EventType.PIO, Field.PORT, 0xffff, Field.VALUE);
    number(EventType.CPUID, Field.LEAF, -1, Field.RIP);
    number(EventType.HYPERCALL, Field.HYPERCALL, -1, Field.RIP);
    number(EventType.CR_ACCESS, Field.QUALIFICATION, SiteKey.CR_ACCESS_TYPE, Field.RIP);
    offsets(
        EventType.HLT,
        offset(EventType.HLT, Field.RIP),
        offset(EventType.HLT, Field.RIP),
        offset(EventType.HLT, Field.IDLE_TIME));
    // EPT page, first touch and region lie in one word.
    set(EventType.EPT_FAULT, NUMBER_MASK, 0xffff_ffffL);
    set(EventType.EPT_FAULT, UPPER_MASK, SiteKey.FAULT_ACCESS);
    offsets(
        EventType.EPT_FAULT,
        offset(EventType.EPT_FAULT, Field.EPT_PAGE),
        offset(EventType.EPT_FAULT, Field.QUALIFICATION),
        offset(EventType.EPT_FAULT, Field.GPA));
    int count = 8 * (offset(EventType.PIO, Field.COUNT) - offset(EventType.PIO, Field.PORT));
    set(EventType.PIO, COUNT_MASK, 0xffffL << count);
    set(EventType.PIO, COUNT_ONE, 1L << count);
    set(EventType.PIO, COUNT_BIT, (long) bit(EventType.PIO, Field.VALUE) << 32);
  }

  private ExitShape() {}

  private static void number(EventType type, Field field, long mask, Field extra) {
    set(type, NUMBER_MASK, mask);
    offsets(type, offset(type, field), offset(type, Field.RIP), offset(type, extra));
  }

  private static void offsets(EventType type, int number, int upper, int extra) {
    set(type, OFFSETS, number | upper << 16 | (long) extra << 32);
  }

  private static void set(EventType type, int word, long value) {
    TABLE[type.id() << WORDS | word] = value;
  }

  private static long place(EventType type, Field field) {
    return bit(type, field) & 0xffff_ffffL | (long) offset(type, field) << 32;
  }

  private static int offset(EventType type, Field field) {
    return EventLayout.of(type).offset(field);
  }

  static int bit(EventType type, Field field) {
    return 1 << EventLayout.of(type).presenceBit(field);
  }
}
