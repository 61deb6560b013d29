package io.trapscope.vmm.hypervisor;

import io.trapscope.recorder.event.Counter;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.vmm.memory.GuestMemory;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * One machine: guest memory and vCPUs. Closing it frees the memory, after every vCPU thread has
 * left {@link Vcpu#run}.
 */
public interface Vm extends AutoCloseable {

  /** Guest-physical memory as the VMM and its devices see it. An access here is never an exit. */
  GuestMemory memory();

  /** The vCPUs, by index. */
  List<Vcpu> vcpus();

  /**
   * Handles an EPT violation on RAM: backs the page and maps it, so that the guest's next try
   * succeeds. Fills the exit's HVA, HPA, EPT page size and first-touch fields.
   *
   * @return false where no RAM lies at the exit's GPA
   */
  boolean resolveEptViolation(VmExit exit);

  /**
   * Sets who takes faults on RAM that do not come as exits: of a machine made with {@link
   * MemoryOptions#faults}. Null for nobody; they are resolved all the same.
   */
  default void onFault(FaultHandler handler) {}

  /**
   * Tells which pages of RAM the guest has written since the last call, and forgets it: of a
   * machine made with {@link MemoryOptions#dirty}.
   *
   * @param vcpu whose writes, where {@link #tellsWritersApart}: then called by its thread; any
   *     other machine tells those of all
   */
  default void dirtyPages(int vcpu, DirtyPages to) {}

  /** Whether {@link #dirtyPages} knows which vCPU has written. */
  default boolean tellsWritersApart() {
    return false;
  }

  /** The interrupt controllers that the host has for this machine; null where it has none. */
  default HostInterrupts interrupts() {
    return null;
  }

  /** Takes that no vCPU goes on. */
  interface Resting {
    /**
     * Nothing of the back end's own makes any of them go on.
     *
     * @param forGood whether an interrupt from outside could not either
     * @return what ends the run; null where it goes on
     */
    Runnable rest(boolean forGood);
  }

  /**
   * Sets what is called, by a thread of the back end and again and again, while every vCPU is
   * halted inside {@link Vcpu#run}, where HLT does not exit, and the back end has nothing to wake
   * one.
   */
  default void onRest(Resting action) {}

  /** How the machine was set up, for the trace's header: a text by its name. */
  default Map<String, String> notes() {
    return Map.of();
  }

  /**
   * How {@code gpa} is translated now. Not for the hot path. A page that is not mapped yet ends the
   * walk at the entry that says so, with {@code hpa} -1.
   */
  default NestedWalk walk(long gpa) {
    return new NestedWalk(gpa, "not visible on this back end", List.of(), 0, -1, -1);
  }

  /** The kinds of exit this machine hands to the loop: goes into the trace header. */
  Set<ExitReason> surfacedExits();

  /**
   * Kinds of exit a guest can cause here that do not reach the loop, each with the reason in one
   * clause.
   */
  Map<ExitReason, String> unseenExits();

  /**
   * The back end's own counters as they are now: of the VM, then of each vCPU. Empty where it keeps
   * none. Callable from any thread while the machine is open.
   */
  default List<Counter> counters() {
    return List.of();
  }

  /**
   * What the guest asked its processors for and did not get, a line each, for the end of a run: an
   * instruction that this back end lacks. Empty where all went well or the back end cannot know.
   */
  default List<String> anomalies() {
    return List.of();
  }

  @Override
  void close();
}
