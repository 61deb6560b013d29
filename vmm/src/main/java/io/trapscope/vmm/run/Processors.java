package io.trapscope.vmm.run;

import io.trapscope.vmm.device.ProcessorSignals;
import io.trapscope.vmm.hypervisor.CpuState;
import io.trapscope.vmm.hypervisor.Vcpu;
import java.util.List;

/**
 * What the interrupt controllers tell the vCPUs besides interrupts: INIT, start-up and NMI. All but
 * the first vCPU wait for a start-up message at first (Intel SDM volume 3, section 9.4.3). Used
 * under the device lock.
 */
final class Processors implements ProcessorSignals {
  private static final int NONE = -1;
  private static final int REAL_CODE = 0x9b;
  private static final int REAL_DATA = 0x93;

  private final List<Vcpu> vcpus;
  private final RunState run;

  /** Whether each runs on a thread of its own, and has to be called out of its guest. */
  private final boolean threads;

  private final boolean[] waiting;
  private final boolean[] nmi;
  private final int[] start;

  /**
   * All but the first wait.
   *
   * @param inHost whether the host's local APICs start them: then every one may enter its guest
   */
  Processors(List<Vcpu> vcpus, RunState run, boolean threads, boolean inHost) {
    this.vcpus = vcpus;
    this.run = run;
    this.threads = threads;
    this.waiting = new boolean[vcpus.size()];
    this.nmi = new boolean[vcpus.size()];
    this.start = new int[vcpus.size()];
    for (int i = 0; i < start.length; i++) {
      start[i] = NONE;
      waiting[i] = i > 0 && !inHost;
      if (waiting[i]) {
        run.park(i, "");
      }
    }
  }

  /** The loop looks at every vCPU's interrupts after each access to a device. */
  @Override
  public void interrupt(int vcpu) {}

  @Override
  public void nmi(int vcpu) {
    nmi[vcpu] = true;
    callOut(vcpu);
  }

  private void callOut(int vcpu) {
    run.unpark(vcpu);
    if (threads) {
      vcpus.get(vcpu).kick();
      run.wake();
    }
  }

  @Override
  public void init(int vcpu) {
    waiting[vcpu] = true;
    start[vcpu] = NONE;
    callOut(vcpu);
  }

  @Override
  public void startUp(int vcpu, int vector) {
    if (waiting[vcpu]) {
      start[vcpu] = vector;
      run.unpark(vcpu);
      run.wake();
    }
  }

  @Override
  public void taskPriority(int vcpu, int priority) {
    vcpus.get(vcpu).setTaskPriority(priority);
  }

  /** Whether the vCPU may enter its guest; starts it where a start-up message came. */
  boolean ready(Vcpu vcpu) {
    int index = vcpu.index();
    if (!waiting[index]) {
      if (nmi[index]) {
        nmi[index] = false;
        vcpu.injectNmi();
      }
      return true;
    }
    if (start[index] == NONE) {
      run.park(index, "every vCPU waits for a start-up message or is halted");
      return false;
    }
    CpuState state = new CpuState();
    vcpu.readState(state);
    reset(state, start[index]);
    vcpu.writeState(state);
    waiting[index] = false;
    start[index] = NONE;
    run.unpark(index);
    return true;
  }

  /** Whether something other than an interrupt ends a halt: an NMI or INIT. */
  boolean wakes(int vcpu) {
    return waiting[vcpu] || nmi[vcpu];
  }

  private static void reset(CpuState state, int vector) {
    java.util.Arrays.fill(state.gpr, 0);
    state.rip = 0;
    state.rflags = 2;
    for (CpuState.Segment segment : state.segments) {
      segment.set(0, 0, 0xffff, REAL_DATA);
    }
    state.segments[CpuState.CS].set(vector << 8, (long) vector << 12, 0xffff, REAL_CODE);
    state.gdtBase = 0;
    state.gdtLimit = 0xffff;
    state.idtBase = 0;
    state.idtLimit = 0xffff;
    state.cr0 = 0x6000_0010;
    state.cr2 = 0;
    state.cr3 = 0;
    state.cr4 = 0;
    state.cr8 = 0;
    state.efer = 0;
  }
}
