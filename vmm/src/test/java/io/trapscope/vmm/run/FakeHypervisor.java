package io.trapscope.vmm.run;

import io.trapscope.recorder.event.ExitReason;
import io.trapscope.vmm.hypervisor.CpuState;
import io.trapscope.vmm.hypervisor.FaultHandler;
import io.trapscope.vmm.hypervisor.Hypervisor;
import io.trapscope.vmm.hypervisor.Vcpu;
import io.trapscope.vmm.hypervisor.Vm;
import io.trapscope.vmm.hypervisor.VmConfig;
import io.trapscope.vmm.hypervisor.VmExit;
import io.trapscope.vmm.memory.ArrayMemory;
import io.trapscope.vmm.memory.GuestMemory;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * A back end that plays a script: each entry takes the next step, which fills in an exit by hand.
 * Past the script's end every entry ends in a triple fault. Its clock moves 100 ns an entry and
 * jumps when idle.
 */
final class FakeHypervisor implements Hypervisor {
  private static final int MEMORY = 4 << 20;

  final List<Consumer<VmExit>> script = new ArrayList<>();

  /** What the loop did to the vCPU between entries, in order. */
  final List<String> calls = new ArrayList<>();

  final FakeVcpu vcpu = new FakeVcpu();
  final ArrayMemory memory = new ArrayMemory(MEMORY);

  /** Who wants to be told of faults on memory; null for nobody. */
  volatile FaultHandler faults;

  /** Adds a step. */
  FakeHypervisor then(ExitReason reason, Consumer<VmExit> details) {
    script.add(
        exit -> {
          exit.reason = reason;
          details.accept(exit);
        });
    return this;
  }

  /** Adds a one-byte OUT. */
  FakeHypervisor out(int port, int value) {
    return then(
        ExitReason.IO_INSTRUCTION,
        exit -> {
          exit.port = port;
          exit.size = 1;
          exit.write = true;
          exit.value = value;
          exit.captured |= VmExit.VALUE;
        });
  }

  @Override
  public String name() {
    return "fake";
  }

  @Override
  public Vm createVm(VmConfig config) {
    vcpu.step = 0;
    vcpu.clock = 0;
    vcpu.kicked = false;
    return new FakeVm();
  }

  @Override
  public void close() {}

  /** One vCPU that plays the script. */
  final class FakeVcpu implements Vcpu {
    boolean interruptsOn = true;
    private int step;
    private long clock;
    private volatile boolean kicked;

    @Override
    public int index() {
      return 0;
    }

    @Override
    public void run(VmExit out) {
      out.reset();
      clock += 100;
      out.instructions = 10L * (step + 1);
      out.captured |= VmExit.INSTRUCTIONS;
      if (kicked) {
        kicked = false;
        out.reason = ExitReason.INTERRUPTED;
      } else if (step < script.size()) {
        script.get(step++).accept(out);
      } else {
        out.reason = ExitReason.TRIPLE_FAULT;
      }
    }

    @Override
    public void kick() {
      kicked = true;
    }

    @Override
    public boolean interruptible() {
      return interruptsOn;
    }

    @Override
    public void injectInterrupt(int vector) {
      calls.add("inject " + vector);
    }

    @Override
    public void injectNmi() {
      calls.add("nmi");
    }

    @Override
    public void requestInterruptWindow(boolean wanted) {
      calls.add("window " + wanted);
    }

    @Override
    public long guestNanos() {
      return clock;
    }

    @Override
    public void setDeadline(long guestNanos) {
      calls.add("deadline " + (guestNanos == Long.MAX_VALUE ? "never" : guestNanos));
    }

    @Override
    public void idleUntil(long guestNanos) {
      calls.add("idle until " + guestNanos);
      clock = Math.max(clock, guestNanos);
    }

    @Override
    public long instructions() {
      return 10L * step;
    }

    @Override
    public void setTaskPriority(int priority) {
      calls.add("CR8 " + priority);
    }

    @Override
    public void readState(CpuState state) {}

    @Override
    public void writeState(CpuState state) {}

    @Override
    public void close() {}
  }

  private final class FakeVm implements Vm {
    @Override
    public GuestMemory memory() {
      return memory;
    }

    @Override
    public List<Vcpu> vcpus() {
      return List.of(vcpu);
    }

    @Override
    public boolean resolveEptViolation(VmExit exit) {
      return memory.contains(exit.gpa, 1);
    }

    @Override
    public void onFault(FaultHandler handler) {
      faults = handler;
    }

    @Override
    public Set<ExitReason> surfacedExits() {
      return Set.of(ExitReason.values());
    }

    @Override
    public Map<ExitReason, String> unseenExits() {
      return Map.of();
    }

    @Override
    public void close() {}
  }
}
