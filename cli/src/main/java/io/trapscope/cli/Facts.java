package io.trapscope.cli;

import io.trapscope.recorder.trace.TraceFormat;
import io.trapscope.recorder.trace.TraceHeader.VcpuThread;
import java.util.Locale;

/** Facts of a run as several commands say them: a name, then a text. */
final class Facts {
  private Facts() {}

  /** A line; what is said starts in one column. */
  static String row(String name, String text) {
    return String.format("%-10s ", name) + text;
  }

  /** The line of a vCPU of which its thread is known. */
  static String row(VcpuThread vcpu) {
    return row(
        TraceFormat.streamName(vcpu.stream()),
        String.format(
            Locale.ROOT,
            "vCPU %d of %s (pid %d), thread %s (tid %d)",
            vcpu.vcpu(),
            vcpu.process(),
            vcpu.pid(),
            vcpu.thread(),
            vcpu.tid()));
  }
}
