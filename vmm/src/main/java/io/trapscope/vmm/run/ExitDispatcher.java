package io.trapscope.vmm.run;

import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.event.RunEnd;
import io.trapscope.vmm.device.Bus;
import io.trapscope.vmm.device.Timers;
import io.trapscope.vmm.hypervisor.CpuState;
import io.trapscope.vmm.hypervisor.Vcpu;
import io.trapscope.vmm.hypervisor.Vm;
import io.trapscope.vmm.hypervisor.VmExit;
import io.trapscope.vmm.pc.Board;
import io.trapscope.vmm.pc.CpuidModel;
import io.trapscope.vmm.pc.MsrModel;
import java.util.Locale;

/**
 * Does what an exit asks for and fills in what the guest reads. One for each vCPU, used by its
 * thread; the caller holds the device lock.
 *
 * <p>An exit that only informs (a control-register access, an exception) needs nothing here: the
 * back end completes it when the guest resumes.
 */
final class ExitDispatcher {
  /**
   * What a port access takes of a clock that counts instructions: an 8-bit cycle of the ISA bus.
   * Kernels measure and wait by polling ports; at one ns an access they would poll a thousand times
   * as often as on a real machine.
   */
  private static final long PORT_NANOS = 1000;

  /** KVM_INTERNAL_ERROR_EMULATION (linux/kvm.h). */
  private static final int EMULATION_FAILURE = 1;

  private final Vm vm;
  private final long memoryBytes;
  private final Vcpu vcpu;
  private final Bus bus;
  private final Timers timers;
  private final Board board;
  private final CpuidModel cpuid;
  private final MsrModel msrs;
  private final Hypercalls hypercalls;
  private final RunState run;
  private final boolean timed;

  private long deviceNanos;
  private long handledNanos;
  private boolean halted;
  private boolean emulated;

  /** Made when first needed. */
  private OneInstruction oneInstruction;

  /** Makes a dispatcher; {@code timed} where the time in device models is wanted. */
  ExitDispatcher(
      Vm vm,
      long memoryBytes,
      Vcpu vcpu,
      Bus bus,
      Timers timers,
      Board board,
      Hypercalls hypercalls,
      RunState run,
      boolean timed) {
    this.vm = vm;
    this.memoryBytes = memoryBytes;
    this.vcpu = vcpu;
    this.bus = bus;
    this.timers = timers;
    this.board = board;
    this.cpuid = board.cpuid();
    this.msrs = board.msrs();
    this.hypercalls = hypercalls;
    this.run = run;
    this.timed = timed;
  }

  /** Time the last exit spent in a device model or handler, ns; 0 where not timed. */
  long deviceNanos() {
    return deviceNanos;
  }

  /** When the device model or handler of the last exit was done, or 0 where that was not timed. */
  long handledNanos() {
    return handledNanos;
  }

  /** Whether the last exit leaves the vCPU halted until an interrupt. */
  boolean halted() {
    return halted;
  }

  /**
   * Whether the instruction of the last exit was carried out here, because the back end gave up.
   */
  boolean emulated() {
    return emulated;
  }

  private boolean emulate() {
    if (oneInstruction == null) {
      oneInstruction = new OneInstruction(vm.memory(), memoryBytes);
    }
    long start = timed ? System.nanoTime() : 0;
    boolean done = oneInstruction.execute(vcpu, this::access);
    stop(start);
    return done;
  }

  /** An access to a device by an instruction that is carried out here. */
  private void access(VmExit exit) {
    if (exit.reason == ExitReason.IO_INSTRUCTION) {
      port(exit);
    } else {
      memory(exit);
    }
  }

