package io.trapscope.vmm.pc;

import io.trapscope.vmm.cpuid.CpuModel;
import io.trapscope.vmm.cpuid.KvmClock;
import io.trapscope.vmm.cpuid.ModelRegisters;
import io.trapscope.vmm.device.AcpiPm;
import io.trapscope.vmm.device.Bus;
import io.trapscope.vmm.device.ControlPortA;
import io.trapscope.vmm.device.DebugConsole;
import io.trapscope.vmm.device.DebugExit;
import io.trapscope.vmm.device.DmaPages;
import io.trapscope.vmm.device.I8042;
import io.trapscope.vmm.device.InterruptFabric;
import io.trapscope.vmm.device.InterruptLine;
import io.trapscope.vmm.device.InterruptSource;
import io.trapscope.vmm.device.MachineControl;
import io.trapscope.vmm.device.PciHost;
import io.trapscope.vmm.device.Pic;
import io.trapscope.vmm.device.Pit;
import io.trapscope.vmm.device.PostCode;
import io.trapscope.vmm.device.Rtc;
import io.trapscope.vmm.device.Timers;
import io.trapscope.vmm.device.Tsc;
import io.trapscope.vmm.device.Uart16550;
import io.trapscope.vmm.hypervisor.HostInterrupts;
import io.trapscope.vmm.hypervisor.VmExit;
import io.trapscope.vmm.memory.MemoryLayout;
import io.trapscope.vmm.memory.MemoryRegion;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SortedMap;

/**
 * A PC without disk, screen and keyboard: interrupt controllers, timers, a serial port, clock, PCI
 * host, ACPI power management, and the ports that reset.
 */
public final class PcBoard implements Board {
  /**
   * Rate of the time-stamp counter: one count a nanosecond of guest time, as {@code soft} counts.
   * KVM has a counter of its own, and answers for it and for CPUID itself.
   */
  private static final long TSC_HZ = 1_000_000_000;

  private static final int COM1 = 0x3f8;
  private static final int COM1_IRQ = 4;
  private static final int RTC_IRQ = 8;
  private static final int PAGE = 4096;

  /** Typed bytes that the serial port's queue holds at most; the rest waits with the host. */
  private static final int CONSOLE_QUEUE = 4096;

  private final Tsc tsc = new Tsc(TSC_HZ);

  private CpuModel cpuModel;
  private InterruptFabric fabric;
  private ModelRegisters registers;
  private Uart16550 uart;
  private int cpus;
  private HostInterrupts host;

  @Override
  public void build(Slots slots) {
    Bus bus = slots.bus();
    Timers timers = slots.timers();
    long wallClock = slots.wallClockNanos();
    cpuModel = CpuModel.of(slots.cpuModel());
    cpus = slots.cpus();
    host = slots.host();
    fabric = new InterruptFabric(cpus, timers, tsc, slots.signals(), host);
    KvmClock clock = new KvmClock(slots.memory(), timers, tsc, cpus, wallClock);
    registers = new ModelRegisters(fabric, timers, tsc, clock, cpus);
    uart = new Uart16550("uart0", timers, line(COM1_IRQ), value -> slots.console().accept(value));
    bus.mapPorts(COM1, 8, 1, uart);
    if (!isComplete(host)) {
      mapInterruptControllers(bus);
    }
    mapTimers(bus, timers, slots.ram(), wallClock);
    mapChipset(bus, timers, slots.control());
    bus.mapPorts(DebugConsole.PORT, 1, new DebugConsole(value -> slots.console().accept(value)));
  }

  private static boolean isComplete(HostInterrupts host) {
    return host != null && host.isComplete();
  }

  /** The wire of an ISA IRQ, to whoever has the interrupt controllers. */
  private InterruptLine line(int irq) {
    return isComplete(host) ? asserted -> host.line(irq, asserted) : fabric.line(irq);
  }

  private void mapInterruptControllers(Bus bus) {
    Pic pic = fabric.pic();
    bus.mapPorts(0x20, 2, 1, pic.masterPorts());
    bus.mapPorts(0xa0, 2, 1, pic.slavePorts());
    bus.mapPorts(0x4d0, 2, 1, pic.elcrPorts());
    bus.mapMemory(MemoryLayout.IO_APIC, PAGE, 4, fabric.ioApic());
    if (host == null) {
      bus.mapMemory(MemoryLayout.LOCAL_APIC, PAGE, 4, fabric.apicRegisters());
    }
  }

  private void mapTimers(Bus bus, Timers timers, List<MemoryRegion> ram, long wallClock) {
    if (!isComplete(host)) {
      Pit pit = new Pit(timers, fabric.line(0));
      bus.mapPorts(0x40, 4, 1, pit.ports());
      bus.mapPorts(0x61, 1, 1, pit.controlPortB());
    }
    long high = ram.size() > 1 ? ram.get(1).length() : 0;
    Rtc rtc = new Rtc(timers, line(RTC_IRQ), wallClock, ram.get(0).end(), high);
    bus.mapPorts(0x70, 2, 1, rtc);
  }

  private static void mapChipset(Bus bus, Timers timers, MachineControl control) {
    I8042 keyboard = new I8042(control);
    bus.mapPorts(0x60, 1, 1, keyboard.dataPort());
    bus.mapPorts(0x64, 1, 1, keyboard.commandPort());
    bus.mapPorts(0x92, 1, 1, new ControlPortA(control));
    bus.mapPorts(PostCode.PORT, 1, 1, new PostCode());
    bus.mapPorts(DmaPages.PORT, DmaPages.PORTS, 1, new DmaPages());
    bus.mapPorts(DebugExit.PORT, 4, new DebugExit(control));
    bus.mapPorts(PciHost.PORT, PciHost.PORTS, 4, new PciHost(control));
    bus.mapPorts(AcpiPm.PORT, AcpiPm.PORTS, 4, new AcpiPm(timers, control));
  }

  @Override
  public InterruptSource interrupts() {
    return fabric;
  }

  @Override
  public CpuidModel cpuid() {
    return (vcpu, leaf, subleaf, result) ->
        cpuModel.query(leaf, subleaf, vcpu, cpus, fabric.apic(vcpu).isEnabled(), tsc.hz(), result);
  }

  @Override
  public MsrModel msrs() {
    return new MsrModel() {
      private final long[] value = new long[1];

      @Override
      public boolean read(int vcpu, VmExit exit) {
        boolean known = registers.read(vcpu, exit.index, value);
        exit.value = value[0];
        return known;
      }

      @Override
      public boolean write(int vcpu, VmExit exit) {
        return registers.write(vcpu, exit.index, exit.value);
      }
    };
  }

  @Override
  public int consoleInput(byte[] bytes, int offset, int length) {
    int taken = Math.min(length, Math.max(0, CONSOLE_QUEUE - uart.unread()));
    uart.receive(bytes, offset, taken);
    return taken;
  }

  @Override
  public void accessBy(int vcpu) {
    fabric.setCurrent(vcpu);
  }

  @Override
  public void endOfInterrupt(int vector) {
    fabric.endOfInterrupt(vector);
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
}
