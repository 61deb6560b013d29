package io.trapscope.vmm.run;

import io.trapscope.vmm.cpuid.CpuModel;
import io.trapscope.vmm.cpuid.KvmClock;
import io.trapscope.vmm.cpuid.ModelRegisters;
import io.trapscope.vmm.device.Bus;
import io.trapscope.vmm.device.ControlPortA;
import io.trapscope.vmm.device.DebugConsole;
import io.trapscope.vmm.device.DebugExit;
import io.trapscope.vmm.device.I8042;
import io.trapscope.vmm.device.InterruptFabric;
import io.trapscope.vmm.device.InterruptSource;
import io.trapscope.vmm.device.LocalApic;
import io.trapscope.vmm.device.PciHost;
import io.trapscope.vmm.device.Pit;
import io.trapscope.vmm.device.PostCode;
import io.trapscope.vmm.device.Rtc;
import io.trapscope.vmm.device.Tsc;
import io.trapscope.vmm.device.Uart16550;
import io.trapscope.vmm.hypervisor.VmExit;
import io.trapscope.vmm.memory.MemoryLayout;
import io.trapscope.vmm.memory.MemoryRegion;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SortedMap;

/** A plain PC without disks: what kernels expect to find, at the addresses where they look. */
public final class PcBoard implements Board {
  private static final int COM1 = 0x3f8;
  private static final int COM1_IRQ = 4;
  private static final int RTC_IRQ = 8;
  private static final int IO_APIC_BYTES = 0x1000;

  /** A guest clock's nanosecond is a count of the time-stamp counter. */
  private static final long TSC_HZ = 1_000_000_000;

  private CpuModel model;
  private Tsc tsc;
  private InterruptFabric fabric;
  private ModelRegisters registers;
  private Uart16550 uart;
  private int cpus;

  @Override
  public void build(Slots slots) {
    model = CpuModel.of(slots.cpuModel());
    cpus = slots.cpus();
    tsc = new Tsc(TSC_HZ);
    fabric = new InterruptFabric(cpus, slots.timers(), tsc, slots.signals());
    KvmClock clock =
        new KvmClock(slots.memory(), slots.timers(), tsc, cpus, slots.wallClockNanos());
    registers = new ModelRegisters(fabric, slots.timers(), tsc, clock, cpus);
    interruptControllers(slots.bus());
    timersAndClock(slots);
    legacy(slots);
    uart = new Uart16550("uart0", slots.timers(), fabric.line(COM1_IRQ), slots.console()::accept);
    slots.bus().mapPorts(COM1, 8, 1, uart);
  }

  private void interruptControllers(Bus bus) {
    bus.mapPorts(0x20, 2, 1, fabric.pic().masterPorts());
    bus.mapPorts(0xa0, 2, 1, fabric.pic().slavePorts());
    bus.mapPorts(0x4d0, 2, 1, fabric.pic().elcrPorts());
    bus.mapMemory(MemoryLayout.IO_APIC, IO_APIC_BYTES, 4, fabric.ioApic());
    bus.mapMemory(MemoryLayout.LOCAL_APIC, MemoryLayout.PAGE_SIZE, 4, fabric.apicRegisters());
  }

  private void timersAndClock(Slots slots) {
    Pit pit = new Pit(slots.timers(), fabric.line(0));
    slots.bus().mapPorts(0x40, 4, 1, pit.ports());
    slots.bus().mapPorts(0x61, 1, pit.controlPortB());
    List<MemoryRegion> ram = slots.ram();
    long high = ram.size() > 1 ? ram.get(1).length() : 0;
    slots
        .bus()
        .mapPorts(
            0x70,
            2,
            1,
            new Rtc(
                slots.timers(),
                fabric.line(RTC_IRQ),
                slots.wallClockNanos(),
                ram.get(0).end(),
                high));
  }

  private static void legacy(Slots slots) {
    Bus bus = slots.bus();
    I8042 keyboard = new I8042(slots.control());
    bus.mapPorts(0x60, 1, keyboard.dataPort());
    bus.mapPorts(0x64, 1, keyboard.commandPort());
    bus.mapPorts(PostCode.PORT, 1, new PostCode());
    bus.mapPorts(0x92, 1, new ControlPortA(slots.control()));
    bus.mapPorts(0xe9, 1, new DebugConsole(slots.console()::accept));
    bus.mapPorts(DebugExit.PORT, 4, new DebugExit(slots.control()));
    bus.mapPorts(0xcf8, 8, new PciHost(slots.control()));
  }

  @Override
  public InterruptSource interrupts() {
    return fabric;
  }

  @Override
  public CpuidModel cpuid() {
    return (vcpu, leaf, subleaf, result) -> {
      boolean apic = (fabric.apic(vcpu).baseMsr() & LocalApic.BASE_ENABLE) != 0;
      model.query(leaf, subleaf, vcpu, cpus, apic, TSC_HZ, result);
    };
  }

  @Override
  public MsrModel msrs() {
    long[] value = new long[1];
    return new MsrModel() {
      @Override
      public boolean read(int vcpu, VmExit exit) {
        boolean there = registers.read(vcpu, exit.index, value);
        exit.value = value[0];
        return there;
      }

      @Override
      public boolean write(int vcpu, VmExit exit) {
        return registers.write(vcpu, exit.index, exit.value);
      }
    };
  }

  @Override
  public void accessBy(int vcpu) {
    fabric.setCurrent(vcpu);
  }

  @Override
  public void taskPriority(int vcpu, int priority) {
    fabric.apic(vcpu).setCr8(priority);
  }

  @Override
  public List<String> anomalies() {
    List<String> lines = new ArrayList<>();
    describe("RDMSR", registers.unknownReads(), lines);
    describe("WRMSR", registers.unknownWrites(), lines);
    return lines;
  }

  private static void describe(String what, SortedMap<Integer, Long> counts, List<String> lines) {
    counts.forEach(
        (index, times) ->
            lines.add(
                String.format(
                    Locale.ROOT, "%s of 0x%x, which is not there: %d times", what, index, times)));
  }

  @Override
  public int consoleInput(byte[] bytes, int offset, int length) {
    uart.receive(bytes, offset, length);
    return length;
  }
}
