package io.trapscope.vmm.device;

/**
 * The local APIC of one vCPU, in xAPIC and x2APIC mode (Intel SDM volume 3, chapter 11). It starts
 * as firmware leaves the first processor's: enabled, LINT0 ExtINT (virtual wire), LINT1 NMI.
 *
 * <p>Registers are named by their offset divided by 16, which is also the x2APIC MSR less 0x800.
 */
public final class LocalApic {
  static final int ID = 0x02;
  static final int VERSION = 0x03;
  static final int TPR = 0x08;
  static final int APR = 0x09;
  static final int PPR = 0x0a;
  static final int EOI = 0x0b;
  static final int LDR = 0x0d;
  static final int DFR = 0x0e;
  static final int SVR = 0x0f;
  static final int ISR = 0x10;
  static final int TMR = 0x18;
  static final int IRR = 0x20;
  static final int ESR = 0x28;
  static final int ICR_LOW = 0x30;
  static final int ICR_HIGH = 0x31;
  static final int LVT_TIMER = 0x32;
  static final int LVT_LINT0 = 0x35;
  static final int LVT_LINT1 = 0x36;
  static final int LVT_ERROR = 0x37;
  static final int INITIAL_COUNT = 0x38;
  static final int CURRENT_COUNT = 0x39;
  static final int DIVIDE = 0x3e;
  static final int SELF_IPI = 0x3f;

  /** IA32_APIC_BASE (SDM volume 3, section 11.4.4). */
  public static final int BASE_BSP = 1 << 8;

  public static final int BASE_X2APIC = 1 << 10;
  public static final int BASE_ENABLE = 1 << 11;

  /** Version 0x14 with six LVT entries. */
  private static final int VERSION_VALUE = 0x0005_0014;

  private static final int SVR_ENABLE = 0x100;
  private static final int MASKED = 0x1_0000;
  private static final int ERROR_SEND_VECTOR = 0x20;
  private static final int ERROR_RECEIVED_VECTOR = 0x40;
  private static final int ERROR_REGISTER = 0x80;

  private static final int TIMER_PERIODIC = 1;
  private static final int TIMER_DEADLINE = 2;

  /** Writable bits of the LVT entries from the timer on (SDM volume 3, figure 11-8). */
  private static final int[] LVT_BITS = {
    0x7_00ff, 0x1_07ff, 0x1_07ff, 0x1_a7ff, 0x1_a7ff, 0x1_00ff
  };

  private final int vcpu;
  private final InterruptFabric fabric;
  private final Timers timers;
  private final Tsc tsc;
  private final Timers.Timer timer;
  private final long base;

  private final ApicVectors requests = new ApicVectors();
  private final ApicVectors inService = new ApicVectors();
  private final ApicVectors levels = new ApicVectors();
  private final int[] lvt = new int[6];

  private boolean enabled = true;
  private boolean x2apic;
  private int taskPriority;
  private int logicalId;
  private int destinationFormat;
  private int spurious;
  private int errors;
  private int errorStatus;
  private long command;
  private int initialCount;
  private int divide;
  private long countStart;
  private long deadline;

  LocalApic(int vcpu, InterruptFabric fabric, Timers timers, Tsc tsc, long base) {
    this.vcpu = vcpu;
    this.fabric = fabric;
    this.timers = timers;
    this.tsc = tsc;
    this.base = base;
    this.timer = timers.create(this::timerDue);
    init();
    if (vcpu == 0) {
      spurious |= SVR_ENABLE;
      lvt[LVT_LINT0 - LVT_TIMER] = 0x0700;
      lvt[LVT_LINT1 - LVT_TIMER] = 0x0400;
    }
  }

  /** The state after INIT (SDM volume 3, section 11.4.7.3); the base and mode stay. */
  void init() {
    requests.clear();
    inService.clear();
    levels.clear();
    java.util.Arrays.fill(lvt, MASKED);
    taskPriority = 0;
    logicalId = 0;
    destinationFormat = -1;
    spurious = 0xff;
    errors = 0;
    errorStatus = 0;
    command = 0;
    initialCount = 0;
    divide = 0;
    deadline = 0;
    timer.cancel();
  }

  /** IA32_APIC_BASE. */
  public long baseMsr() {
    return base
        | (vcpu == 0 ? BASE_BSP : 0)
        | (enabled ? BASE_ENABLE : 0)
        | (x2apic ? BASE_X2APIC : 0);
  }

