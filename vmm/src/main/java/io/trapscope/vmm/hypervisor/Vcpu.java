package io.trapscope.vmm.hypervisor;

/**
 * One virtual processor. All methods but {@link #kick} belong to the thread that runs it.
 *
 * <p>Time: a vCPU has a guest clock in nanoseconds since the machine was made. On {@code soft} it
 * is derived from the count of retired instructions and moves only when the guest runs or {@link
 * #idleUntil} is called; on {@code kvm} it is the host's monotonic clock as of the last exit or the
 * last {@link #idleUntil}.
 */
public interface Vcpu extends AutoCloseable {

  int index();

  /**
   * Runs the guest until it exits, and fills {@code out}. Completes what the exit before it left
   * open: the value a read returned (taken from the same {@code VmExit}), an injection, the step
   * past an emulated instruction.
   */
  void run(VmExit out);

  /**
   * Whether exits tell what only a recording wants, where that costs the back end time: when they
   * came, and where the guest was. They do until told otherwise; set before the first {@link #run}.
   */
  default void tellMore(boolean wanted) {}

  /**
   * Makes a running or the next {@link #run} return soon with {@code INTERRUPTED}. Callable from
   * any thread.
   */
  void kick();

  /**
   * Whether the guest would take an external interrupt at its next instruction: RFLAGS.IF set, no
   * interrupt shadow. After an HLT exit the HLT counts as executed, so the shadow of an STI just
   * before it has ended.
   */
  boolean interruptible();

  /** Injects an external interrupt at the next {@link #run}. Requires {@link #interruptible()}. */
  void injectInterrupt(int vector);

  /** Injects an NMI at the next {@link #run}, or as soon as the guest's NMI blocking ends. */
  void injectNmi();

  /**
   * While true, {@link #run} returns with {@code INTERRUPT_WINDOW} as soon as the vCPU is {@link
   * #interruptible()}.
   */
  void requestInterruptWindow(boolean wanted);

  /** The guest clock, in nanoseconds. */
  long guestNanos();

  /**
   * {@link #run} returns with {@code PREEMPTION_TIMER} once the guest clock reaches this time;
   * {@code Long.MAX_VALUE} for never.
   */
  void setDeadline(long guestNanos);

  /**
   * Lets a halted vCPU's clock reach this time without running: {@code soft} moves the clock,
   * {@code kvm} waits. Returns early when kicked.
   */
  void idleUntil(long guestNanos);

  /**
   * The instruction that exited took this long besides itself, as a bus access does. Moves a clock
   * that counts instructions; a host's clock has moved by itself.
   */
  default void stall(long nanos) {}

  /**
   * Whether the vCPU is halted inside {@link #run}, where that can be. Callable from any thread.
   */
  default boolean isIdle() {
    return false;
  }

  /**
   * Instructions retired since the machine was made, or -1 where the back end cannot count them.
   */
  long instructions();

  /** What the guest reads from CR8 from now on, 0 to 15, where the local APIC is a device here. */
  void setTaskPriority(int priority);

  /** Reads the registers into {@code state}. Not for the hot path. */
  void readState(CpuState state);

  /** Sets the registers from {@code state}. Not for the hot path. */
  void writeState(CpuState state);

  @Override
  void close();
}