  /** Handles one exit and says what kind of event it is. */
  EventType handle(VmExit exit) {
    deviceNanos = 0;
    handledNanos = 0;
    halted = false;
    emulated = false;
    return switch (exit.reason) {
      case IO_INSTRUCTION -> port(exit);
      case MMIO, EPT_MISCONFIGURATION -> memory(exit);
      case EPT_VIOLATION -> eptViolation(exit);
      case CPUID -> cpuid(exit);
      case RDMSR -> readMsr(exit);
      case WRMSR -> writeMsr(exit);
      case VMCALL -> hypercall(exit);
      case HLT -> {
        halted = true;
        yield EventType.HLT;
      }
      case CR_ACCESS -> controlRegister(exit);
      case EXCEPTION_OR_NMI -> EventType.EXCEPTION;
      case PREEMPTION_TIMER, INTERRUPTED -> {
        timers.advance(vcpu.guestNanos());
        yield EventType.EXIT;
      }
      case VIRTUALIZED_EOI -> {
        if (exit.has(VmExit.QUALIFICATION)) {
          board.endOfInterrupt((int) exit.qualification);
        }
        yield EventType.EXIT;
      }
      case TRIPLE_FAULT -> ended(RunEnd.TRIPLE_FAULT, 0, "triple fault");
      case SYSTEM_EVENT ->
          ended(RunEnd.RESET, exit.errorDetail, "system event " + exit.errorDetail);
      case INTERNAL_ERROR -> {
        emulated = exit.errorDetail == EMULATION_FAILURE && emulate();
        yield emulated ? EventType.EXIT : failed(exit);
      }
      case ENTRY_FAILED -> failed(exit);
      case ENTRY_FAILURE_GUEST_STATE, ENTRY_FAILURE_MSR_LOADING, ENTRY_FAILURE_MACHINE_CHECK ->
          ended(RunEnd.ERROR, 0, exit.reason.title());
      // The back end completes these by itself; to the loop they are news.
      case EXTERNAL_INTERRUPT,
          INTERRUPT_WINDOW,
          NMI_WINDOW,
          TASK_SWITCH,
          INVD,
          INVLPG,
          RDPMC,
          RDTSC,
          RDTSCP,
          MOV_DR,
          MWAIT,
          MONITOR,
          MONITOR_TRAP_FLAG,
          PAUSE,
          TPR_BELOW_THRESHOLD,
          GDTR_IDTR_ACCESS,
          LDTR_TR_ACCESS,
          WBINVD,
          XSETBV,
          RDRAND,
          RDSEED,
          INVPCID,
          PML_FULL,
          BUS_LOCK,
          UMWAIT,
          TPAUSE ->
          EventType.EXIT;
      // No back end of ours enables these.
      case INIT_SIGNAL,
          SIPI,
          IO_SMI,
          OTHER_SMI,
          GETSEC,
          RSM,
          VMCLEAR,
          VMLAUNCH,
          VMPTRLD,
          VMPTRST,
          VMREAD,
          VMRESUME,
          VMWRITE,
          VMXOFF,
          VMXON,
          APIC_ACCESS,
          INVEPT,
          INVVPID,
          APIC_WRITE,
          VMFUNC,
          ENCLS,
          XSAVES,
          XRSTORS,
          PCONFIG,
          SPP,
          LOADIWKEY,
          ENCLV,
          ENQCMD_PASID,
          ENQCMDS_PASID,
          INSTRUCTION_TIMEOUT,
          SEAMCALL,
          TDCALL,
          RDMSRLIST,
          WRMSRLIST,
          RDMSR_IMMEDIATE,
          WRMSR_IMMEDIATE,
          VMRUN,
          VMLOAD,
          VMSAVE,
          STGI,
          CLGI,
          SKINIT,
          INVLPGA,
          PUSHF,
          POPF,
          IRET,
          SOFTWARE_INTERRUPT,
          FERR_FREEZE,
          ICEBP,
          EFER_WRITE,
          RDPRU,
          INVLPGB,
          MCOMMIT,
          TLBSYNC,
          AVIC_INCOMPLETE_IPI,
          AVIC_UNACCELERATED_ACCESS,
          VMGEXIT,
          UNKNOWN ->
          unexpected(exit);
    };
  }

  private EventType port(VmExit exit) {
    timers.advance(vcpu.guestNanos());
    long start = timed ? System.nanoTime() : 0;
    if (exit.count != 1) {
      portString(exit);
    } else if (exit.write) {
      bus.writePort(exit.port, exit.size, exit.value);
    } else {
      exit.value = bus.readPort(exit.port, exit.size);
    }
    exit.captured |= VmExit.VALUE;
    stop(start);
    vcpu.stall(PORT_NANOS * exit.count);
    return EventType.PIO;
  }

  private void portString(VmExit exit) {
    int size = exit.size;
    byte[] data = exit.data;
    for (int at = 0; at < exit.count * size; at += size) {
      if (exit.write) {
        bus.writePort(exit.port, size, item(data, at, size));
      } else {
        long value = bus.readPort(exit.port, size);
        for (int i = 0; i < size; i++) {
          data[at + i] = (byte) (value >>> 8 * i);
        }
      }
    }
    exit.value = item(data, 0, size);
  }