  /**
   * Writes IA32_APIC_BASE.
   *
   * @return false where that is a #GP: a mode change the SDM forbids (volume 3, figure 11-27),
   *     reserved bits, or another address, which this machine does not support
   */
  public boolean writeBaseMsr(long value) {
    boolean enable = (value & BASE_ENABLE) != 0;
    boolean extended = (value & BASE_X2APIC) != 0;
    boolean forbidden = extended && !enable || x2apic && enable && !extended;
    long address = value & ~(BASE_BSP | BASE_X2APIC | BASE_ENABLE);
    if (address != base || forbidden || !enabled && extended) {
      return false;
    }
    if (enabled && !enable) {
      init();
    }
    enabled = enable;
    x2apic = extended;
    if (extended) {
      logicalId = vcpu >> 4 << 16 | 1 << (vcpu & 15);
    }
    return true;
  }

  /** IA32_APIC_BASE.EN. */
  public boolean isEnabled() {
    return enabled;
  }

  boolean x2apicMode() {
    return x2apic;
  }

  private boolean softwareEnabled() {
    return enabled && (spurious & SVR_ENABLE) != 0;
  }

  /** Whether the 8259 pair's output reaches this vCPU: no APIC in the way, or LINT0 is ExtINT. */
  boolean acceptsPic() {
    return vcpu == 0 && !enabled || (lvt[LVT_LINT0 - LVT_TIMER] & (MASKED | 0x700)) == 0x700;
  }

  private int processorPriority() {
    int service = Math.max(inService.highest(), 0);
    return (taskPriority & 0xf0) >= (service & 0xf0) ? taskPriority : service & 0xf0;
  }

  /** Whether a vector waits that the processor's priority lets through. */
  boolean pending() {
    int vector = requests.highest();
    return vector >= 0 && enabled && (vector & 0xf0) > (processorPriority() & 0xf0);
  }

  /** Moves the highest request into service and returns it, or -1 where none waits. */
  int acknowledge() {
    if (!pending()) {
      return -1;
    }
    int vector = requests.highest();
    requests.clear(vector);
    inService.set(vector);
    return vector;
  }

  /** The guest wrote CR8, the upper half of the task-priority register. */
  public void setCr8(int value) {
    taskPriority = (value & 15) << 4;
  }

  /** A fixed or lowest-priority interrupt arrives. */
  void accept(int vector, boolean level) {
    if (!softwareEnabled()) {
      return;
    }
    if (vector < 16) {
      error(ERROR_RECEIVED_VECTOR);
      return;
    }
    requests.set(vector);
    if (level) {
      levels.set(vector);
    } else {
      levels.clear(vector);
    }
    fabric.signals().interrupt(vcpu);
  }

  private void error(int bit) {
    boolean news = (errors & bit) == 0;
    errors |= bit;
    if (news) {
      local(LVT_ERROR);
    }
  }

  /** Delivers a local interrupt as its LVT entry says. */
  private void local(int register) {
    int entry = lvt[register - LVT_TIMER];
    if ((entry & MASKED) == 0) {
      fabric.deliver(this, entry >> 8 & 7, entry & 0xff, false);
    }
  }

  int vcpu() {
    return vcpu;
  }

  /**
   * Whether a message with this destination is for this APIC (SDM volume 3, section 11.6.2).
   *
   * @param wide whether the destination has 32 bits (x2APIC) or 8
   */
  boolean isDestination(int destination, boolean logical, boolean wide) {
    if (destination == (wide ? -1 : 0xff)) {
      return true;
    }
    if (!logical) {
      return destination == vcpu;
    }
    if (x2apic) {
      return destination >>> 16 == logicalId >>> 16 && (destination & logicalId & 0xffff) != 0;
    }
    int id = logicalId >>> 24;
    if (destinationFormat >>> 28 == 15) {
      return (destination & id) != 0;
    }
    return destination >> 4 == id >> 4 && (destination & id & 15) != 0;
  }

