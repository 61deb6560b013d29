package io.trapscope.recorder.tracepoint;

import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.EventWriter;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.event.ExitSink;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.event.KvmExit;
import java.nio.ByteBuffer;
import java.util.EnumSet;
import java.util.Set;

/**
 * Makes events of the records of one vCPU's thread: one an exit, however many tracepoints tell of
 * it. Belongs to one thread at a time; allocates nothing but for tracepoints shown as text.
 *
 * <p>An exit is open from its first record to the one that ends it:
 *
 * <pre>
 *   kvm_exit                           opens it           reason, RIP, info words
 *   kvm_pio, kvm_msr, kvm_cpuid, ..    say what it was    port, value, ..
 *   kvm_userspace_exit                 leaves the kernel  KERNEL_TIME ends
 *   kvm_pio, kvm_mmio of a read        come once user space has answered
 *   kvm_entry                          ends it            USER_TIME ends, or KERNEL_TIME
 * </pre>
 *
 * <p>Where kvm_exit and kvm_entry do not come (a KVM without VT-x and SVM; a selection without
 * them), an exit opens with the record that says what it was and ends with the next one. Several
 * accesses of one exit, as string I/O has them, are an event each; the first has the processor's
 * words. What comes while an exit is open and is no part of it is an event after it, so that a
 * stream is in the order of time.
 *
 * <p>The user-space stage of an exit is either unknown here (another VMM's), and is then the time
 * until the guest goes on; or it is the caller's own, who asks with {@link #returned} whether an
 * exit is open, adds {@link #putStage} to the event it writes, and says {@link #joined}.
 */
public final class ExitJoiner {
  private static final int NONE = -1;
  private static final int PAGE_SHIFT = 12;

  /** kvm_mmio's types (include/trace/events/kvm.h). */
  private static final int MMIO_UNSATISFIED = 0;

  private static final int MMIO_WRITE = 2;

  /** What a caller with a user-space stage of its own gets from here. */
  private static final Set<Field> STAGE = EnumSet.of(Field.RIP, Field.GUEST_TIME);

  static {
    STAGE.addAll(EventType.KERNEL_STAGE);
  }

  private final ExitSink sink;
  private final OtherEvents others;
  private final ExitWords words = new ExitWords();

  // The open exit.
  private final FieldValues fields = new FieldValues();
  private boolean open;
  private EventType type;
  private ExitReason reason;
  private long time;
  private boolean hardware; // kvm_exit has opened it
  private boolean detailed; // something has said what it was
  private boolean complete; // its access is done: what comes next is another one's
  private long userSince = NONE;
  private long idle;

  private long lastRecord;
  private long lastEntry = NONE;
  private long runSince = NONE;
  private long entryNanos = NONE;

  // The caller's own user space has told of these already.
  private EventType answered;
  private int injected = NONE;

  private long shortRecords;
  private int vcpu = NONE;

  /**
   * Makes a joiner with nothing open.
   *
   * @param sink takes the events; not closed
   */
  public ExitJoiner(ExitSink sink) {
    this.sink = sink;
    this.others = new OtherEvents(sink);
  }

  /** KVM's number of the vCPU, as its records tell it; -1 as long as none has. */
  public int vcpu() {
    return vcpu;
  }

  /** Records that were too short for their format, and were skipped. */
  public long shortRecords() {
    return shortRecords;
  }

