package io.trapscope.recorder.event;

import java.util.Locale;
import java.util.function.LongFunction;

/**
 * Every field an event can have: the columns of the schema table whose rows are {@link EventType}.
 *
 * <p>Ids are append-only and never reused, names neither. Any field of any event except {@link
 * #SEQUENCE} and {@link #TIME} may be "not captured", which is a bit of its own in the record and
 * never a value.
 */
public enum Field {
  // What every event has.
  SEQUENCE(
      1, Wire.DERIVED, Kind.COUNT, "number of the event in its stream, from 0; a hole is loss"),
  VCPU(2, Wire.DERIVED, Kind.INDEX, "virtual CPU whose stream holds the event"),
  GUEST_TIME(3, Wire.U64, Kind.DURATION, "from VM entry to this exit: the guest ran"),
  RIP(4, Wire.U64, Kind.ADDRESS, "guest RIP at the exit; see the header's note \"rip\""),
  TIME(5, Wire.SINCE_BASE, Kind.TIMESTAMP, "time of the exit on the trace's monotonic clock"),
  INSTRUCTIONS(
      6,
      Wire.SINCE_BASE,
      Kind.INSTRUCTIONS,
      "instructions this vCPU retired before the one that exits"),
  LOOP_TIME(7, Wire.U32, Kind.DURATION, "from the exit until the vCPU loop has it"),
  DISPATCH_TIME(
      8, Wire.U32, Kind.DURATION, "finding and leaving the handler, device model not included"),
  DEVICE_TIME(9, Wire.U32, Kind.DURATION, "inside the device model or handler"),
  REASON(
      10,
      Wire.U8,
      Kind.CODE,
      "exit reason: SDM basic exit reason below 128, then exits only KVM has",
      code -> ExitReason.of((int) code).code() == code ? ExitReason.of((int) code).name() : null),
  KVM_EXIT(
      11,
      Wire.U8,
      Kind.CODE,
      "KVM_EXIT_* code of linux/kvm.h, as KVM_RUN returned it",
      code -> KvmExit.name((int) code)),
  MODE(
      12,
      Wire.NIBBLE,
      Kind.CODE,
      "operating mode of the vCPU",
      code -> CpuMode.of((int) code) == null ? null : CpuMode.of((int) code).name()),
  CPL(13, Wire.NIBBLE, Kind.INDEX, "current privilege level, 0 to 3"),

  // Accesses.
  DIRECTION(
      20,
      Wire.NIBBLE,
      Kind.CODE,
      "0 in, read or RDMSR; 1 out, write or WRMSR",
      code -> code == 0 ? "READ" : "WRITE"),
  SIZE(21, Wire.NIBBLE, Kind.SIZE, "bytes of one item"),
  PORT(22, Wire.U16, Kind.ADDRESS, "I/O port"),
  COUNT(23, Wire.U16, Kind.COUNT, "items moved by this exit; more than 1 for string I/O only"),
  VALUE(24, Wire.U64, Kind.BITS, "value written or read; of string I/O the first item"),
  DATA(25, Wire.BYTES, Kind.DATA, "bytes that belong to the event; see the event type"),
  GPA(26, Wire.U64, Kind.ADDRESS, "guest-physical address"),
  GVA(27, Wire.U64, Kind.ADDRESS, "guest-virtual (linear) address"),
  HVA(28, Wire.U64, Kind.ADDRESS, "address in the VMM's process"),
  HPA(29, Wire.U64, Kind.ADDRESS, "host-physical address, real or modelled: see the header"),
  REGION(30, Wire.U16, Kind.INDEX, "memory region of the header that holds the GPA"),

  // EPT violations and control registers.
  QUALIFICATION(
      40, Wire.U64, Kind.BITS, "exit qualification, SDM volume 3, \"Exit Qualification\""),
  ACCESS(
      41,
      Wire.DERIVED,
      Kind.CODE,
      "bits 2:0 of the qualification: 1 read, 2 write, 4 fetch",
      ExitQualification::accessName),
  GUEST_PAGE(42, Wire.U8, Kind.INDEX, "log2 of the guest's page size at the GVA: 12, 21 or 30"),
  EPT_PAGE(43, Wire.U8, Kind.INDEX, "log2 of the EPT's page size at the GPA: 12, 21 or 30"),
  FIRST_TOUCH(44, Wire.NIBBLE, Kind.FLAG, "whether nothing had touched the page before"),
  CONTROL_REGISTER(45, Wire.NIBBLE, Kind.INDEX, "control register: 0, 3, 4 or 8"),
  GUEST_LEVELS(46, Wire.NIBBLE, Kind.COUNT, "page-table levels walked in the guest's tables"),
  EPT_LEVELS(47, Wire.NIBBLE, Kind.COUNT, "page-table levels walked in the EPT"),

