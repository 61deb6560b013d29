package io.trapscope.cli;

import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.trace.TraceHeader;
import io.trapscope.recorder.tracepoint.EventSelection;
import io.trapscope.recorder.tracepoint.KvmTracepoint;
import io.trapscope.vmm.guests.HostKind;
import io.trapscope.vmm.hypervisor.HypervisorException;
import io.trapscope.vmm.perf.KernelTracing;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Whether the kernel's tracepoints are recorded, and what that makes visible.
 *
 * @param tracing the tracepoints; null for none
 * @param why one clause: which ones, or why none
 */
record KernelEvents(KernelTracing tracing, String why) implements AutoCloseable {
  /** From here on exit reasons are AMD's own. */
  private static final int FIRST_SVM = ExitReason.VMRUN.code();

  /** What KVM hands to user space, by whose exit code it is known. */
  private static final Set<ExitReason> USER_EXITS =
      EnumSet.of(
          ExitReason.IO_INSTRUCTION,
          ExitReason.MMIO,
          ExitReason.HLT,
          ExitReason.TRIPLE_FAULT,
          ExitReason.INTERRUPT_WINDOW,
          ExitReason.INTERRUPTED,
          ExitReason.INTERNAL_ERROR,
          ExitReason.SYSTEM_EVENT);

  private static final String NOTE = "kernel_events";
  private static final String NONE = "none: ";

  /** Where tracepoints are needed, and options have left none. */
  static final String NONE_LEFT = "--events and --exclude leave none of KVM's tracepoints";

  private static final String NOT_SELECTED = "not selected (--events, --exclude)";

  /** Whether they are asked for. */
  enum Wanted {
    /** Where the host lets us. */
    AUTO,
    YES,
    NO
  }

  /**
   * Prepares what was asked for.
   *
   * @throws HypervisorException where it must be and the host does not let us
   */
  static KernelEvents choose(Wanted wanted, HostKind host, EventSelection selection, int buffer) {
    if (wanted == Wanted.NO) {
      return none("not asked for");
    }
    if (host == HostKind.SOFT) {
      if (wanted == Wanted.YES) {
        throw UserError.badInput("--kernel-events goes with --accel kvm");
      }
      return none("the guest does not run on KVM");
    }
    if (selection.hasNoTracepoints()) {
      if (wanted == Wanted.YES) {
        throw UserError.badInput("--kernel-events yes: " + NONE_LEFT);
      }
      return none(NOT_SELECTED);
    }
    try {
      KernelTracing tracing = prepare(selection, buffer);
      return of(tracing);
    } catch (HypervisorException e) {
      if (wanted == Wanted.YES) {
        throw e;
      }
      return none(e.getMessage());
    }
  }

  /**
   * The tracepoints that are selected.
   *
   * @throws HypervisorException where the host does not let us
   * @throws UserError where this kernel lacks one that was named
   */
  static KernelTracing prepare(EventSelection selection, int buffer) {
    return UserError.of(
        "--events",
        () -> KernelTracing.prepare(selection.tracepoints(), selection.others(), buffer));
  }

  /** Those that are read, and in words which. */
  static KernelEvents of(KernelTracing tracing) {
    String absent =
        tracing.absent().isEmpty()
            ? ""
            : "; not in this kernel: " + String.join(", ", tracing.absent());
    return new KernelEvents(tracing, String.join(", ", tracing.names()) + absent);
  }

  private static KernelEvents none(String why) {
    return new KernelEvents(null, NONE + why);
  }

  /**
   * Why the host does not let us record them though they were not declined, and what would allow
   * it; empty where it does.
   */
  static Optional<String> refusal(TraceHeader header, EventPlan plan) {
    String why = header.notes().getOrDefault(NOTE, "");
    boolean declined = plan.kernel() == Wanted.NO || why.equals(NONE + NOT_SELECTED);
    return why.startsWith(NONE) && !declined ? Optional.of(why) : Optional.empty();
  }