  /**
   * Takes one record; times never run backwards.
   *
   * @param at where it begins in {@code raw}, which is little-endian
   * @param length its bytes
   * @param nanos when, on the trace's clock
   */
  public void accept(Tracepoint tracepoint, ByteBuffer raw, int at, int length, long nanos) {
    lastRecord = nanos;
    if (length < tracepoint.needed()) {
      shortRecords++;
      return;
    }
    if (tracepoint.kind() == null) {
      other(tracepoint, raw, at, length, nanos);
      return;
    }
    switch (tracepoint.kind()) {
      case EXIT -> exit(tracepoint, raw, at, nanos);
      case ENTRY -> entry((int) tracepoint.get(raw, at, 0), nanos);
      case USERSPACE_EXIT ->
          userspaceExit((int) tracepoint.get(raw, at, 0), tracepoint.get(raw, at, 1) < 0, nanos);
      case PIO -> pio(tracepoint, raw, at, nanos);
      case MMIO -> mmio(tracepoint, raw, at, nanos);
      case FAST_MMIO -> {
        detail(EventType.MMIO, ExitReason.EPT_MISCONFIGURATION, nanos);
        fields.set(Field.GPA, tracepoint.get(raw, at, 0)).set(Field.DIRECTION, 1);
      }
      case MSR -> msr(tracepoint, raw, at, nanos);
      case CPUID -> cpuid(tracepoint, raw, at, nanos);
      case HYPERCALL -> hypercall(tracepoint, raw, at, nanos);
      case PAGE_FAULT -> pageFault(tracepoint, raw, at, nanos);
      case CR -> controlRegister(tracepoint, raw, at, nanos);
      case INJ_VIRQ -> {
        boolean again = tracepoint.get(raw, at, 2) != 0;
        if (!again && injected == tracepoint.get(raw, at, 0)) {
          injected = NONE;
        } else {
          other(tracepoint, raw, at, length, nanos);
        }
      }
      case WAKEUP -> {
        if (open && type == EventType.HLT) {
          idle += tracepoint.get(raw, at, 0);
          fields.set(Field.IDLE_TIME, idle);
        } else {
          other(tracepoint, raw, at, length, nanos);
        }
      }
      case INJ_EXCEPTION,
          SET_IRQ,
          EOI,
          APIC,
          HALT_POLL,
          SET_SPTE,
          SPTE_REQUESTED,
          SPTE_CHANGED,
          FAST_PAGE_FAULT,
          MMIO_PAGE_FAULT,
          MARK_MMIO,
          SPLIT,
          GET_TABLE,
          ZAP_TABLE,
          EMULATE ->
          other(tracepoint, raw, at, length, nanos);
    }
  }

  private void other(Tracepoint tracepoint, ByteBuffer raw, int at, int length, long nanos) {
    if (!open) {
      others.write(tracepoint, raw, at, length, nanos);
    } else if (!others.keep(tracepoint, raw, at, length, nanos)) {
      close();
      others.write(tracepoint, raw, at, length, nanos);
    }
  }

  // ---- what opens and ends an exit

  private void exit(Tracepoint tracepoint, ByteBuffer raw, int at, long nanos) {
    close();
    words.read(tracepoint, raw, at);
    open(words.type(), words.reason(), nanos);
    hardware = true;
    words.describe(fields, type);
    if (words.vcpu() >= 0) {
      vcpu = words.vcpu();
    }
    if (lastEntry >= 0) {
      fields.set(Field.GUEST_TIME, nanos - lastEntry);
      lastEntry = NONE;
    }
    if (entryNanos >= 0) {
      fields.set(Field.ENTRY_TIME, entryNanos);
      entryNanos = NONE;
    }
  }

  private void entry(int number, long nanos) {
    vcpu = number;
    if (open) {
      endKernelStage(nanos);
      close();
    }
    lastEntry = nanos;
    if (runSince >= 0) {
      entryNanos = nanos - runSince;
      runSince = NONE;
    }
  }

  private void open(EventType what, ExitReason why, long nanos) {
    open = true;
    type = what;
    reason = why;
    time = nanos;
    hardware = false;
    detailed = false;
    complete = false;
    userSince = NONE;
    idle = 0;
  }

  /** The time in the kernel, or outside of it, goes up to here. */
  private void endKernelStage(long nanos) {
    if (userSince >= 0) {
      fields.set(Field.USER_TIME, fields.get(Field.USER_TIME) + nanos - userSince);
      userSince = NONE;
    } else if (!fields.has(Field.KERNEL_TIME)) {
      setKernelTime(nanos);
    }
  }

