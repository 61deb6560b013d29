package io.trapscope.vmm.run;

import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.ExitSink;
import io.trapscope.recorder.event.FilteringSink;
import java.util.Set;
import java.util.function.IntFunction;

/** Where a run's events go: one stream a vCPU and one for everything else. */
public interface Sinks {

  /** Not recording. */
  Sinks NONE = of(index -> ExitSink.NONE, ExitSink.NONE);

  /** Sinks made elsewhere: one by the number of its vCPU, and the other one. */
  static Sinks of(IntFunction<ExitSink> vcpus, ExitSink other) {
    return of(vcpus, other, (vcpu, count) -> {});
  }

  /** Takes what the kernel could not tell: the vCPU, and how many records. */
  interface OnLoss {
    void lost(int vcpu, long count);
  }

  /** The same, with {@link #lost}. */
  static Sinks of(IntFunction<ExitSink> vcpus, ExitSink other, OnLoss onLoss) {
    return new Sinks() {
      @Override
      public ExitSink vcpu(int index) {
        return vcpus.apply(index);
      }

      @Override
      public ExitSink other() {
        return other;
      }

      @Override
      public void lost(int vcpu, long count) {
        onLoss.lost(vcpu, count);
      }
    };
  }

  /** The same sinks, which get events of some types only. */
  static Sinks only(Sinks sinks, Set<EventType> types) {
    return new Sinks() {
      @Override
      public ExitSink vcpu(int index) {
        return new FilteringSink(sinks.vcpu(index), types);
      }

      @Override
      public ExitSink other() {
        return new FilteringSink(sinks.other(), types);
      }

      @Override
      public void lost(int vcpu, long count) {
        sinks.lost(vcpu, count);
      }
    };
  }

  /** Counts what the kernel could not tell of a vCPU; by the thread that has its sink. */
  default void lost(int vcpu, long count) {}

  /** The stream of exits and injections of one vCPU; asked for once, used by its thread alone. */
  ExitSink vcpu(int index);

  /**
   * The stream of console bytes, translations and the end of the run; used under the device lock.
   */
  ExitSink other();
}
