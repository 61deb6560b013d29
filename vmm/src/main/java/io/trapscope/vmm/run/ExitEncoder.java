package io.trapscope.vmm.run;

import io.trapscope.recorder.event.Emulator;
import io.trapscope.recorder.event.EventLayout;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.EventWriter;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.event.ExitSink;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.event.InterruptionType;
import io.trapscope.recorder.tracepoint.FieldValues;
import io.trapscope.vmm.hypervisor.FaultHandler;
import io.trapscope.vmm.hypervisor.Vm;
import io.trapscope.vmm.hypervisor.VmExit;
import io.trapscope.vmm.memory.MemoryRegion;
import io.trapscope.vmm.perf.VcpuTracing;
import java.util.List;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Writes exits as events: one put for each field that was captured. One for each vCPU; allocates
 * nothing.
 */
final class ExitEncoder {
  private static final int PAGE_FAULT = 14;

  // Where the fields lie that most exits have: the common ones, and those of a port access.
  private static final EventLayout PORT_ACCESS = EventLayout.of(EventType.PIO);
  private static final int TIME = PORT_ACCESS.slot(Field.TIME);
  private static final int GUEST_TIME = PORT_ACCESS.slot(Field.GUEST_TIME);
  private static final int LOOP_TIME = PORT_ACCESS.slot(Field.LOOP_TIME);
  private static final int DISPATCH_TIME = PORT_ACCESS.slot(Field.DISPATCH_TIME);
  private static final int DEVICE_TIME = PORT_ACCESS.slot(Field.DEVICE_TIME);
  private static final int RIP = PORT_ACCESS.slot(Field.RIP);
  private static final int INSTRUCTIONS = PORT_ACCESS.slot(Field.INSTRUCTIONS);
  private static final int MODE = PORT_ACCESS.slot(Field.MODE);
  private static final int CPL = PORT_ACCESS.slot(Field.CPL);
  private static final int REASON = PORT_ACCESS.slot(Field.REASON);
  private static final int KVM_EXIT = PORT_ACCESS.slot(Field.KVM_EXIT);
  private static final int DIRECTION = PORT_ACCESS.slot(Field.DIRECTION);
  private static final int SIZE = PORT_ACCESS.slot(Field.SIZE);
  private static final int PORT = PORT_ACCESS.slot(Field.PORT);
  private static final int COUNT = PORT_ACCESS.slot(Field.COUNT);
  private static final int VALUE = PORT_ACCESS.slot(Field.VALUE);

  private static final Field[] ARGUMENTS = {
    Field.ARG0, Field.ARG1, Field.ARG2, Field.ARG3, Field.ARG4, Field.ARG5
  };

  private final ExitSink sink;
  private final List<MemoryRegion> regions;
  private final VcpuTracing tracing;

  /** Held while the stream is written to; null where the vCPU's thread alone does that. */
  private final Lock lock;

  /** Null where faults on memory are not told by another thread. */
  private final MemoryFaults others;

  private final FieldValues fault = new FieldValues();
  private long faults; // guarded by lock

  /**
   * Makes an encoder.
   *
   * @param regions the list of the trace header, for the REGION field
   * @param tracing what the kernel tells of the same exits; null where it is not asked
   * @param others whose thread calls {@link #fault}; null for nobody
   */
  ExitEncoder(ExitSink sink, List<MemoryRegion> regions, VcpuTracing tracing, MemoryFaults others) {
    this.sink = sink;
    this.regions = regions;
    this.tracing = tracing;
    this.others = others;
    this.lock = tracing != null ? tracing.lock() : others != null ? new ReentrantLock() : null;
  }

  /** By the vCPU's thread: a fault that it has left is told before what came after it. */
  private void lock() {
    if (others != null) {
      others.awaitTold();
    }
    if (lock != null) {
      lock.lock();
    }
  }

  private void unlock() {
    if (lock != null) {
      lock.unlock();
    }
  }