  private static long item(byte[] data, int at, int size) {
    long value = 0;
    for (int i = size - 1; i >= 0; i--) {
      value = value << 8 | data[at + i] & 0xff;
    }
    return value;
  }

  private EventType eptViolation(VmExit exit) {
    long start = timed ? System.nanoTime() : 0;
    if (!vm.resolveEptViolation(exit)) {
      return memory(exit);
    }
    stop(start);
    return EventType.EPT_FAULT;
  }

  private EventType memory(VmExit exit) {
    if (exit.size == 0) {
      run.end(
          RunEnd.ERROR,
          exit.gpa,
          String.format(Locale.ROOT, "the guest executes at 0x%x, where no memory lies", exit.gpa));
      return EventType.EXIT;
    }
    timers.advance(vcpu.guestNanos());
    long start = timed ? System.nanoTime() : 0;
    if (exit.write) {
      bus.writeMemory(exit.gpa, exit.size, exit.value);
    } else {
      exit.value = bus.readMemory(exit.gpa, exit.size);
    }
    exit.captured |= VmExit.VALUE;
    stop(start);
    return EventType.MMIO;
  }

  private EventType cpuid(VmExit exit) {
    long start = timed ? System.nanoTime() : 0;
    cpuid.query(vcpu.index(), exit.leaf, exit.subleaf, exit.result);
    stop(start);
    return EventType.CPUID;
  }

  private EventType readMsr(VmExit exit) {
    if (exit.answered) {
      exit.captured |= exit.fault ? 0 : VmExit.VALUE;
      return EventType.MSR;
    }
    timers.advance(vcpu.guestNanos());
    long start = timed ? System.nanoTime() : 0;
    exit.fault = !msrs.read(vcpu.index(), exit);
    if (!exit.fault) {
      exit.captured |= VmExit.VALUE;
    }
    stop(start);
    return EventType.MSR;
  }

  private EventType writeMsr(VmExit exit) {
    if (exit.answered) {
      exit.captured |= VmExit.VALUE;
      return EventType.MSR;
    }
    timers.advance(vcpu.guestNanos());
    long start = timed ? System.nanoTime() : 0;
    exit.fault = !msrs.write(vcpu.index(), exit);
    exit.captured |= VmExit.VALUE;
    stop(start);
    return EventType.MSR;
  }

  /** The back end has its own CR8; the APIC needs to know the priority it sets. */
  private EventType controlRegister(VmExit exit) {
    if (exit.index == 8 && exit.write && exit.has(VmExit.VALUE)) {
      board.taskPriority(vcpu.index(), (int) exit.value & 15);
    }
    return EventType.CR_ACCESS;
  }

  private EventType hypercall(VmExit exit) {
    long start = timed ? System.nanoTime() : 0;
    exit.value = hypercalls.call(vcpu, exit.hypercall, exit.arguments[0], exit.arguments[1]);
    exit.captured |= VmExit.VALUE;
    stop(start);
    return EventType.HYPERCALL;
  }

  private void stop(long start) {
    if (timed) {
      handledNanos = System.nanoTime();
      deviceNanos = handledNanos - start;
    }
  }

  private EventType ended(RunEnd how, long detail, String words) {
    run.end(how, detail, words);
    return EventType.EXIT;
  }

  private EventType failed(VmExit exit) {
    StringBuilder words = new StringBuilder(exit.reason.title());
    words.append(", code ").append(exit.errorDetail);
    words.append(String.format(Locale.ROOT, ", at RIP 0x%x", rip(exit)));
    for (int i = 0; i < exit.instructionLength; i++) {
      words.append(i == 0 ? ", instruction" : "");
      words.append(String.format(Locale.ROOT, " %02x", exit.instructionBytes[i]));
    }
    return ended(RunEnd.ERROR, exit.errorDetail, words.toString());
  }

  private long rip(VmExit exit) {
    if (exit.has(VmExit.RIP)) {
      return exit.rip;
    }
    CpuState state = new CpuState();
    vcpu.readState(state);
    return state.rip;
  }

  private EventType unexpected(VmExit exit) {
    return ended(
        RunEnd.ERROR,
        exit.reason.code(),
        "no handler for exit reason " + exit.reason + ", KVM code " + exit.kvmReason);
  }
}