  /** Leaves out the halt and another's resolving of the fault, which may outlast the exit. */
  private void setKernelTime(long until) {
    long inKernel = until - time - idle - fields.get(Field.DEVICE_TIME);
    fields.set(Field.KERNEL_TIME, Math.max(0, inKernel));
  }

  private void close() {
    if (!open) {
      return;
    }
    open = false;
    fields.set(Field.TIME, time).set(Field.REASON, reason.code()).write(sink, type);
    fields.clear();
    others.flush();
  }

  /**
   * The exit that a record tells of: the open one, if it is waiting to be told, or a new one.
   *
   * @param why the reason, unless kvm_exit has given it
   */
  private void detail(EventType what, ExitReason why, long nanos) {
    boolean fits = open && hardware && !detailed;
    // A fault on a page that turned out to be no memory.
    boolean refines = open && what == EventType.MMIO && type == EventType.EPT_FAULT && !complete;
    if (fits || refines) {
      type = what;
    } else {
      close();
      open(what, why, nanos);
    }
    detailed = true;
  }

  private void userspaceExit(int kvmReason, boolean failed, long nanos) {
    int code = failed ? KvmExit.INTR : kvmReason;
    EventType what = UserExit.type(code);
    boolean mine = open && userSince < 0 && (hardware || what == type && !complete);
    if (!mine || complete && fields.has(Field.USER_TIME)) {
      close();
      open(what, UserExit.reason(code), nanos);
    } else if (!fields.has(Field.KERNEL_TIME)) {
      setKernelTime(nanos);
    }
    fields.set(Field.KVM_EXIT, code);
    userSince = nanos;
  }

  // ---- what an exit was

  private void pio(Tracepoint tracepoint, ByteBuffer raw, int at, long nanos) {
    boolean write = tracepoint.get(raw, at, 0) != 0;
    if (!write && answered == EventType.PIO) {
      answered = null;
      return;
    }
    if (write || !endRead(EventType.PIO, nanos)) {
      detail(EventType.PIO, ExitReason.IO_INSTRUCTION, nanos);
    }
    fields
        .set(Field.DIRECTION, write ? 1 : 0)
        .set(Field.PORT, tracepoint.get(raw, at, 1))
        .set(Field.SIZE, tracepoint.get(raw, at, 2))
        .set(Field.COUNT, tracepoint.get(raw, at, 3));
    if (tracepoint.has(4)) {
      fields.set(Field.VALUE, tracepoint.get(raw, at, 4));
    }
    complete = !write;
  }

  /**
   * Whether a read's value belongs to the exit that went to user space for it. A write that KVM did
   * itself looks like the cause of that, where no kvm_exit tells the two apart: it is closed, and
   * the time outside the kernel is the read's.
   */
  private boolean endRead(EventType what, long nanos) {
    if (!open || type != what || userSince < 0) {
      return false;
    }
    long since = userSince;
    if (!hardware && detailed && fields.get(Field.DIRECTION) == 1) {
      long code = fields.get(Field.KVM_EXIT);
      fields.remove(Field.KVM_EXIT);
      fields.remove(Field.KERNEL_TIME);
      close();
      open(what, UserExit.reason((int) code), since);
      fields.set(Field.KVM_EXIT, code);
    }
    userSince = since;
    endKernelStage(nanos);
    detailed = true;
    return true;
  }

