package io.trapscope.analyzer.tally;

import io.trapscope.recorder.event.EventLayout;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.Field;

/**
 * How the parts of a site's key lie in its words. RIP and register number take a word each; the
 * rest is in the third, and what an EPT fault is about in the second.
 *
 * <pre>
 *  meta      0-7 event type   8-15 reason    16-31 vCPU    32-33 direction   34-37 size
 *            38-41 mode       42-45 CPL      46-50 which of these were captured
 *  register  of an EPT fault: 0-15 region    16-18 access  24-31 guest page  32-39 EPT page
 *            40-45 which of these were captured, first touch
 * </pre>
 *
 * <p>What was not captured is 0, and its bit is not set.
 */
final class SiteKey {
  static final long READ = 1L << 32;
  static final long WRITE = 2L << 32;
  static final long HAS_SIZE = 1L << 46;
  static final long HAS_MODE = 1L << 47;
  static final long HAS_CPL = 1L << 48;
  static final long HAS_RIP = 1L << 49;
  static final long HAS_REGISTER = 1L << 50;

  static final long HAS_REGION = 1L << 40;
  static final long HAS_ACCESS = 1L << 41;
  static final long HAS_GUEST_PAGE = 1L << 42;
  static final long HAS_EPT_PAGE = 1L << 43;
  static final long FIRST_TOUCH = 1L << 44;
  static final long AGAIN = 1L << 45;

  /** All but size, mode and CPL. */
  static final long COARSE = ~(0xfL << 34 | 0xffL << 38 | HAS_SIZE | HAS_MODE | HAS_CPL);

  /**
   * Bits 5:4 of the qualification of an access to a control register: 1 is MOV from CR (SDM volume
   * 3, "Exit Qualification").
   */
  static final long CR_ACCESS_TYPE = 0x30;

  private static final long MOV_FROM_CR = 0x10;

  /** Bits 2:0 of the qualification of an EPT violation. */
  static final long FAULT_ACCESS = 7;

  private SiteKey() {}

  /** The meta word of exits with this {@link Exit#what}. */
  static long meta(long what, long number, int vcpu) {
    EventType type = EventType.of((int) (what >>> 8) & 0xff);
    int first = (int) (what >>> 24) & 0xff;
    long key = type.id() | (what & 0xff) << 8 | (long) vcpu << 16;
    key |= has(what, type, Field.RIP) ? HAS_RIP : 0;
    key |= has(what, type, Field.MODE) ? HAS_MODE | (what >>> 16 & 0xf) << 38 : 0;
    key |= has(what, type, Field.CPL) ? HAS_CPL | (what >>> 20 & 0xf) << 42 : 0;
    key |=
        type == EventType.EPT_FAULT || has(what, type, ExitShape.NAMED_BY.get(type))
            ? HAS_REGISTER
            : 0;
    if (type == EventType.CR_ACCESS) {
      boolean known = has(what, type, Field.QUALIFICATION);
      return key | (!known ? 0 : number == MOV_FROM_CR ? READ : WRITE);
    }
    if (has(what, type, Field.DIRECTION)) {
      key |= (first & 0xf) == 0 ? READ : WRITE;
    }
    if (has(what, type, Field.SIZE)) {
      key |= HAS_SIZE | (first >>> 4 & 0xfL) << 34;
    }
    return key;
  }

  /** The register word of exits with this {@link Exit#what} and {@link Exit#number}. */
  static long register(long what, long number) {
    EventType type = EventType.of((int) (what >>> 8) & 0xff);
    if (type == EventType.EPT_FAULT) {
      return fault(what, number);
    }
    if (!has(what, type, ExitShape.NAMED_BY.get(type))) {
      return 0;
    }
    long first = what >>> 24 & 0xff;
    if (type == EventType.CPUID) {
      return number << 32 | (has(what, type, Field.SUBLEAF) ? number >>> 32 : 0);
    }
    if (type == EventType.CR_ACCESS) {
      return first & 0xf;
    }
    return type == EventType.EXCEPTION ? first : number;
  }

  private static long fault(long what, long number) {
    EventType type = EventType.EPT_FAULT;
    long key = 0;
    if (has(what, type, Field.REGION)) {
      key |= HAS_REGION | number >>> 16 & 0xffff;
    }
    if (has(what, type, Field.QUALIFICATION)) {
      key |= HAS_ACCESS | (number >>> 32 & FAULT_ACCESS) << 16;
    }
    if (has(what, type, Field.GUEST_PAGE)) {
      key |= HAS_GUEST_PAGE | (what >>> 24 & 0xff) << 24;
    }
    if (has(what, type, Field.EPT_PAGE)) {
      key |= HAS_EPT_PAGE | (number & 0xff) << 32;
    }
    if (has(what, type, Field.FIRST_TOUCH)) {
      key |= (number & FIRST_TOUCH_NUMBER) == 0 ? AGAIN : FIRST_TOUCH;
    }
    return key;
  }

  /** Where an EPT fault's {@link Exit#number} says that nothing had touched the page. */
  static final long FIRST_TOUCH_NUMBER = 0xf00;

  private static boolean has(long what, EventType type, Field field) {
    int bit = field == null ? -1 : EventLayout.of(type).presenceBit(field);
    return bit >= 0 && (what >>> 32 + bit & 1) != 0;
  }
}
