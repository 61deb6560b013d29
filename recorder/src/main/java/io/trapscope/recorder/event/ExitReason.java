package io.trapscope.recorder.event;

/**
 * Why a guest left guest mode.
 *
 * <p>Codes below 128 are the basic exit reasons of the Intel SDM, volume 3, appendix C ("VMX Basic
 * Exit Reasons"), with its names. Codes from 128 on are exits that have no number in the SDM: from
 * 128 those that exist only between KVM and user space, from 140 those that only AMD's processors
 * have (APM volume 2, appendix C). What both vendors have goes by the SDM's name. Codes are one
 * unsigned byte in a trace and are never reused.
 */
public enum ExitReason {
  EXCEPTION_OR_NMI(0, "Exception or NMI"),
  EXTERNAL_INTERRUPT(1, "External interrupt"),
  TRIPLE_FAULT(2, "Triple fault"),
  INIT_SIGNAL(3, "INIT signal"),
  SIPI(4, "Start-up IPI"),
  IO_SMI(5, "I/O SMI"),
  OTHER_SMI(6, "Other SMI"),
  INTERRUPT_WINDOW(7, "Interrupt window"),
  NMI_WINDOW(8, "NMI window"),
  TASK_SWITCH(9, "Task switch"),
  CPUID(10, "CPUID"),
  GETSEC(11, "GETSEC"),
  HLT(12, "HLT"),
  INVD(13, "INVD"),
  INVLPG(14, "INVLPG"),
  RDPMC(15, "RDPMC"),
  RDTSC(16, "RDTSC"),
  RSM(17, "RSM"),
  VMCALL(18, "VMCALL"),
  VMCLEAR(19, "VMCLEAR"),
  VMLAUNCH(20, "VMLAUNCH"),
  VMPTRLD(21, "VMPTRLD"),
  VMPTRST(22, "VMPTRST"),
  VMREAD(23, "VMREAD"),
  VMRESUME(24, "VMRESUME"),
  VMWRITE(25, "VMWRITE"),
  VMXOFF(26, "VMXOFF"),
  VMXON(27, "VMXON"),
  CR_ACCESS(28, "Control-register accesses"),
  MOV_DR(29, "MOV DR"),
  IO_INSTRUCTION(30, "I/O instruction"),
  RDMSR(31, "RDMSR"),
  WRMSR(32, "WRMSR"),
  ENTRY_FAILURE_GUEST_STATE(33, "VM-entry failure due to invalid guest state"),
  ENTRY_FAILURE_MSR_LOADING(34, "VM-entry failure due to MSR loading"),
  MWAIT(36, "MWAIT"),
  MONITOR_TRAP_FLAG(37, "Monitor trap flag"),
  MONITOR(39, "MONITOR"),
  PAUSE(40, "PAUSE"),
  ENTRY_FAILURE_MACHINE_CHECK(41, "VM-entry failure due to machine-check event"),
  TPR_BELOW_THRESHOLD(43, "TPR below threshold"),
  APIC_ACCESS(44, "APIC access"),
  VIRTUALIZED_EOI(45, "Virtualized EOI"),
  GDTR_IDTR_ACCESS(46, "Access to GDTR or IDTR"),
  LDTR_TR_ACCESS(47, "Access to LDTR or TR"),
  EPT_VIOLATION(48, "EPT violation"),
  EPT_MISCONFIGURATION(49, "EPT misconfiguration"),
  INVEPT(50, "INVEPT"),
  RDTSCP(51, "RDTSCP"),
  PREEMPTION_TIMER(52, "VMX-preemption timer expired"),
  INVVPID(53, "INVVPID"),
  WBINVD(54, "WBINVD or WBNOINVD"),
  XSETBV(55, "XSETBV"),
  APIC_WRITE(56, "APIC write"),
  RDRAND(57, "RDRAND"),
  INVPCID(58, "INVPCID"),
  VMFUNC(59, "VMFUNC"),
  ENCLS(60, "ENCLS"),
  RDSEED(61, "RDSEED"),
  PML_FULL(62, "Page-modification log full"),
  XSAVES(63, "XSAVES"),
  XRSTORS(64, "XRSTORS"),
  PCONFIG(65, "PCONFIG"),
  SPP(66, "SPP-related event"),
  UMWAIT(67, "UMWAIT"),
  TPAUSE(68, "TPAUSE"),
  LOADIWKEY(69, "LOADIWKEY"),
  ENCLV(70, "ENCLV"),
  ENQCMD_PASID(72, "ENQCMD PASID translation failure"),
  ENQCMDS_PASID(73, "ENQCMDS PASID translation failure"),
  BUS_LOCK(74, "Bus lock"),
  INSTRUCTION_TIMEOUT(75, "Instruction timeout"),
  SEAMCALL(76, "SEAMCALL"),
  TDCALL(77, "TDCALL"),
  RDMSRLIST(78, "RDMSRLIST"),
  WRMSRLIST(79, "WRMSRLIST"),
  RDMSR_IMMEDIATE(84, "RDMSR with an immediate operand"),
  WRMSR_IMMEDIATE(85, "WRMSRNS with an immediate operand"),

