package io.trapscope.vmm.soft;

import io.trapscope.recorder.event.ExitReason;
import io.trapscope.vmm.hypervisor.CpuState;
import io.trapscope.vmm.hypervisor.VmConfig;
import io.trapscope.vmm.hypervisor.VmExit;
import io.trapscope.vmm.memory.GuestMemory;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/** A small machine for tests: code from hexadecimal text in one of four modes, run exit by exit. */
public final class SoftGuest {
  /** Where code goes. */
  public static final long CODE = 0x1000;

  /** Top of the stack. */
  public static final long STACK = 0x80000;

  /** Page tables of the 64-bit mode: identity map of the first GiB in 2 MiB pages. */
  static final long PML4 = 0x90000;

  static final long PDPT = 0x91000;
  static final long PD = 0x92000;
  static final long GDT = 0x93000;
  static final long IDT = 0x94000;
  static final long TSS = 0x95000;

  static final int CODE64 = 0xa09b;
  static final int CODE32 = 0xc09b;
  static final int CODE16 = 0x9b;
  static final int DATA32 = 0xc093;

  public final SoftVm vm;
  public final SoftVcpu vcpu;
  public final GuestMemory memory;
  public final CpuState state = new CpuState();
  public final VmExit exit = new VmExit();

  /** EPT violations resolved on the way. */
  final List<Long> violations = new ArrayList<>();

  SoftGuest(VmxControls controls) {
    this(controls, "no model: everything");
  }

  private SoftGuest(VmxControls controls, String cpuModel) {
    vm = (SoftVm) new SoftHypervisor(controls).createVm(new VmConfig(8 << 20, 1, cpuModel));
    vcpu = (SoftVcpu) vm.vcpus().get(0);
    memory = vm.memory();
    vcpu.readState(state);
  }

  /** No exception exits: they are delivered at once. */
  static final VmxControls QUIET = new VmxControls(0);

  private static SoftGuest with(VmxControls controls, String code) {
    SoftGuest guest = new SoftGuest(controls);
    guest.load(CODE, code);
    guest.state.rip = CODE;
    guest.state.gpr[CpuState.RSP] = STACK;
    return guest;
  }

  /** Real mode on a CPU model; every exception exits. */
  static SoftGuest realOf(String cpuModel, String code) {
    SoftGuest guest = new SoftGuest(VmxControls.DEFAULT, cpuModel);
    guest.load(CODE, code);
    guest.state.rip = CODE;
    guest.state.segments[CpuState.CS].set(0, 0, 0xffff, CODE16);
    return guest.set();
  }

  /** Real mode, all segments at 0. */
  public static SoftGuest real(String code) {
    return real(QUIET, code);
  }

  public static SoftGuest real(VmxControls controls, String code) {
    SoftGuest guest = with(controls, code);
    guest.state.segments[CpuState.CS].set(0, 0, 0xffff, CODE16);
    guest.state.gpr[CpuState.RSP] = 0x8000;
    return guest.set();
  }

  /** 32-bit protected mode, flat, without paging. */
  public static SoftGuest protected32(String code) {
    return protected32(QUIET, code);
  }

  public static SoftGuest protected32(VmxControls controls, String code) {
    SoftGuest guest = with(controls, code);
    guest.state.cr0 = 0x11;
    guest.flat(CODE32, 0x8);
    return guest.set();
  }

  /** 64-bit mode at CPL 0. */
  public static SoftGuest long64(String code) {
    return long64(QUIET, code);
  }

  public static SoftGuest long64(VmxControls controls, String code) {
    SoftGuest guest = with(controls, code);
    guest.memory.writeLong(PML4, PDPT | 7);
    guest.memory.writeLong(PDPT, PD | 7);
    for (int i = 0; i < 512; i++) {
      guest.memory.writeLong(PD + 8 * i, (long) i << 21 | 0x87);
    }
    guest.state.cr0 = 0x80010033L;
    guest.state.cr3 = PML4;
    guest.state.cr4 = 0x620;
    guest.state.efer = 0x500;
    guest.flat(CODE64, 0x8);
    return guest.set();
  }

  private void flat(int code, int selector) {
    memory.writeLong(GDT + 8, code == CODE64 ? 0x00af9b000000ffffL : 0x00cf9b000000ffffL);
    memory.writeLong(GDT + 16, 0x00cf93000000ffffL);
    memory.writeLong(GDT + 0x18, 0x00cff3000000ffffL);
    memory.writeLong(GDT + 0x20, 0x00affb000000ffffL);
    memory.writeLong(GDT + 0x30, 0x00cffb000000ffffL);
    memory.writeLong(GDT + 0x38, 0x00cff3000000ffffL);
    // Call gate for CPL 3 to 8:4000, one parameter.
    memory.writeLong(GDT + 0x40, 0x0000ec0100084000L);
    for (CpuState.Segment segment : state.segments) {
      segment.set(selector + 8, 0, -1, DATA32);
    }
    state.segments[CpuState.CS].set(selector, 0, -1, code);
    state.gdtBase = GDT;
    state.gdtLimit = 0x47;
    state.idtBase = IDT;
    state.idtLimit = 0xfff;
    state.tr.set(0, TSS, 0x67, 0x8b);
  }

  /** A gate of the 64-bit IDT; {@code type} 0x8e for interrupt, 0xee for one that CPL 3 may use. */
  SoftGuest gate64(int vector, long handler, int type, int ist) {
    long low = handler & 0xffff | 0x8L << 16 | (long) ist << 32 | (long) type << 40;
    memory.writeLong(IDT + vector * 16L, low | (handler >>> 16 & 0xffff) << 48);
    memory.writeLong(IDT + vector * 16L + 8, handler >>> 32);
    return this;
  }

  /** A gate of the 32-bit IDT. */
  SoftGuest gate32(int vector, long handler, int type) {
    long low = handler & 0xffff | 0x8L << 16 | (long) type << 40;
    memory.writeLong(IDT + vector * 8L, low | (handler >>> 16 & 0xffff) << 48);
    return this;
  }

  /** Makes {@link #state} the vCPU's. */
  public SoftGuest set() {
    vcpu.writeState(state);
    return this;
  }

  /** Writes bytes given as hexadecimal digits, spaces ignored. */
  public SoftGuest load(long gpa, String hex) {
    byte[] bytes = HexFormat.of().parseHex(hex.replace(" ", ""));
    memory.write(gpa, bytes, 0, bytes.length);
    return this;
  }

  /** Runs to the next exit that is not an EPT violation on RAM; reads the registers back. */
  public VmExit run() {
    do {
      vcpu.run(exit);
      if (exit.reason == ExitReason.EPT_VIOLATION) {
        violations.add(exit.gpa);
      }
    } while (exit.reason == ExitReason.EPT_VIOLATION && vm.resolveEptViolation(exit));
    vcpu.readState(state);
    return exit;
  }

  /** Runs to an exit that must have this reason. */
  public VmExit runTo(ExitReason reason) {
    run();
    if (exit.reason != reason) {
      throw new AssertionError(
          String.format(
              "%s at 0x%x, index %d, error %x, qualification 0x%x; expected %s; unimplemented %s",
              exit.reason,
              exit.rip,
              exit.index,
              exit.errorCode,
              exit.qualification,
              reason,
              vcpu.counters().unimplemented()));
    }
    return exit;
  }

  /** Runs to HLT. */
  public SoftGuest halt() {
    runTo(ExitReason.HLT);
    return this;
  }

  public long reg(int n) {
    return state.gpr[n];
  }
}
