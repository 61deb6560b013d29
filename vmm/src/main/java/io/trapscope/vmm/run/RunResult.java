package io.trapscope.vmm.run;

import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.event.RunEnd;
import java.util.List;

/**
 * How a run went.
 *
 * @param end how it ended
 * @param detail the debug-exit value, or the sub-code of an error; 0 otherwise
 * @param text the end in words, one line
 * @param exits exits of all vCPUs
 * @param events events handed to the sinks: exits, injections, console, end
 * @param exitsByReason exits by {@link ExitReason#code()}, 256 of them
 * @param hostNanos host time from the first entry to the last exit, ns
 * @param guestNanos guest clock of vCPU 0 at the end, ns
 * @param instructions instructions retired by all vCPUs, or -1 where they are not counted
 * @param consoleBytes bytes the guest wrote to its console
 * @param unclaimedReads reads that no device claimed
 * @param unclaimedWrites writes that no device claimed
 * @param anomalies lines about what the guest asked for and did not get
 */
public record RunResult(
    RunEnd end,
    long detail,
    String text,
    long exits,
    long events,
    long[] exitsByReason,
    long hostNanos,
    long guestNanos,
    long instructions,
    long consoleBytes,
    long unclaimedReads,
    long unclaimedWrites,
    List<String> anomalies) {

  /** Exits of one reason. */
  public long exits(ExitReason reason) {
    return exitsByReason[reason.code()];
  }

  /** Exits a second of host time; 0 for an empty run. */
  public double exitRate() {
    return hostNanos <= 0 ? 0 : exits * 1e9 / hostNanos;
  }

  /** Whether the guest ended by itself or met the user's own condition. */
  public boolean isNormal() {
    return switch (end) {
      case HALTED,
          RESET,
          TRIPLE_FAULT,
          POWER_OFF,
          DEBUG_EXIT,
          UNTIL,
          INTERRUPTED,
          DETACHED,
          VMM_ENDED ->
          true;
      case TIMEOUT, ERROR -> false;
    };
  }
}