  /**
   * Writes one exit and commits it.
   *
   * @param type what the dispatcher said it is
   * @param start when the loop had the exit, host monotonic ns
   * @param end when the exit was handled
   * @param deviceNanos time in the device model, part of the time between the two
   * @param idleNanos time the vCPU stayed halted, part of the time between the two
   * @param stack where the guest's code was called from; null where that is not recorded
   */
  void encode(
      EventType type,
      VmExit exit,
      long start,
      long end,
      long deviceNanos,
      long idleNanos,
      GuestStack stack) {
    long dispatchNanos = end - start - deviceNanos - idleNanos;
    lock();
    try {
      if (tracing == null) {
        write(type, exit, start, dispatchNanos, deviceNanos, idleNanos);
        sink.commit();
        if (stack != null && sink.takes(type)) {
          write(stack, exit, exit.reason, start, dispatchNanos, deviceNanos);
          sink.commit();
        }
        return;
      }
      boolean told = tracing.returned(type, exit.entryNanos, exit.exitNanos);
      EventWriter event = write(type, exit, start, dispatchNanos, deviceNanos, idleNanos);
      ExitReason reason = told ? tracing.reasonOr(exit.reason) : exit.reason;
      if (told) {
        correctTime(event, exit);
        event.put(REASON, Field.REASON, reason.code());
        tracing.stage(event);
      }
      sink.commit();
      if (stack != null && sink.takes(type)) {
        event = write(stack, exit, reason, start, dispatchNanos, deviceNanos);
        if (told) {
          correctTime(event, exit);
        }
        sink.commit();
      }
      tracing.joined(type, !exit.write);
    } finally {
      unlock();
    }
  }

