package io.trapscope.vmm.pc;

import io.trapscope.vmm.device.Bus;
import io.trapscope.vmm.device.ConsoleOutput;
import io.trapscope.vmm.device.InterruptSource;
import io.trapscope.vmm.device.MachineControl;
import io.trapscope.vmm.device.ProcessorSignals;
import io.trapscope.vmm.device.Timers;
import io.trapscope.vmm.hypervisor.HostInterrupts;
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
   * @param signals how an interrupt controller reaches the processors
   * @param cpuModel name of the CPUID model
   * @param wallClockNanos ns since 1970-01-01T00:00Z at guest time 0
   * @param host the interrupt controllers of the host's kernel, which the board then leaves out;
   *     null for none
   */
  record Slots(
      Bus bus,
      Timers timers,
      GuestMemory memory,
      List<MemoryRegion> ram,
      int cpus,
      ConsoleOutput console,
      MachineControl control,
      ProcessorSignals signals,
      String cpuModel,
      long wallClockNanos,
      HostInterrupts host) {}

  /** Makes the devices and maps them. Called once, before the guest is loaded. */
  void build(Slots slots);

  /** The processors' side of the interrupt controllers. */
  InterruptSource interrupts();

  CpuidModel cpuid();

  MsrModel msrs();

  /** The accesses that follow come from this vCPU; called where there is more than one. */
  default void accessBy(int vcpu) {}

  /** The host's local APICs ended a level-triggered interrupt. */
  default void endOfInterrupt(int vector) {}

  /** The guest wrote the task priority in CR8, 0 to 15. */
  default void taskPriority(int vcpu, int priority) {}

  /** Lines about what the guest asked for and did not get, for the end of the run. */
  default List<String> anomalies() {
    return List.of();
  }

  /**
   * Offers bytes typed at the console to the first serial port.
   *
   * @return how many of them it took, 0 to {@code length}; the rest is offered again later
   */
  int consoleInput(byte[] bytes, int offset, int length);
}
