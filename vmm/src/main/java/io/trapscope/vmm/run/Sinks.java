package io.trapscope.vmm.run;

import io.trapscope.recorder.event.ExitSink;
import java.util.function.IntFunction;

/** Where a run's events go: one stream a vCPU and one for everything else. */
public interface Sinks {

  /** Not recording. */
  Sinks NONE = of(index -> ExitSink.NONE, ExitSink.NONE);

  /** Sinks made elsewhere: one by the number of its vCPU, and the other one. */
  static Sinks of(IntFunction<ExitSink> vcpus, ExitSink other) {
    return new Sinks() {
      @Override
      public ExitSink vcpu(int index) {
        return vcpus.apply(index);
      }

      @Override
      public ExitSink other() {
        return other;
      }
    };
  }

  /** The stream of exits and injections of one vCPU; used by its thread alone. */
  ExitSink vcpu(int index);

  /**
   * The stream of console bytes, translations and the end of the run; used under the device lock.
   */
  ExitSink other();
}