  /**
   * Has a fault resolved that the vCPU waits in, and writes it. Called by the thread that watches
   * faults.
   *
   * @param seen as in {@link FaultHandler}
   */
  void fault(Vm vm, VmExit exit, long seen) {
    lock.lock();
    try {
      // Before the vCPU goes on and the kernel tells of what comes next.
      boolean told = tracing != null && tracing.faulted(exit.gpa, exit.exitNanos, seen);
      long start = System.nanoTime();
      vm.resolveEptViolation(exit);
      long nanos = System.nanoTime() - start;
      if (told) {
        tracing.resolved(exit.hva, exit.firstTouch, nanos);
        return;
      }
      describe(fault, exit, regions);
      fault.set(Field.DEVICE_TIME, nanos);
      if (tracing != null) {
        tracing.fault(fault, exit.exitNanos, start);
      } else {
        fault.set(Field.TIME, exit.exitNanos).set(Field.DISPATCH_TIME, start - exit.exitNanos);
        fault.write(sink, EventType.EPT_FAULT);
      }
      faults++;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Sets what is captured of an EPT fault, but for the times, and nothing else.
   *
   * @param regions the list of the trace header
   */
  static void describe(FieldValues to, VmExit exit, List<MemoryRegion> regions) {
    to.clear();
    to.set(Field.REASON, exit.reason.code()).set(Field.GPA, exit.gpa);
    set(to, exit, VmExit.GUEST_PAGE, Field.GUEST_PAGE, exit.guestPageShift);
    set(to, exit, VmExit.EPT_PAGE, Field.EPT_PAGE, exit.eptPageShift);
    set(to, exit, VmExit.FIRST_TOUCH, Field.FIRST_TOUCH, exit.firstTouch ? 1 : 0);
    set(to, exit, VmExit.GVA, Field.GVA, exit.gva);
    set(to, exit, VmExit.HVA, Field.HVA, exit.hva);
    set(to, exit, VmExit.HPA, Field.HPA, exit.hpa);
    set(to, exit, VmExit.QUALIFICATION, Field.QUALIFICATION, exit.qualification);
    for (int i = 0; i < regions.size(); i++) {
      if (regions.get(i).contains(exit.gpa, 1)) {
        to.set(Field.REGION, i);
        return;
      }
    }
  }

  private static void set(FieldValues to, VmExit exit, int bit, Field field, long value) {
    if (exit.has(bit)) {
      to.set(field, value);
    }
  }

  /** How many faults {@link #fault} has told of; for any thread. */
  long faults() {
    lock.lock();
    try {
      return faults;
    } finally {
      lock.unlock();
    }
  }

  private EventWriter write(
      EventType type, VmExit exit, long start, long dispatch, long device, long idleNanos) {
    EventWriter event = sink.claim(type);
    common(event, exit, start, dispatch, device);
    event.put(REASON, Field.REASON, exit.reason.code());
    if (exit.kvmReason >= 0) {
      event.put(KVM_EXIT, Field.KVM_EXIT, exit.kvmReason);
    }
    switch (type) {
      case PIO -> port(event, exit);
      case MMIO -> memory(event, exit);
      case CPUID ->
          event
              .put(Field.LEAF, exit.leaf)
              .put(Field.SUBLEAF, exit.subleaf)
              .put(Field.EAX, exit.result[0])
              .put(Field.EBX, exit.result[1])
              .put(Field.ECX, exit.result[2])
              .put(Field.EDX, exit.result[3]);
      case MSR -> msr(event, exit);
      case HYPERCALL -> hypercall(event, exit);
      case HLT -> event.put(Field.IDLE_TIME, idleNanos);
      case EPT_FAULT -> eptFault(event, exit);
      case CR_ACCESS -> controlRegister(event, exit);
      case EXCEPTION -> exception(event, exit);
      case EXIT -> other(event, exit);
      case INJECTION,
          END,
          CONSOLE_OUTPUT,
          CONSOLE_INPUT,
          INPUT,
          MARK,
          GAP,
          TRANSLATION,
          IRQ_LINE,
          EOI,
          APIC_ACCESS,
          HALT_POLL,
          WAKEUP,
          MMU,
          EMULATION,
          DIRTY,
          TRACEPOINT,
          STACK ->
          throw new IllegalArgumentException(type + " is no exit");
    }
    return event;
  }

  private static void common(
      EventWriter event, VmExit exit, long start, long dispatch, long device) {
    if (exit.has(VmExit.GUEST_TIME)) {
      event
          .put(TIME, Field.TIME, exit.exitNanos)
          .put(GUEST_TIME, Field.GUEST_TIME, exit.exitNanos - exit.entryNanos)
          .put(LOOP_TIME, Field.LOOP_TIME, start - exit.exitNanos);
    } else {
      event.put(TIME, Field.TIME, start);
    }
    event.put(DISPATCH_TIME, Field.DISPATCH_TIME, dispatch);
    event.put(DEVICE_TIME, Field.DEVICE_TIME, device);
    if (exit.has(VmExit.RIP)) {
      event.put(RIP, Field.RIP, exit.rip);
    }
    if (exit.has(VmExit.INSTRUCTIONS)) {
      event.put(INSTRUCTIONS, Field.INSTRUCTIONS, exit.instructions);
    }
    if (exit.has(VmExit.MODE)) {
      event.put(MODE, Field.MODE, exit.mode.code());
    }
    if (exit.cpl >= 0) {
      event.put(CPL, Field.CPL, exit.cpl);
    }
  }

  /** Puts the time that the kernel tells instead of the one that {@code KVM_RUN}'s caller saw. */
  private void correctTime(EventWriter event, VmExit exit) {
    event.put(TIME, Field.TIME, tracing.time());
    event.put(GUEST_TIME, Field.GUEST_TIME, tracing.time() - exit.entryNanos);
  }

  private EventWriter write(
      GuestStack stack, VmExit exit, ExitReason reason, long start, long dispatch, long device) {
    EventWriter event = sink.claim(EventType.STACK);
    common(event, exit, start, dispatch, device);
    event.put(Field.DETAIL, reason.code());
    return event.putBytes(Field.DATA, stack.bytes(), 0, stack.length());
  }

  private static void put(EventWriter event, VmExit exit, int bit, Field field, long value) {
    if (exit.has(bit)) {
      event.put(field, value);
    }
  }

  private static void port(EventWriter event, VmExit exit) {
    event
        .put(DIRECTION, Field.DIRECTION, exit.write ? 1 : 0)
        .put(SIZE, Field.SIZE, exit.size)
        .put(PORT, Field.PORT, exit.port)
        .put(COUNT, Field.COUNT, exit.count);
    if (exit.has(VmExit.VALUE)) {
      event.put(VALUE, Field.VALUE, exit.value);
    }
    if (exit.count > 1) {
      event.putBytes(Field.DATA, exit.data, 0, exit.size * exit.count);
    }
  }

  private static void memory(EventWriter event, VmExit exit) {
    event.put(Field.DIRECTION, exit.write).put(Field.SIZE, exit.size).put(Field.GPA, exit.gpa);
    put(event, exit, VmExit.GVA, Field.GVA, exit.gva);
    put(event, exit, VmExit.VALUE, Field.VALUE, exit.value);
  }

  private static void msr(EventWriter event, VmExit exit) {
    event.put(Field.DIRECTION, exit.write).put(Field.FAULT, exit.fault).put(Field.MSR, exit.index);
    put(event, exit, VmExit.VALUE, Field.VALUE, exit.value);
  }

  private static void hypercall(EventWriter event, VmExit exit) {
    event.put(Field.HYPERCALL, exit.hypercall);
    for (int i = 0; i < ARGUMENTS.length; i++) {
      event.put(ARGUMENTS[i], exit.arguments[i]);
    }
    event.put(Field.RESULT, exit.value);
  }

  private void eptFault(EventWriter event, VmExit exit) {
    describe(fault, exit, regions);
    fault.put(event, EventType.EPT_FAULT);
  }

  private static void controlRegister(EventWriter event, VmExit exit) {
    event.put(Field.CONTROL_REGISTER, exit.index);
    put(event, exit, VmExit.QUALIFICATION, Field.QUALIFICATION, exit.qualification);
    put(event, exit, VmExit.VALUE, Field.VALUE, exit.value);
  }

  private static void exception(EventWriter event, VmExit exit) {
    event.put(Field.VECTOR, exit.index);
    if (exit.hasErrorCode) {
      event.put(Field.ERROR_CODE, exit.errorCode);
    }
    if (exit.index == PAGE_FAULT) {
      put(event, exit, VmExit.QUALIFICATION, Field.FAULT_ADDRESS, exit.qualification);
    }
  }

  private static void other(EventWriter event, VmExit exit) {
    put(event, exit, VmExit.QUALIFICATION, Field.QUALIFICATION, exit.qualification);
    put(event, exit, VmExit.GPA, Field.GPA, exit.gpa);
    switch (exit.reason) {
      case INTERNAL_ERROR, ENTRY_FAILED, SYSTEM_EVENT ->
          event
              .put(Field.DETAIL, exit.errorDetail)
              .putBytes(Field.DATA, exit.instructionBytes, 0, exit.instructionLength);
      default -> {
        // No other reason has more to say.
      }
    }
  }

  /** Has the pages that this vCPU has written put into its stream; returns how many events. */
  int dirty(DirtyWatch watch, long guestNanos) {
    lock();
    try {
      return watch.look(sink, System.nanoTime(), guestNanos);
    } finally {
      unlock();
    }
  }

  /** Writes that the software processor has carried out the instruction of the exit before. */
  void emulation(VmExit exit, long nanos) {
    lock();
    try {
      EventWriter event = sink.claim(EventType.EMULATION);
      event.put(Field.TIME, nanos);
      if (exit.has(VmExit.RIP)) {
        event.put(Field.RIP, exit.rip);
      }
      if (exit.has(VmExit.MODE)) {
        event.put(Field.MODE, exit.mode.code());
      }
      event.put(Field.EMULATOR, Emulator.SOFT.code()).put(Field.FAILED, 0);
      event.putBytes(Field.DATA, exit.instructionBytes, 0, exit.instructionLength);
      sink.commit();
    } finally {
      unlock();
    }
  }

  /** Writes the injection of an external interrupt, before the entry that delivers it. */
  void injection(int vector, long nanos, long instructions) {
    lock();
    try {
      writeInjection(vector, nanos, instructions);
      if (tracing != null) {
        tracing.injected(vector);
      }
    } finally {
      unlock();
    }
  }

  private void writeInjection(int vector, long nanos, long instructions) {
    EventWriter event = sink.claim(EventType.INJECTION);
    event.put(Field.TIME, nanos);
    if (instructions >= 0) {
      event.put(Field.INSTRUCTIONS, instructions);
    }
    event
        .put(Field.INTERRUPTION_TYPE, InterruptionType.EXTERNAL_INTERRUPT)
        .put(Field.VECTOR, vector);
    sink.commit();
  }
}
