package io.trapscope.recorder.event;

import static io.trapscope.recorder.event.Field.*;
import static java.util.Map.entry;

import java.util.EnumMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Every kind of event: the rows of the schema table whose columns are {@link Field}. Layout,
 * writer, reader, dump, Arrow columns and the event reference come from these two enums alone.
 *
 * <p>Ids are append-only, 1 to 255. An event type grows only by fields added at the end of its
 * list; a reader of an older version skips them by the record's length, a newer one finds them "not
 * captured" in older traces.
 */
public enum EventType {
  PIO(
      1,
      "Port I/O",
      "One I/O exit. String I/O of more than one item keeps them all in data, in guest order.",
      DIRECTION,
      SIZE,
      PORT,
      COUNT,
      VALUE,
      DATA),
  MMIO(
      2,
      "Memory-mapped I/O",
      "One access to guest-physical memory that a device answers.",
      DIRECTION,
      SIZE,
      GPA,
      GVA,
      VALUE),
  CPUID(3, "CPUID", "CPUID and what it answered.", LEAF, SUBLEAF, EAX, EBX, ECX, EDX),
  MSR(4, "MSR", "RDMSR or WRMSR; the value is EDX:EAX.", DIRECTION, FAULT, Field.MSR, VALUE),
  HYPERCALL(
      5,
      "Hypercall",
      "VMCALL with its registers.",
      Field.HYPERCALL,
      ARG0,
      ARG1,
      ARG2,
      ARG3,
      ARG4,
      ARG5,
      RESULT),
  HLT(6, "Halt", "HLT; idle time is not part of any stage.", IDLE_TIME),
  EPT_FAULT(
      7,
      "EPT fault",
      "EPT violation on RAM, resolved by backing or mapping the page.",
      GUEST_PAGE,
      EPT_PAGE,
      FIRST_TOUCH,
      REGION,
      GPA,
      GVA,
      HVA,
      HPA,
      QUALIFICATION,
      ACCESS),
  CR_ACCESS(
      8,
      "Control register",
      "MOV to or from CR, CLTS, LMSW.",
      CONTROL_REGISTER,
      QUALIFICATION,
      VALUE),
  EXCEPTION(9, "Exception", "Exception or NMI that exits.", VECTOR, ERROR_CODE, FAULT_ADDRESS),
  EXIT(
      10,
      "Exit",
      "Any other exit. detail is the sub-code of an internal error, failed entry or system event;"
          + " data the bytes of the instruction that could not be emulated.",
      DATA,
      QUALIFICATION,
      DETAIL,
      GPA),
  INJECTION(
      11,
      "Injection",
      "An interrupt or exception that the VMM injects at the next entry.",
      INTERRUPTION_TYPE,
      VECTOR,
      ERROR_CODE),
  END(
      12,
      "End of run",
      "How the run ended; detail is the debug-exit value, data a text for the user.",
      Field.END,
      DATA,
      DETAIL),
  CONSOLE_OUTPUT(13, "Console output", "data is what the guest wrote.", CHANNEL, DATA),
  CONSOLE_INPUT(
      14,
      "Console input",
      "data is what the guest was given, at this instruction and guest clock.",
      CHANNEL,
      DATA,
      GUEST_CLOCK),
  INPUT(
      15,
      "Input",
      "Something the guest could not compute, at this instruction; replay gives it again.",
      SOURCE,
      DATA,
      VALUE),
  MARK(16, "Mark", "A point in the run that has a name: data is the name.", DATA, DETAIL),
  GAP(17, "Gap", "Events are missing from a stream.", CAUSE, STREAM, FIRST_LOST, LOST),
  TRANSLATION(
      18,
      "Translation",
      "An address translated on request. data holds guest_levels then ept_levels steps, each the"
          + " table entry's address and the entry, 64 bits each; value is what lies at the end.",
      GUEST_LEVELS,
      EPT_LEVELS,
      GUEST_PAGE,
      EPT_PAGE,
      DATA,
      GVA,
      GPA,
      HVA,
      HPA,
      VALUE),
  IRQ_LINE(
      19,
      2,
      "Interrupt line",
      "A line of KVM's interrupt controllers is set (kvm_set_irq).",
      GSI,
      LEVEL,
      IRQ_SOURCE),
  EOI(20, 2, "End of interrupt", "The guest ended an interrupt (kvm_eoi).", VECTOR, APIC_ID),
  APIC_ACCESS(
      21,
      2,
      "Local APIC",
      "An access to the local APIC that KVM handled (kvm_apic).",
      DIRECTION,
      APIC_REGISTER,
      VALUE),
  HALT_POLL(
      22,
      2,
      "Halt polling",
      "KVM changed how long it polls when a vCPU halts (kvm_halt_poll_ns).",
      POLL_TIME,
      OLD_POLL_TIME),
  WAKEUP(23, 2, "Wake-up", "A halted vCPU goes on (kvm_vcpu_wakeup).", WAITED, WAIT_TIME),
  MMU(
      24,
      2,
      "Mapping",
      "KVM's MMU changed what the guest's memory maps to, or answered a fault without it.",
      MMU_ACTION,
      EPT_LEVEL,
      OUTCOME,
      GPA,
      HPA,
      OLD_ENTRY,
      NEW_ENTRY,
      ERROR_CODE),
  EMULATION(
      25,
      2,
      "Emulation",
      "One instruction that software carried out: KVM (kvm_emulate_insn), or the software processor"
          + " where KVM gave up. data holds the instruction's bytes.",
      EMULATOR,
      FAILED,
      CODE_BASE,
      DATA),
  DIRTY(
      26,
      2,
      "Dirty memory",
      "Pages that were written since the last look at KVM's dirty log or ring.",
      REGION,
      GPA,
      PAGES),
  TRACEPOINT(
      27,
      2,
      "Tracepoint",
      "Any other tracepoint that was asked for; data is its name and its fields as text.",
      DATA),
  STACK(
      28,
      3,
      "Call stack",
      "Where the guest's code was called from at the exit before it, whose time, RIP and stages it"
          + " repeats; detail is that exit's reason. data holds return addresses, 64 bits each,"
          + " innermost first, as far as frame pointers lead; none where the guest keeps none.",
      DATA,
      DETAIL);