  /** Reads a register in xAPIC mode. */
  int read(int register) {
    if (register >= ISR && register < ESR) {
      ApicVectors vectors = register < TMR ? inService : register < IRR ? levels : requests;
      return vectors.register(register & 7);
    }
    if (register >= LVT_TIMER && register <= LVT_ERROR) {
      return lvt[register - LVT_TIMER];
    }
    return switch (register) {
      case ID -> x2apic ? vcpu : vcpu << 24;
      case VERSION -> VERSION_VALUE;
      case TPR -> taskPriority;
      case APR -> 0;
      case PPR -> processorPriority();
      case LDR -> logicalId;
      case DFR -> destinationFormat;
      case SVR -> spurious;
      case ESR -> errorStatus;
      case ICR_LOW -> (int) command;
      case ICR_HIGH -> (int) (command >>> 32);
      case INITIAL_COUNT -> initialCount;
      case CURRENT_COUNT -> currentCount();
      case DIVIDE -> divide;
      default -> {
        error(ERROR_REGISTER);
        yield 0;
      }
    };
  }

  /** Writes a register; in x2APIC mode the high half of ICR comes with {@link #writeMsr}. */
  void write(int register, int value) {
    if (register >= LVT_TIMER && register <= LVT_ERROR) {
      writeLvt(register, value);
      return;
    }
    switch (register) {
      case ID, VERSION, APR, PPR, CURRENT_COUNT -> {
        // Read-only here; the ID is the vCPU's index.
      }
      case TPR -> {
        taskPriority = value & 0xff;
        fabric.signals().taskPriority(vcpu, taskPriority >> 4);
      }
      case EOI -> endOfInterrupt();
      case LDR -> logicalId = value & 0xff00_0000;
      case DFR -> destinationFormat = value | 0x0fff_ffff;
      case SVR -> writeSpurious(value);
      case ESR -> {
        errorStatus = errors;
        errors = 0;
      }
      case ICR_LOW -> {
        // Delivery is immediate: its status bit (12) never shows.
        command = command & 0xffff_ffff_0000_0000L | value & 0xc_cfffL;
        send();
      }
      case ICR_HIGH -> command = command & 0xffff_ffffL | (long) (value & 0xff00_0000) << 32;
      case INITIAL_COUNT -> writeInitialCount(value);
      case DIVIDE -> writeDivide(value);
      case SELF_IPI -> writeSelfIpi(value);
      default -> error(ERROR_REGISTER);
    }
  }

  /** The register is there in x2APIC mode only (SDM volume 3, table 11-6). */
  private void writeSelfIpi(int value) {
    if (x2apic) {
      accept(value & 0xff, false);
    } else {
      error(ERROR_REGISTER);
    }
  }

  private void writeLvt(int register, int value) {
    int index = register - LVT_TIMER;
    int old = lvt[index];
    dropPassedDeadline();
    lvt[index] = value & LVT_BITS[index] | (softwareEnabled() ? 0 : MASKED);
    if (register == LVT_TIMER) {
      if (((old ^ value) & 0x4_0000) != 0) {
        // To or from TSC-deadline mode: the timer is disarmed.
        initialCount = 0;
        deadline = 0;
      }
      armTimer();
    }
  }

  private void writeSpurious(int value) {
    spurious = value & 0x1ff;
    if ((spurious & SVR_ENABLE) == 0) {
      for (int i = 0; i < lvt.length; i++) {
        lvt[i] |= MASKED;
      }
      armTimer();
    }
  }

  private void endOfInterrupt() {
    int vector = inService.highest();
    if (vector >= 0) {
      inService.clear(vector);
      if (levels.get(vector)) {
        fabric.ioApic().endOfInterrupt(vector);
      }
    }
  }

  /** Sends the interrupt command register's IPI. */
  private void send() {
    int low = (int) command;
    int mode = low >> 8 & 7;
    int vector = low & 0xff;
    if (mode <= 1 && vector < 16) {
      error(ERROR_SEND_VECTOR);
      return;
    }
    boolean initDeassert = mode == InterruptFabric.INIT && (low & 0xc000) == 0x8000;
    if (initDeassert) {
      return;
    }
    int destination = (int) (x2apic ? command >>> 32 : command >>> 56);
    fabric.ipi(this, low >> 18 & 3, destination, (low & 0x800) != 0, x2apic, mode, vector);
  }

  private int timerMode() {
    return lvt[0] >> 17 & 3;
  }

  /** The timer's clock is guest time: 1 GHz before the divider. */
  private long divisor() {
    int shift = (divide & 3 | divide >> 1 & 4) + 1 & 7;
    return 1L << shift;
  }