  // CPUID, MSRs, hypercalls.
  LEAF(50, Wire.U32, Kind.BITS, "CPUID leaf (EAX)"),
  SUBLEAF(51, Wire.U32, Kind.BITS, "CPUID subleaf (ECX)"),
  EAX(52, Wire.U32, Kind.BITS, "CPUID's answer in EAX"),
  EBX(53, Wire.U32, Kind.BITS, "CPUID's answer in EBX"),
  ECX(54, Wire.U32, Kind.BITS, "CPUID's answer in ECX"),
  EDX(55, Wire.U32, Kind.BITS, "CPUID's answer in EDX"),
  MSR(56, Wire.U32, Kind.BITS, "MSR number (ECX)"),
  FAULT(57, Wire.NIBBLE, Kind.FLAG, "whether the instruction raised #GP(0) instead"),
  HYPERCALL(58, Wire.U64, Kind.INDEX, "hypercall number (RAX)"),
  ARG0(59, Wire.U64, Kind.BITS, "RBX at the hypercall"),
  ARG1(60, Wire.U64, Kind.BITS, "RCX at the hypercall"),
  ARG2(61, Wire.U64, Kind.BITS, "RDX at the hypercall"),
  ARG3(62, Wire.U64, Kind.BITS, "RSI at the hypercall"),
  ARG4(63, Wire.U64, Kind.BITS, "RDI at the hypercall"),
  ARG5(64, Wire.U64, Kind.BITS, "RBP at the hypercall"),
  RESULT(65, Wire.U64, Kind.BITS, "what the hypercall returned in RAX"),

  // Interrupts and exceptions.
  VECTOR(70, Wire.U8, Kind.INDEX, "interrupt or exception vector"),
  ERROR_CODE(71, Wire.U32, Kind.BITS, "error code of the exception"),
  FAULT_ADDRESS(72, Wire.U64, Kind.ADDRESS, "linear address of a page fault (CR2)"),
  INTERRUPTION_TYPE(
      73,
      Wire.NIBBLE,
      Kind.CODE,
      "interruption type, SDM volume 3, \"VM-Entry Controls for Event Injection\"",
      code -> InterruptionType.name((int) code)),
  IDLE_TIME(74, Wire.U64, Kind.DURATION, "how long the vCPU stayed halted"),
  GUEST_CLOCK(75, Wire.U64, Kind.DURATION, "guest clock of the vCPU: guest time since reset"),

  // The run.
  DETAIL(80, Wire.U64, Kind.BITS, "code that goes with the reason; see the event type"),
  END(
      81,
      Wire.U8,
      Kind.CODE,
      "how the run ended",
      code -> RunEnd.of((int) code) == null ? null : RunEnd.of((int) code).name()),
  CHANNEL(82, Wire.U8, Kind.INDEX, "which console, 0 the first"),
  SOURCE(
      83,
      Wire.U8,
      Kind.CODE,
      "where an input came from",
      code -> InputSource.of((int) code) == null ? null : InputSource.of((int) code).name()),
  STREAM(84, Wire.U16, Kind.INDEX, "stream meant: a vCPU's number, 65535 for the other stream"),
  FIRST_LOST(85, Wire.U64, Kind.COUNT, "sequence number of the first event that is missing"),
  LOST(86, Wire.U64, Kind.COUNT, "number of events that are missing"),
  CAUSE(
      87,
      Wire.U8,
      Kind.CODE,
      "why events are missing",
      code -> LossCause.of((int) code) == null ? null : LossCause.of((int) code).name()),

  // What the host's kernel tells of an exit.
  KERNEL_TIME(
      90,
      2,
      Wire.U64,
      Kind.DURATION,
      "in the host's kernel for this exit; the header's note \"kernel_time\" states the window"),
  USER_TIME(
      91,
      2,
      Wire.U64,
      Kind.DURATION,
      "outside the kernel for this exit: from kvm_userspace_exit until KVM goes on with the guest"),
  ENTRY_TIME(
      92,
      2,
      Wire.U64,
      Kind.DURATION,
      "from the VMM's call of KVM_RUN until the guest ran, before this exit"),
  EXIT_CODE(
      93,
      2,
      Wire.U32,
      Kind.BITS,
      "the processor's own code of the exit: VMX exit reason (SDM volume 3, appendix C) or SVM"
          + " EXITCODE (APM volume 2, appendix C)"),
  ISA(
      94,
      2,
      Wire.NIBBLE,
      Kind.CODE,
      "whose exit code it is",
      code -> Isa.of((int) code) == null ? null : Isa.of((int) code).name()),
  EXIT_INFO1(95, 2, Wire.U64, Kind.BITS, "VMX exit qualification or SVM EXITINFO1"),
  EXIT_INFO2(96, 2, Wire.U64, Kind.BITS, "SVM EXITINFO2"),
  INTR_INFO(97, 2, Wire.U32, Kind.BITS, "VMX VM-exit interruption information"),
  VECTORING_INFO(
      98,
      2,
      Wire.U32,
      Kind.BITS,
      "event that was being delivered at the exit: VMX IDT-vectoring information or SVM"
          + " EXITINTINFO"),
  REQUESTS(99, 2, Wire.U64, Kind.BITS, "KVM's requests to the vCPU that were pending at the exit"),