  /**
   * Fields that every event has, in the order in which they lie in a record. Fixed for ever; a new
   * one would have to be appended to each type.
   */
  public static final List<Field> COMMON =
      List.of(
          SEQUENCE,
          VCPU,
          GUEST_TIME,
          RIP,
          TIME,
          INSTRUCTIONS,
          LOOP_TIME,
          DISPATCH_TIME,
          DEVICE_TIME,
          REASON,
          KVM_EXIT,
          MODE,
          CPL);

  /**
   * Fields that every exit got in schema version 2, after its own: what the kernel tells. The more
   * often one is captured, the further to the front.
   */
  public static final List<Field> KERNEL_STAGE =
      List.of(
          KERNEL_TIME,
          EXIT_CODE,
          ISA,
          EXIT_INFO1,
          ENTRY_TIME,
          USER_TIME,
          INTR_INFO,
          VECTORING_INFO,
          ERROR_CODE,
          EXIT_INFO2,
          REQUESTS);

  /** Reasons that have a type of event of their own. */
  private static final Map<ExitReason, EventType> OF_REASON =
      Map.ofEntries(
          entry(ExitReason.IO_INSTRUCTION, PIO),
          entry(ExitReason.MMIO, MMIO),
          entry(ExitReason.EPT_MISCONFIGURATION, MMIO),
          entry(ExitReason.CPUID, CPUID),
          entry(ExitReason.RDMSR, MSR),
          entry(ExitReason.WRMSR, MSR),
          entry(ExitReason.RDMSR_IMMEDIATE, MSR),
          entry(ExitReason.WRMSR_IMMEDIATE, MSR),
          entry(ExitReason.VMCALL, HYPERCALL),
          entry(ExitReason.HLT, HLT),
          entry(ExitReason.EPT_VIOLATION, EPT_FAULT),
          entry(ExitReason.CR_ACCESS, CR_ACCESS),
          entry(ExitReason.EXCEPTION_OR_NMI, EXCEPTION));

  private static final EventType[] BY_ID = new EventType[256];

  static {
    for (EventType type : values()) {
      BY_ID[type.id] = type;
    }
  }

  private final int id;
  private final int since;
  private final String title;
  private final String meaning;
  private final List<Field> firstDetails;

  EventType(int id, String title, String meaning, Field... details) {
    this(id, 1, title, meaning, details);
  }

  EventType(int id, int since, String title, String meaning, Field... details) {
    this.id = id;
    this.since = since;
    this.title = title;
    this.meaning = meaning;
    this.firstDetails = List.of(details);
  }

  /** Append-only number of the type, 1 to 255. */
  public int id() {
    return id;
  }

  /** First schema version that has the type. */
  public int since() {
    return since;
  }

  /** A short name for people. */
  public String title() {
    return title;
  }

  public String meaning() {
    return meaning;
  }

  /** The type's own fields, after {@link #COMMON}, in the order in which they lie in a record. */
  public List<Field> details() {
    return Details.OF.get(this);
  }

  /** How many of the details the type had in its first version. */
  int firstDetails() {
    return firstDetails.size();
  }

  /**
   * Whether events of this type are exits: if they have a reason, which is so unless the trace is
   * damaged.
   */
  public boolean isExit() {
    return id <= EXIT.id;
  }

  /** Made after the constants, because those cannot see {@link #KERNEL_STAGE}. */
  private static final class Details {
    private static final Map<EventType, List<Field>> OF = new EnumMap<>(EventType.class);

    static {
      for (EventType type : values()) {
        Set<Field> details = new LinkedHashSet<>(type.firstDetails);
        if (type.isExit()) {
          details.addAll(KERNEL_STAGE);
        } else if (type == INJECTION) {
          details.add(REINJECTED);
        }
        OF.put(type, List.copyOf(details));
      }
    }
  }

  /** The type of an exit of which nothing more is known than its reason. */
  public static EventType of(ExitReason reason) {
    return OF_REASON.getOrDefault(reason, EXIT);
  }

  /** The type with this id, or null where this version knows none. */
  public static EventType of(int id) {
    return id >= 0 && id < BY_ID.length ? BY_ID[id] : null;
  }
}