  private void mmio(Tracepoint tracepoint, ByteBuffer raw, int at, long nanos) {
    int kind = (int) tracepoint.get(raw, at, 0);
    boolean write = kind == MMIO_WRITE;
    boolean unsatisfied = kind == MMIO_UNSATISFIED;
    if (!write && !unsatisfied && answered == EventType.MMIO) {
      answered = null;
      return;
    }
    if (unsatisfied && open && type == EventType.MMIO && detailed && userSince < 0 && !complete) {
      return; // the second part of an access that crosses a page
    }
    if (write || unsatisfied || !endRead(EventType.MMIO, nanos)) {
      detail(EventType.MMIO, ExitReason.MMIO, nanos);
    }
    fields
        .set(Field.DIRECTION, write ? 1 : 0)
        .set(Field.SIZE, tracepoint.get(raw, at, 1))
        .set(Field.GPA, tracepoint.get(raw, at, 2));
    if (!unsatisfied) {
      fields.set(Field.VALUE, tracepoint.get(raw, at, 3));
    }
    complete = !write && !unsatisfied;
  }

  private void msr(Tracepoint tracepoint, ByteBuffer raw, int at, long nanos) {
    boolean write = tracepoint.get(raw, at, 0) != 0;
    detail(EventType.MSR, write ? ExitReason.WRMSR : ExitReason.RDMSR, nanos);
    fields
        .set(Field.DIRECTION, write ? 1 : 0)
        .set(Field.MSR, tracepoint.get(raw, at, 1))
        .set(Field.VALUE, tracepoint.get(raw, at, 2))
        .set(Field.FAULT, tracepoint.get(raw, at, 3) != 0 ? 1 : 0);
    complete = true;
  }

  private void cpuid(Tracepoint tracepoint, ByteBuffer raw, int at, long nanos) {
    detail(EventType.CPUID, ExitReason.CPUID, nanos);
    fields
        .set(Field.LEAF, tracepoint.get(raw, at, 0))
        .set(Field.EAX, tracepoint.get(raw, at, 2))
        .set(Field.EBX, tracepoint.get(raw, at, 3))
        .set(Field.ECX, tracepoint.get(raw, at, 4))
        .set(Field.EDX, tracepoint.get(raw, at, 5));
    if (tracepoint.has(1)) {
      fields.set(Field.SUBLEAF, tracepoint.get(raw, at, 1));
    }
    complete = true;
  }

  private void hypercall(Tracepoint tracepoint, ByteBuffer raw, int at, long nanos) {
    detail(EventType.HYPERCALL, ExitReason.VMCALL, nanos);
    fields
        .set(Field.HYPERCALL, tracepoint.get(raw, at, 0))
        .set(Field.ARG0, tracepoint.get(raw, at, 1))
        .set(Field.ARG1, tracepoint.get(raw, at, 2))
        .set(Field.ARG2, tracepoint.get(raw, at, 3))
        .set(Field.ARG3, tracepoint.get(raw, at, 4));
  }

  private void pageFault(Tracepoint tracepoint, ByteBuffer raw, int at, long nanos) {
    long address = tracepoint.get(raw, at, 0);
    long error = tracepoint.get(raw, at, 1);
    if (open && hardware && type == EventType.EXCEPTION) {
      // Shadow paging: a #PF of the guest's, by linear address.
      detailed = true;
      fields.set(Field.FAULT_ADDRESS, address).set(Field.ERROR_CODE, error);
      return;
    }
    detail(EventType.EPT_FAULT, ExitReason.EPT_VIOLATION, nanos);
    fields.set(Field.GPA, address);
    if (!fields.has(Field.QUALIFICATION)) {
      fields.set(Field.QUALIFICATION, words.eptQualification(error));
    }
    if (tracepoint.has(2)) {
      fields.set(Field.RIP, tracepoint.get(raw, at, 2));
    }
  }

  private void controlRegister(Tracepoint tracepoint, ByteBuffer raw, int at, long nanos) {
    long number = tracepoint.get(raw, at, 1);
    boolean read = tracepoint.get(raw, at, 0) == 0;
    detail(EventType.CR_ACCESS, ExitReason.CR_ACCESS, nanos);
    fields.set(Field.CONTROL_REGISTER, number).set(Field.VALUE, tracepoint.get(raw, at, 2));
    if (!fields.has(Field.QUALIFICATION)) {
      fields.set(Field.QUALIFICATION, ExitWords.crQualification(number, read));
    }
    complete = true;
  }

