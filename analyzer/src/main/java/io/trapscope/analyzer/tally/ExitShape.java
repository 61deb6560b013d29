package io.trapscope.analyzer.tally;

import io.trapscope.recorder.event.EventLayout;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.Field;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Where {@link Exits} finds what is asked of an exit, by the id of its type: numbers instead of a
 * branch for each type.
 */
final class ExitShape {
  /**
   * The types of exits. An event of such a type is an exit if its reason was captured, which is
   * always so unless the trace is damaged.
   */
  static final Set<EventType> TYPES =
      Collections.unmodifiableSet(
          EnumSet.of(
              EventType.PIO,
              EventType.MMIO,
              EventType.CPUID,
              EventType.MSR,
              EventType.HYPERCALL,
              EventType.HLT,
              EventType.EPT_FAULT,
              EventType.CR_ACCESS,
              EventType.EXCEPTION,
              EventType.EXIT));

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

  /** A word of the record, and which of its bits go to {@link Exits#number}. */
  static final int[] NUMBER_AT = new int[IDS];

  static final long[] NUMBER_MASK = new long[IDS];

  /** A second word whose bits go to the upper half of the number. */
  static final int[] UPPER_AT = new int[IDS];

  static final long[] UPPER_MASK = new long[IDS];

  /** The word that goes to {@link Exits#extra}. */
  static final int[] EXTRA_AT = new int[IDS];

  /** An access of one item has these bits of the first word. */
  static final long[] COUNT_MASK = new long[IDS];

  static final long[] COUNT_ONE = new long[IDS];

  /** Presence bit that is taken away from an access of several items: its value is the first's. */
  static final int[] COUNT_BIT = new int[IDS];

  static {
    for (EventType type : TYPES) {
      EventLayout layout = EventLayout.of(type);
      IS_EXIT[type.id()] = bit(type, Field.REASON);
      for (Field field : FIELDS) {
        RELEVANT[type.id()] |= layout.presenceBit(field) < 0 ? 0 : bit(type, field);
      }
      NUMBER_AT[type.id()] = layout.offset(Field.RIP);
      UPPER_AT[type.id()] = layout.offset(Field.RIP);
      EXTRA_AT[type.id()] = layout.offset(Field.RIP);
    }
    number(EventType.PIO, Field.PORT, 0xffff);
    number(EventType.MMIO, Field.GPA, -1);
    number(EventType.MSR, Field.MSR, 0xffff_ffffL);
    number(EventType.CPUID, Field.LEAF, -1);
    number(EventType.HYPERCALL, Field.HYPERCALL, -1);
    number(EventType.CR_ACCESS, Field.QUALIFICATION, SiteKey.CR_ACCESS_TYPE);
    // EPT page, first touch and region lie in one word.
    number(EventType.EPT_FAULT, Field.EPT_PAGE, 0xffff_ffffL);
    UPPER_AT[EventType.EPT_FAULT.id()] = offset(EventType.EPT_FAULT, Field.QUALIFICATION);
    UPPER_MASK[EventType.EPT_FAULT.id()] = SiteKey.FAULT_ACCESS;
    EXTRA_AT[EventType.PIO.id()] = offset(EventType.PIO, Field.VALUE);
    EXTRA_AT[EventType.MMIO.id()] = offset(EventType.MMIO, Field.VALUE);
    EXTRA_AT[EventType.MSR.id()] = offset(EventType.MSR, Field.VALUE);
    EXTRA_AT[EventType.HLT.id()] = offset(EventType.HLT, Field.IDLE_TIME);
    EXTRA_AT[EventType.EPT_FAULT.id()] = offset(EventType.EPT_FAULT, Field.GPA);
    int count = 8 * (offset(EventType.PIO, Field.COUNT) - offset(EventType.PIO, Field.PORT));
    COUNT_MASK[EventType.PIO.id()] = 0xffffL << count;
    COUNT_ONE[EventType.PIO.id()] = 1L << count;
    COUNT_BIT[EventType.PIO.id()] = bit(EventType.PIO, Field.VALUE);
  }

  private ExitShape() {}

  private static void number(EventType type, Field field, long mask) {
    NUMBER_AT[type.id()] = offset(type, field);
    NUMBER_MASK[type.id()] = mask;
  }

  private static int offset(EventType type, Field field) {
    return EventLayout.of(type).offset(field);
  }

  static int bit(EventType type, Field field) {
    return 1 << EventLayout.of(type).presenceBit(field);
  }
}
