package io.trapscope.vmm.run;

import io.trapscope.recorder.event.ExitSink;

/** Where a run's events go: one stream a vCPU and one for everything else. */
public interface Sinks {

  /** Not recording. */
  Sinks NONE =
      new Sinks() {
        @Override
        public ExitSink vcpu(int index) {
          return ExitSink.NONE;
        }

        @Override
        public ExitSink other() {
          return ExitSink.NONE;
        }
      };

  /** The stream of exits and injections of one vCPU; used by its thread alone. */
  ExitSink vcpu(int index);

  /**
   * The stream of console bytes, translations and the end of the run; used under the device lock.
   */
  ExitSink other();
}