  // ---- for a caller with a user-space stage of its own

  /**
   * KVM_RUN was called then; the guest's first entry is measured from there, if its record has not
   * been taken yet.
   */
  public void running(long nanos) {
    if (lastRecord <= nanos) {
      runSince = nanos;
    }
  }

  /**
   * KVM_RUN has returned, and every record up to then was taken.
   *
   * @param what type of the event that the caller will write
   * @param nanos when it returned
   * @return whether an exit is open that is that event's kernel stage; any other was written
   */
  public boolean returned(EventType what, long nanos) {
    answered = null;
    runSince = NONE;
    boolean matches = hardware || type == what || userSince >= 0;
    if (open && !matches) {
      close();
    }
    if (!open) {
      others.flush();
      return false;
    }
    setKernelTime(nanos);
    return true;
  }

  /** When the exit happened whose stage it is. */
  public long time() {
    return time;
  }

  /** Why, if the processor has said so; otherwise {@code otherwise}. */
  public ExitReason reasonOr(ExitReason otherwise) {
    return hardware ? reason : otherwise;
  }

  /** Puts what the kernel has told of the open exit into the caller's event. */
  public void putStage(EventWriter event) {
    fields.put(event, STAGE);
  }

  /**
   * The caller has committed the event.
   *
   * @param what its type
   * @param read whether it was a read, whose value KVM will tell again when it goes on
   */
  public void joined(EventType what, boolean read) {
    answered = read ? what : null;
    open = false;
    fields.clear();
    others.flush();
  }

  /**
   * The guest waits in a fault on its memory, which the caller has seen and will resolve; every
   * record up to then was taken. Of what is open, an exit of which nothing more can come is
   * written.
   *
   * @param before just before the caller has seen it. Where a record is later, another's fault on
   *     that page may have let the guest go on, and what is open need not be over
   * @return whether an exit is open that is this fault, and takes {@link #resolved}; any other
   *     fault is for {@link #fault}
   */
  public boolean faulted(long gpa, long before) {
    boolean told = open && type == EventType.EPT_FAULT && !fields.has(Field.HVA);
    if (told && fields.get(Field.GPA) >>> PAGE_SHIFT == gpa >>> PAGE_SHIFT) {
      return true;
    }
    if (!hardware && lastRecord <= before) {
      close();
    }
    return false;
  }

  /** How the fault was resolved that is open, and how long that took. */
  public void resolved(long hva, boolean firstTouch, long nanos) {
    fields.set(Field.HVA, hva).set(Field.FIRST_TOUCH, firstTouch ? 1 : 0);
    fields.set(Field.DEVICE_TIME, nanos);
  }

  /**
   * A fault that is no part of an exit was resolved: its event comes now, or behind the exit that
   * is open.
   *
   * @param fault its values, without time and dispatch
   * @param before as in {@link #faulted}
   * @param start when its resolving began
   */
  public void fault(FieldValues fault, long before, long start) {
    long nanos = Math.max(before, lastRecord);
    fault.set(Field.TIME, nanos).set(Field.DISPATCH_TIME, start - nanos);
    if (!open || !others.keep(fault)) {
      close();
      others.write(fault);
    }
  }

  /** The caller has injected this vector and recorded it. */
  public void injected(int vector) {
    injected = vector;
  }

  // ---- the end

  /** Records may be missing from here on: what is open is written as it is. */
  public void interrupt() {
    close();
    lastEntry = NONE;
    entryNanos = NONE;
    answered = null;
    injected = NONE;
  }

  /** Records were lost: what is open is written as it is, and a gap after it. */
  public void lost(long count, long nanos) {
    interrupt();
    others.gap(count, nanos);
  }

  /** Writes what is still open. */
  public void finish() {
    close();
    others.flush();
  }
}
