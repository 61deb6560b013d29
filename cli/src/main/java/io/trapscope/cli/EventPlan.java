package io.trapscope.cli;

import io.trapscope.recorder.tracepoint.EventSelection;
import io.trapscope.vmm.perf.TracepointRing;

/**
 * Which events a recording gets.
 *
 * @param selection types and tracepoints
 * @param kernel whether KVM's tracepoints are recorded
 * @param bufferBytes size of a ring buffer for them
 * @param stacks most return addresses of the call stack at each exit, 0 for no stacks
 */
record EventPlan(
    EventSelection selection, KernelEvents.Wanted kernel, int bufferBytes, int stacks) {
  /** What is recorded unless options say otherwise. */
  static final EventPlan DEFAULT =
      new EventPlan(
          EventSelection.DEFAULT, KernelEvents.Wanted.AUTO, TracepointRing.DEFAULT_BYTES, 0);
}
