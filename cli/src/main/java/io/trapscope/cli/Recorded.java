package io.trapscope.cli;

import io.trapscope.recorder.event.RunEnd;
import io.trapscope.recorder.trace.TraceEnd;
import io.trapscope.recorder.trace.TraceHeader;
import io.trapscope.vmm.run.RunResult;

/**
 * A run that is over.
 *
 * @param header what the trace's header says, also where nothing was recorded
 * @param result how the run went
 * @param end what the trace holds; null where nothing was recorded
 * @param failure why the trace could not be written to its end; empty where it could
 */
record Recorded(TraceHeader header, RunResult result, TraceEnd end, String failure) {

  /** The command's exit status. */
  int status() {
    if (!failure.isEmpty() || (end != null && end.lost() > 0)) {
      return ExitStatus.INCOMPLETE;
    }
    return result.end() == RunEnd.ERROR ? ExitStatus.HOST_LACKS : ExitStatus.DONE;
  }
}
