package io.trapscope.vmm.kvm;

import static java.util.Map.entry;

import io.trapscope.recorder.event.ExitReason;
import io.trapscope.vmm.hypervisor.IrqChip;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;

/**
 * Which kinds of exit KVM hands to user space, and why the others are not among them.
 *
 * @param paravirtual whether guests run without the processor's help
 * @param msrsExit whether accesses to MSRs come to user space
 * @param hypercallsExit whether those do that KVM leaves to the VMM
 * @param faults whether faults on guest memory are watched
 * @param rings whether writes are tracked by rings, which can be full
 * @param irqchip where the interrupt controllers are
 */
record KvmExits(
    boolean paravirtual,
    boolean msrsExit,
    boolean hypercallsExit,
    boolean faults,
    boolean rings,
    IrqChip irqchip) {
  private static final Set<ExitReason> SURFACED =
      EnumSet.of(
          ExitReason.IO_INSTRUCTION,
          ExitReason.MMIO,
          ExitReason.HLT,
          ExitReason.TRIPLE_FAULT,
          ExitReason.INTERRUPT_WINDOW,
          ExitReason.PREEMPTION_TIMER,
          ExitReason.INTERRUPTED,
          ExitReason.INTERNAL_ERROR,
          ExitReason.ENTRY_FAILED,
          ExitReason.ENTRY_FAILURE_GUEST_STATE,
          ExitReason.ENTRY_FAILURE_MSR_LOADING,
          ExitReason.ENTRY_FAILURE_MACHINE_CHECK,
          ExitReason.SYSTEM_EVENT,
          ExitReason.UNKNOWN);

  private static final Map<ExitReason, String> IN_KERNEL =
      Map.ofEntries(
          entry(ExitReason.EXCEPTION_OR_NMI, "KVM reflects exceptions to the guest itself"),
          entry(ExitReason.EXTERNAL_INTERRUPT, "the host kernel takes its own interrupts"),
          entry(ExitReason.CPUID, "KVM answers CPUID from the table it was given"),
          entry(ExitReason.CR_ACCESS, "KVM handles control registers itself"),
          entry(ExitReason.MOV_DR, "KVM handles debug registers itself"),
          entry(
              ExitReason.EPT_VIOLATION,
              "KVM backs guest memory itself; --faults uffd shows first touches"),
          entry(
              ExitReason.EPT_MISCONFIGURATION,
              "accesses outside RAM arrive as MMIO, whichever way KVM caught them"),
          entry(ExitReason.INVLPG, "KVM handles it itself"),
          entry(ExitReason.WBINVD, "KVM handles it itself"),
          entry(ExitReason.XSETBV, "KVM handles it itself"),
          entry(ExitReason.PAUSE, "KVM yields the host CPU itself"),
          entry(ExitReason.RDPMC, "KVM handles it itself"),
          entry(ExitReason.TASK_SWITCH, "KVM emulates it"),
          entry(ExitReason.GDTR_IDTR_ACCESS, "KVM does not ask for this exit or emulates it"),
          entry(ExitReason.LDTR_TR_ACCESS, "KVM does not ask for this exit or emulates it"),
          entry(ExitReason.NMI_WINDOW, "KVM holds a pending NMI back itself"));

  /** What comes to user space. */
  Set<ExitReason> surfaced() {
    Set<ExitReason> surfaced = EnumSet.copyOf(SURFACED);
    if (msrsExit) {
      surfaced.add(ExitReason.RDMSR);
      surfaced.add(ExitReason.WRMSR);
    }
    if (faults) {
      surfaced.add(ExitReason.EPT_VIOLATION);
    }
    if (rings) {
      surfaced.add(ExitReason.PML_FULL);
    }
    if (irqchip == IrqChip.SPLIT) {
      surfaced.add(ExitReason.VIRTUALIZED_EOI);
    }
    surfaced.removeAll(byInterrupts().keySet());
    return surfaced;
  }

  /** What does not, each with the reason in one clause. */
  Map<ExitReason, String> unseen() {
    Map<ExitReason, String> unseen = new EnumMap<>(IN_KERNEL);
    unseen.put(
        ExitReason.VMCALL,
        paravirtual
            ? "this KVM (kvm_pvm) never returns from a VMCALL of the guest's kernel"
            : hypercallsExit
                ? "KVM answers hypercalls itself, but for those that change how memory is shared"
                : "KVM answers hypercalls itself");
    if (faults) {
      unseen.remove(ExitReason.EPT_VIOLATION);
    }
    unseen.putAll(byInterrupts());
    if (!msrsExit) {
      String reason = "this KVM lacks KVM_CAP_X86_USER_SPACE_MSR and its filter";
      unseen.put(ExitReason.RDMSR, reason);
      unseen.put(ExitReason.WRMSR, reason);
    }
    return unseen;
  }

  /** What KVM's own interrupt controllers keep from user space. */
  private Map<ExitReason, String> byInterrupts() {
    Map<ExitReason, String> kept = new EnumMap<>(ExitReason.class);
    if (irqchip != IrqChip.USER) {
      kept.put(
          ExitReason.HLT,
          "KVM's own local APICs wake the vCPU, so only the HLT that ends a run is seen; --irqchip"
              + " user shows each");
    }
    if (irqchip == IrqChip.KERNEL) {
      kept.put(ExitReason.INTERRUPT_WINDOW, "KVM injects interrupts itself");
    }
    return kept;
  }
}
