package io.trapscope.analyzer.tally;

import io.trapscope.recorder.trace.TraceReader;
import java.util.EnumSet;
import java.util.List;

/** Everything that can be counted of a trace, for tests of single reports. */
public final class Tallies {
  private Tallies() {}

  public static Tally of(TraceReader trace) {
    TimeAxis axis = TimeAxis.from(trace.header().clocks().monotonicNanos());
    Pass pass = new Pass(List.of(new Pass.Order(EnumSet.allOf(Part.class), null, axis, 1 << 19)));
    for (int vcpu : trace.streams()) {
      pass.drain(trace.parts(vcpu, Long.MAX_VALUE).cursor(0));
    }
    pass.finish();
    return pass.tallies().get(0);
  }
}