  /**
   * A signal or a request of the VMM's own ended the run; the guest did nothing to cause it
   * (KVM_EXIT_INTR, EINTR).
   */
  INTERRUPTED(128, "Interrupted by the VMM"),
  /**
   * The hypervisor could not go on, for one because it cannot emulate an instruction
   * (KVM_EXIT_INTERNAL_ERROR).
   */
  INTERNAL_ERROR(129, "Internal error"),
  /**
   * The processor refused the entry for a reason with no basic exit reason of its own
   * (KVM_EXIT_FAIL_ENTRY).
   */
  ENTRY_FAILED(130, "VM-entry failed"),
  /** The guest asked for shutdown, reset or crash handling (KVM_EXIT_SYSTEM_EVENT). */
  SYSTEM_EVENT(131, "System event"),
  /**
   * A memory-mapped access that KVM handed to user space; on VT-x its cause was 48 or 49, and KVM
   * does not say which.
   */
  MMIO(132, "Memory-mapped I/O"),

  VMRUN(140, "VMRUN"),
  VMLOAD(141, "VMLOAD"),
  VMSAVE(142, "VMSAVE"),
  STGI(143, "STGI"),
  CLGI(144, "CLGI"),
  SKINIT(145, "SKINIT"),
  INVLPGA(146, "INVLPGA"),
  PUSHF(147, "PUSHF"),
  POPF(148, "POPF"),
  IRET(149, "IRET"),
  SOFTWARE_INTERRUPT(150, "INTn"),
  FERR_FREEZE(151, "FERR freeze"),
  ICEBP(152, "ICEBP"),
  EFER_WRITE(153, "Write of EFER"),
  RDPRU(154, "RDPRU"),
  INVLPGB(155, "INVLPGB"),
  MCOMMIT(156, "MCOMMIT"),
  TLBSYNC(157, "TLBSYNC"),
  AVIC_INCOMPLETE_IPI(158, "AVIC incomplete IPI"),
  AVIC_UNACCELERATED_ACCESS(159, "AVIC access that is not accelerated"),
  VMGEXIT(160, "VMGEXIT"),

  /** An exit this version has no name for; the event's own code field tells which. */
  UNKNOWN(255, "Unknown");

  private static final ExitReason[] BY_CODE = new ExitReason[256];

  static {
    for (ExitReason reason : values()) {
      BY_CODE[reason.code] = reason;
    }
  }

  private final int code;
  private final String title;

  ExitReason(int code, String title) {
    this.code = code;
    this.title = title;
  }

  /** The code in a trace, 0 to 255; below 128 the SDM's basic exit reason. */
  public int code() {
    return code;
  }

  /** The SDM's name where it has one. */
  public String title() {
    return title;
  }

  /** Whether the code is a basic exit reason of the SDM. */
  public boolean isArchitectural() {
    return code < 128;
  }

  /** The reason with this code, or {@link #UNKNOWN} where no constant has it. */
  public static ExitReason of(int code) {
    ExitReason reason = code >= 0 && code < BY_CODE.length ? BY_CODE[code] : null;
    return reason == null ? UNKNOWN : reason;
  }
}