  /** States in the header what is recorded and what cannot be. */
  void describe(
      TraceHeader.Builder header,
      HostKind host,
      EventSelection selection,
      Set<ExitReason> surfaced,
      Map<ExitReason, String> unseen) {
    Set<ExitReason> seen = EnumSet.copyOf(surfaced);
    Map<ExitReason, String> missing = new EnumMap<>(ExitReason.class);
    missing.putAll(unseen);
    List<ExitReason> told = unseen.keySet().stream().filter(why -> tells(host, why)).toList();
    seen.addAll(told);
    missing.keySet().removeAll(told);
    for (ExitReason reason : ExitReason.values()) {
      if (seen.contains(reason) && !selection.types().contains(EventType.of(reason))) {
        seen.remove(reason);
        missing.put(reason, NOT_SELECTED);
      }
    }
    header.surfaced(seen).unseen(missing);
    if (host == HostKind.SOFT) {
      return;
    }
    header.note(NOTE, why);
    if (tracing != null) {
      header.note(
          "kernel_time",
          host == HostKind.KVM && tracing.has(KvmTracepoint.EXIT)
              ? "from kvm_exit until KVM_RUN has returned, or until kvm_entry for an exit that KVM"
                  + " handles itself; the time a vCPU is halted, and the time in which the VMM"
                  + " resolves its fault, left out"
              : "from the first record that tells of the exit until KVM_RUN has returned");
    }
  }

  /** The same for guests of another VMM, of which nothing is seen but tracepoints. */
  void describeAttached(TraceHeader.Builder header, HostKind host, EventSelection selection) {
    boolean all = host == HostKind.KVM && tracing.has(KvmTracepoint.EXIT);
    Set<ExitReason> seen = EnumSet.noneOf(ExitReason.class);
    Map<ExitReason, String> missing = new EnumMap<>(ExitReason.class);
    for (ExitReason reason : ExitReason.values()) {
      EventType type = EventType.of(reason);
      boolean toUser = USER_EXITS.contains(reason) && tracing.has(KvmTracepoint.USERSPACE_EXIT);
      if (!selection.types().contains(type)) {
        missing.put(reason, NOT_SELECTED);
      } else if (all || toUser || type != EventType.EXIT && selectionTells(type)) {
        seen.add(reason);
      } else if (reason.code() < FIRST_SVM) {
        missing.put(
            reason,
            host == HostKind.KVM
                ? "kvm_exit is not recorded"
                : "this KVM (kvm_pvm) does not tell of exits that it handles itself");
      }
    }
    header.surfaced(seen).unseen(missing).note(NOTE, why);
    header.note(
        "kernel_time",
        all
            ? "from kvm_exit until kvm_userspace_exit, or until kvm_entry for an exit that KVM"
                + " handles itself; the time a vCPU is halted left out"
            : "from the first record that tells of the exit until kvm_userspace_exit");
    header.note(
        "user_time",
        "from kvm_userspace_exit until kvm_entry, or until KVM tells the value that was read");
  }

  /** Whether the tracepoints show exits for this reason, which do not come to user space. */
  private boolean tells(HostKind host, ExitReason reason) {
    if (tracing == null) {
      return false;
    }
    if (host == HostKind.KVM && tracing.has(KvmTracepoint.EXIT)) {
      return true;
    }
    EventType type = EventType.of(reason);
    boolean always = type == EventType.CPUID || type == EventType.MSR;
    return type != EventType.EXIT && (always || host == HostKind.KVM) && selectionTells(type);
  }

  private boolean selectionTells(EventType type) {
    for (KvmTracepoint point : KvmTracepoint.values()) {
      if (point.yields().contains(type) && tracing.has(point)) {
        return true;
      }
    }
    return false;
  }

  @Override
  public void close() {
    if (tracing != null) {
      tracing.close();
    }
  }
}