  // What else it tells.
  REINJECTED(100, 2, Wire.NIBBLE, Kind.FLAG, "whether an exit had interrupted the delivery before"),
  GSI(101, 2, Wire.U32, Kind.INDEX, "global system interrupt: number of the line"),
  LEVEL(102, 2, Wire.NIBBLE, Kind.INDEX, "level the line is set to"),
  IRQ_SOURCE(103, 2, Wire.U32, Kind.INDEX, "KVM's number of who drives the line"),
  APIC_ID(104, 2, Wire.U32, Kind.INDEX, "local APIC's number"),
  APIC_REGISTER(105, 2, Wire.U16, Kind.BITS, "offset of the local APIC's register"),
  POLL_TIME(106, 2, Wire.U32, Kind.DURATION, "how long KVM will poll for a wake-up from now on"),
  OLD_POLL_TIME(107, 2, Wire.U32, Kind.DURATION, "how long it would have until now"),
  WAIT_TIME(108, 2, Wire.U64, Kind.DURATION, "how long the halted vCPU waited or polled"),
  WAITED(109, 2, Wire.NIBBLE, Kind.FLAG, "whether it slept; otherwise polling was enough"),
  MMU_ACTION(
      110,
      2,
      Wire.U8,
      Kind.CODE,
      "what KVM's MMU did",
      code -> MmuAction.of((int) code) == null ? null : MmuAction.of((int) code).name()),
  EPT_LEVEL(111, 2, Wire.NIBBLE, Kind.INDEX, "level of the entry's table: 1 maps 4 KiB, 2 2 MiB"),
  OLD_ENTRY(112, 2, Wire.U64, Kind.BITS, "the entry as it was (EPT entry, or KVM's own form)"),
  NEW_ENTRY(113, 2, Wire.U64, Kind.BITS, "the entry as it is now"),
  OUTCOME(114, 2, Wire.U32, Kind.BITS, "KVM's code of how it went; negative is an error number"),
  EMULATOR(
      115,
      2,
      Wire.NIBBLE,
      Kind.CODE,
      "who carried the instruction out",
      code -> Emulator.of((int) code) == null ? null : Emulator.of((int) code).name()),
  FAILED(116, 2, Wire.NIBBLE, Kind.FLAG, "whether it could not be carried out"),
  CODE_BASE(117, 2, Wire.U64, Kind.ADDRESS, "base of the code segment"),
  PAGES(118, 2, Wire.U32, Kind.COUNT, "number of 4 KiB pages from the GPA on");

  private final int id;
  private final int since;
  private final Wire wire;
  private final Kind kind;
  private final String meaning;
  private final LongFunction<String> names;
  private final String column;

  Field(int id, Wire wire, Kind kind, String meaning) {
    this(id, wire, kind, meaning, null);
  }

  Field(int id, int since, Wire wire, Kind kind, String meaning) {
    this(id, since, wire, kind, meaning, null);
  }

  Field(int id, Wire wire, Kind kind, String meaning, LongFunction<String> names) {
    this(id, 1, wire, kind, meaning, names);
  }

  Field(int id, int since, Wire wire, Kind kind, String meaning, LongFunction<String> names) {
    this.id = id;
    this.since = since;
    this.wire = wire;
    this.kind = kind;
    this.meaning = meaning;
    this.names = names;
    String name = name().toLowerCase(Locale.ROOT);
    this.column = kind == Kind.DURATION ? name.replace("_time", "_ns") : name;
  }

  /** Append-only number of the field. */
  public int id() {
    return id;
  }

  /** First schema version that has the field. */
  public int since() {
    return since;
  }

  public Wire wire() {
    return wire;
  }

  public Kind kind() {
    return kind;
  }

  public String meaning() {
    return meaning;
  }

  /** Whether the field may be missing from an event that has a place for it. */
  public boolean isOptional() {
    return this != SEQUENCE && this != TIME;
  }

  /**
   * Name in tables, JSON and Arrow: the constant's name in small letters; durations add the unit.
   */
  public String column() {
    return column;
  }

  /** Name of a {@link Kind#CODE}'s value; null where it has none or the field has no names. */
  public String label(long value) {
    return names == null ? null : names.apply(value);
  }

  /** A value as text: name of a code, hexadecimal for addresses and bits, else decimal. */
  public String render(long value) {
    switch (kind) {
      case ADDRESS:
      case BITS:
        return "0x" + Long.toHexString(value);
      case CODE:
        String label = label(value);
        return label == null ? Long.toUnsignedString(value) : label;
      case FLAG:
        return value == 0 ? "false" : "true";
      case COUNT:
      case INSTRUCTIONS:
      case TIMESTAMP:
      case DURATION:
      case SIZE:
      case INDEX:
      case DATA:
        return Long.toUnsignedString(value);
    }
    throw new AssertionError(kind);
  }
}
