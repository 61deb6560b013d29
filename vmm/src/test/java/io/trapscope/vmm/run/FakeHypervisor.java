package io.trapscope.vmm.run;

import io.trapscope.recorder.event.ExitReason;
import io.trapscope.vmm.hypervisor.CpuState;
import io.trapscope.vmm.hypervisor.Hypervisor;
import io.trapscope.vmm.hypervisor.Vcpu;
import io.trapscope.vmm.hypervisor.Vm;
import io.trapscope.vmm.hypervisor.VmConfig;
import io.trapscope.vmm.hypervisor.VmExit;
import io.trapscope.vmm.memory.GuestMemory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
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

  /** RAM from 0 on in one array. */
  static final class ArrayMemory implements GuestMemory {
    private final ByteBuffer bytes;

    ArrayMemory(int size) {
      bytes = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public boolean contains(long gpa, long length) {
      return gpa >= 0 && length >= 0 && gpa <= bytes.capacity() - length;
    }

    private int at(long gpa, int length) {
      if (!contains(gpa, length)) {
        throw new IndexOutOfBoundsException("no RAM at 0x" + Long.toHexString(gpa));
      }
      return (int) gpa;
    }

    @Override
    public void read(long gpa, byte[] to, int offset, int length) {
      bytes.get(at(gpa, length), to, offset, length);
    }

    @Override
    public void write(long gpa, byte[] from, int offset, int length) {
      bytes.put(at(gpa, length), from, offset, length);
    }

    @Override
    public byte readByte(long gpa) {
      return bytes.get(at(gpa, 1));
    }

    @Override
    public short readShort(long gpa) {
      return bytes.getShort(at(gpa, 2));
    }

    @Override
    public int readInt(long gpa) {
      return bytes.getInt(at(gpa, 4));
    }

    @Override
    public long readLong(long gpa) {
      return bytes.getLong(at(gpa, 8));
    }

    @Override
    public void writeByte(long gpa, byte value) {
      bytes.put(at(gpa, 1), value);
    }

    @Override
    public void writeShort(long gpa, short value) {
      bytes.putShort(at(gpa, 2), value);
    }

    @Override
    public void writeInt(long gpa, int value) {
      bytes.putInt(at(gpa, 4), value);
    }

    @Override
    public void writeLong(long gpa, long value) {
      bytes.putLong(at(gpa, 8), value);
    }
  }
}