  private long period() {
    return (initialCount & 0xffff_ffffL) * divisor();
  }

  private int currentCount() {
    if (initialCount == 0 || timerMode() == TIMER_DEADLINE) {
      return 0;
    }
    long elapsed = timers.now() - countStart;
    if (timerMode() == TIMER_PERIODIC) {
      elapsed %= period();
    }
    return elapsed >= period() ? 0 : (int) ((period() - elapsed + divisor() - 1) / divisor());
  }

  private void writeInitialCount(int value) {
    if (timerMode() != TIMER_DEADLINE) {
      initialCount = value;
      countStart = timers.now();
      armTimer();
    }
  }

  private void writeDivide(int value) {
    int left = currentCount();
    divide = value & 0x0b;
    // What is left of the count goes on at the new rate.
    countStart = timers.now() - ((initialCount & 0xffff_ffffL) - (left & 0xffff_ffffL)) * divisor();
    armTimer();
  }

  /** IA32_TSC_DEADLINE: 0 where disarmed or not in that mode. */
  public long tscDeadline() {
    dropPassedDeadline();
    return deadline;
  }

  /** A deadline disarms the timer when it has come, also where the timer is masked. */
  private void dropPassedDeadline() {
    if (deadline != 0 && tsc.nanosAt(deadline) <= timers.now()) {
      deadline = 0;
    }
  }

  /** Writes IA32_TSC_DEADLINE; ignored outside TSC-deadline mode. */
  public void writeTscDeadline(long value) {
    if (timerMode() == TIMER_DEADLINE) {
      deadline = value;
      armTimer();
    }
  }

  /** The time-stamp counter was written: a deadline may be nearer or farther now. */
  public void counterMoved() {
    armTimer();
  }

  /** Arms the timer for its next interrupt; while masked nothing needs to happen. */
  private void armTimer() {
    long due = Long.MAX_VALUE;
    if ((lvt[0] & MASKED) == 0) {
      if (timerMode() == TIMER_DEADLINE) {
        due = deadline == 0 ? Long.MAX_VALUE : tsc.nanosAt(deadline);
      } else if (initialCount != 0) {
        long elapsed = timers.now() - countStart;
        if (timerMode() == TIMER_PERIODIC) {
          due = countStart + (elapsed / period() + 1) * period();
        } else if (elapsed < period()) {
          due = countStart + period();
        }
      }
    }
    timer.arm(due);
  }

  private void timerDue() {
    deadline = 0;
    local(LVT_TIMER);
    armTimer();
  }

  /**
   * Reads x2APIC MSR 0x800 + {@code register}.
   *
   * @return false where that is a #GP; the value is in {@code value[0]}
   */
  public boolean readMsr(int register, long[] value) {
    boolean absent = register == DFR || register == ICR_HIGH || register == APR;
    boolean writeOnly = register == EOI || register == SELF_IPI;
    if (!x2apic || absent || writeOnly || !exists(register)) {
      return false;
    }
    value[0] = register == ICR_LOW ? command : read(register) & 0xffff_ffffL;
    return true;
  }

  /**
   * Writes x2APIC MSR 0x800 + {@code register}.
   *
   * @return false where that is a #GP: no such register, read-only, or reserved bits
   */
  public boolean writeMsr(int register, long value) {
    boolean absent = register == DFR || register == ICR_HIGH;
    boolean readOnly =
        register < TPR
            || register == APR
            || register == PPR
            || register == LDR
            || register >= ISR && register < ESR
            || register == CURRENT_COUNT;
    if (!x2apic || absent || readOnly || !exists(register)) {
      return false;
    }
    if (register == ICR_LOW) {
      command = value & 0xffff_ffff_000c_cfffL;
      send();
      return true;
    }
    if (value >>> 32 != 0 || (register == EOI || register == ESR) && value != 0) {
      return false;
    }
    write(register, (int) value);
    return true;
  }

  private static boolean exists(int register) {
    return register >= TPR && register <= PPR
        || register == ID
        || register == VERSION
        || register == EOI
        || register >= LDR && register <= ESR
        || register == ICR_LOW
        || register >= LVT_TIMER && register <= CURRENT_COUNT
        || register == DIVIDE
        || register == SELF_IPI;
  }
}
