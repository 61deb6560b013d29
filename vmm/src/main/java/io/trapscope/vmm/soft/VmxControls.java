package io.trapscope.vmm.soft;

import io.trapscope.recorder.event.ExitReason;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;

/**
 * The VMX controls (SDM volume 3, chapter 25) that {@code soft} models. What is not an argument is
 * fixed:
 *
 * <ul>
 *   <li>unconditional: CPUID, VMCALL, HLT, IN, OUT, INS, OUTS, triple fault, EPT violation, and
 *       accesses to guest-physical addresses without RAM, which are EPT misconfigurations as in KVM
 *   <li>MOV to CR0, CR4 and CR8, CLTS and LMSW exit; other control-register accesses do not
 *   <li>RDMSR and WRMSR exit but for FS_BASE, GS_BASE, KERNEL_GS_BASE, TSC_AUX and reads of TSC
 *   <li>RDTSC, RDTSCP, INVLPG, MOV DR, PAUSE, WBINVD and INVD do not exit
 *   <li>the VMX-preemption timer is the vCPU's deadline and exact to the instruction;
 *       interrupt-window exiting is on while asked for
 * </ul>
 *
 * @param exceptionBitmap a bit for each vector that exits before it is delivered
 * @param generateCode whether hot code may be compiled; no VMX control, and without influence on
 *     what the guest or the VMM sees
 */
public record VmxControls(int exceptionBitmap, boolean generateCode) {

  public VmxControls(int exceptionBitmap) {
    this(exceptionBitmap, true);
  }

  /** Every exception exits. */
  public static final VmxControls DEFAULT = new VmxControls(-1);

  /** The exit reasons that can occur. */
  public Set<ExitReason> exits() {
    Set<ExitReason> all =
        EnumSet.of(
            ExitReason.TRIPLE_FAULT,
            ExitReason.INTERRUPT_WINDOW,
            ExitReason.CPUID,
            ExitReason.HLT,
            ExitReason.VMCALL,
            ExitReason.CR_ACCESS,
            ExitReason.IO_INSTRUCTION,
            ExitReason.RDMSR,
            ExitReason.WRMSR,
            ExitReason.EPT_VIOLATION,
            ExitReason.EPT_MISCONFIGURATION,
            ExitReason.PREEMPTION_TIMER,
            ExitReason.INTERRUPTED,
            ExitReason.INTERNAL_ERROR);
    if (exceptionBitmap != 0) {
      all.add(ExitReason.EXCEPTION_OR_NMI);
    }
    return all;
  }

  /** What a guest can do that would exit with other controls, and why it does not here. */
  public Map<ExitReason, String> unseen() {
    Map<ExitReason, String> all = new EnumMap<>(ExitReason.class);
    all.put(ExitReason.EXTERNAL_INTERRUPT, "interrupts come from the modelled devices only");
    all.put(ExitReason.TASK_SWITCH, "hardware task switches are not implemented");
    all.put(ExitReason.INVLPG, "INVLPG exiting is off");
    all.put(ExitReason.RDTSC, "RDTSC exiting is off");
    all.put(ExitReason.RDTSCP, "RDTSC exiting is off");
    all.put(ExitReason.MOV_DR, "MOV-DR exiting is off");
    all.put(ExitReason.PAUSE, "PAUSE exiting is off");
    all.put(ExitReason.INVD, "there is no cache to invalidate");
    all.put(ExitReason.WBINVD, "WBINVD exiting is off");
    all.put(ExitReason.GDTR_IDTR_ACCESS, "descriptor-table exiting is off");
    all.put(ExitReason.LDTR_TR_ACCESS, "descriptor-table exiting is off");
    if (exceptionBitmap == 0) {
      all.put(ExitReason.EXCEPTION_OR_NMI, "the exception bitmap is empty");
    }
    return all;
  }
}
