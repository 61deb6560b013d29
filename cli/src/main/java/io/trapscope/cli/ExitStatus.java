package io.trapscope.cli;

/** Exit statuses of the command, as the README's table documents them. */
final class ExitStatus {
  /** Done; for {@code record}, the guest ran and every event was kept. */
  static final int DONE = 0;

  /** A run has more exits, or takes more time, than its budget allows. */
  static final int OVER_BUDGET = 1;

  /** Bad usage or bad input: an option, a file or a trace that cannot be used. */
  static final int BAD_INPUT = 2;

  /** The host lacks something: a device, a permission, memory, room on the disk. */
  static final int HOST_LACKS = 3;

  /** Events were lost, or the trace is incomplete. */
  static final int INCOMPLETE = 4;

  /** Replay diverged from the recording. */
  static final int DIVERGED = 5;

  /** A fault of the program itself (EX_SOFTWARE of sysexits.h). */
  static final int INTERNAL = 70;

  private ExitStatus() {}
}
