package io.trapscope.recorder.tracepoint;

import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.MmuAction;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * The tracepoints of KVM that become events of their own or parts of an exit, with the fields that
 * are read (arch/x86/kvm/trace.h, virt/kvm and include/trace/events/kvm.h, arch/x86/kvm/mmu/
 * mmutrace.h). Which of the fields there are depends on the kernel; {@code irq|vector} is a field
 * that was renamed.
 */
public enum KvmTracepoint {
  EXIT(
      Group.EXITS,
      "kvm_exit",
      types(EventType.EXIT),
      "exit_reason",
      "guest_rip",
      "isa",
      "info1",
      "info2",
      "intr_info",
      "error_code",
      "vcpu_id",
      "requests"),
  ENTRY(Group.EXITS, "kvm_entry", types(), "vcpu_id", "rip"),
  USERSPACE_EXIT(Group.EXITS, "kvm_userspace_exit", types(EventType.EXIT), "reason", "errno"),
  PIO(Group.EXITS, "kvm_pio", types(EventType.PIO), "rw", "port", "size", "count", "val"),
  MMIO(Group.EXITS, "kvm_mmio", types(EventType.MMIO), "type", "len", "gpa", "val"),
  FAST_MMIO(Group.EXITS, "kvm_fast_mmio", types(EventType.MMIO), "gpa"),
  MSR(Group.EXITS, "kvm_msr", types(EventType.MSR), "write", "ecx", "data", "exception"),
  CPUID(
      Group.EXITS,
      "kvm_cpuid",
      types(EventType.CPUID),
      "function",
      "index",
      "rax",
      "rbx",
      "rcx",
      "rdx"),
  HYPERCALL(Group.EXITS, "kvm_hypercall", types(EventType.HYPERCALL), "nr", "a0", "a1", "a2", "a3"),
  PAGE_FAULT(
      Group.EXITS,
      "kvm_page_fault",
      types(EventType.EPT_FAULT),
      "fault_address",
      "error_code",
      "guest_rip"),
  CR(Group.EXITS, "kvm_cr", types(EventType.CR_ACCESS), "rw", "cr", "val"),

  INJ_VIRQ(
      Group.INTERRUPTS,
      "kvm_inj_virq",
      types(EventType.INJECTION),
      "irq|vector",
      "soft",
      "reinjected"),
  INJ_EXCEPTION(
      Group.INTERRUPTS,
      "kvm_inj_exception",
      types(EventType.INJECTION),
      "exception",
      "has_error",
      "error_code",
      "reinjected"),
  SET_IRQ(
      Group.INTERRUPTS, "kvm_set_irq", types(EventType.IRQ_LINE), "gsi", "level", "irq_source_id"),
  EOI(Group.INTERRUPTS, "kvm_eoi", types(EventType.EOI), "apicid", "vector"),
  APIC(Group.INTERRUPTS, "kvm_apic", types(EventType.APIC_ACCESS), "rw", "reg", "val"),

  HALT_POLL(Group.HALT, "kvm_halt_poll_ns", types(EventType.HALT_POLL), "new", "old"),
  WAKEUP(Group.HALT, "kvm_vcpu_wakeup", types(EventType.WAKEUP), "ns", "waited"),

  SET_SPTE("kvm_mmu_set_spte", MmuAction.SET_ENTRY),
  SPTE_REQUESTED("kvm_mmu_spte_requested", MmuAction.MAP),
  SPTE_CHANGED("kvm_tdp_mmu_spte_changed", MmuAction.CHANGE_ENTRY),
  FAST_PAGE_FAULT("fast_page_fault", MmuAction.FAST_FAULT),
  MMIO_PAGE_FAULT("handle_mmio_page_fault", MmuAction.MMIO_FAULT),
  MARK_MMIO("mark_mmio_spte", MmuAction.MARK_MMIO),
  SPLIT("kvm_mmu_split_huge_page", MmuAction.SPLIT),
  GET_TABLE("kvm_mmu_get_page", MmuAction.GET_TABLE),
  ZAP_TABLE("kvm_mmu_prepare_zap_page", MmuAction.ZAP_TABLE),

  EMULATE(
      Group.EMULATION,
      "kvm_emulate_insn",
      types(EventType.EMULATION),
      "rip",
      "csbase",
      "len",
      "insn",
      "flags",
      "failed");

  /** Tracepoints that are asked for together. */
  public enum Group {
    /** Exits and what they were for. */
    EXITS,
    /** Injections and interrupt controllers. */
    INTERRUPTS,
    /** Halted vCPUs. */
    HALT,
    /** KVM's page tables. */
    MMU,
    /** Instructions that KVM interprets: one record each, millions a second on some hosts. */
    EMULATION;

    /** Name in options. */
    public String title() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** Those that are recorded unless others are named: all but each interpreted instruction. */
  public static final Set<KvmTracepoint> DEFAULT =
      Set.copyOf(EnumSet.complementOf(EnumSet.of(EMULATE)));

  private final Group group;
  private final String title;
  private final Set<EventType> yields;
  private final MmuAction action;
  private final List<String> fields;

  KvmTracepoint(Group group, String title, Set<EventType> yields, String... fields) {
    this(group, title, yields, null, fields);
  }

  /** Those of the MMU have fields in common; which of them a tracepoint has, its format says. */
  KvmTracepoint(String title, MmuAction action) {
    this(
        Group.MMU,
        title,
        types(EventType.MMU),
        action,
        "gfn",
        "cr2_or_gpa",
        "level",
        "role",
        "pfn",
        "old_spte",
        "spte|new_spte",
        "error_code",
        "ret|errno|created");
  }

  KvmTracepoint(
      Group group, String title, Set<EventType> yields, MmuAction action, String... fields) {
    this.group = group;
    this.title = title;
    this.yields = yields;
    this.action = action;
    this.fields = List.of(fields);
  }

  private static Set<EventType> types(EventType... types) {
    return Set.of(types);
  }

  /** The tracepoints it is asked for with. */
  public Group group() {
    return group;
  }

  /** The kernel's name, without the system. */
  public String title() {
    return title;
  }

  /** The kernel's name of the folder it is in. */
  public String system() {
    return group == Group.MMU ? "kvmmmu" : "kvm";
  }

  /** Types of events that come of it alone; an exit's type may be any other, too. */
  public Set<EventType> yields() {
    return yields;
  }

  /** What KVM's MMU did; null for tracepoints that are not of the MMU. */
  MmuAction action() {
    return action;
  }

  /** The fields that are read, in the order of their numbers for {@link Tracepoint#get}. */
  List<String> fields() {
    return fields;
  }

  /** The tracepoint that the kernel calls so, with or without the system; null for none. */
  public static KvmTracepoint named(String name) {
    String plain = name.substring(name.indexOf(':') + 1);
    return Arrays.stream(values())
        .filter(tracepoint -> tracepoint.title.equals(plain))
        .findFirst()
        .orElse(null);
  }
}
