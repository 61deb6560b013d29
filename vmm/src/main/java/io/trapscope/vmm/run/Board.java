package io.trapscope.vmm.run;

import io.trapscope.vmm.device.Bus;
import io.trapscope.vmm.device.ConsoleOutput;
import io.trapscope.vmm.device.InterruptSource;
import io.trapscope.vmm.device.MachineControl;
import io.trapscope.vmm.device.Timers;
import io.trapscope.vmm.memory.GuestMemory;
import io.trapscope.vmm.memory.MemoryRegion;
import java.util.List;

/** Everything around the processors: a board makes its devices and plugs them into the bus. */
public interface Board {

  /**
   * What a board builds on.
   *
   * @param bus where devices are mapped; RAM is on it already
   * @param timers guest time
   * @param memory guest RAM
   * @param ram where RAM lies
   * @param cpus number of vCPUs
   * @param console what the guest's first serial port writes goes here
   * @param control how a device ends the run
   */
  record Slots(
      Bus bus,
      Timers timers,
      GuestMemory memory,
      List<MemoryRegion> ram,
      int cpus,
      ConsoleOutput console,
      MachineControl control) {}

  /** Makes the devices and maps them. Called once, before the guest is loaded. */
  void build(Slots slots);

  /** The processors' side of the interrupt controllers. */
  InterruptSource interrupts();

  CpuidModel cpuid();

  MsrModel msrs();

  /**
   * Offers bytes typed at the console to the first serial port.
   *
   * @return how many of them it took, 0 to {@code length}; the rest is offered again later
   */
  int consoleInput(byte[] bytes, int offset, int length);
}
