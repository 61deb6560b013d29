package io.trapscope.cli;

import io.trapscope.vmm.device.ConsoleFilter;
import io.trapscope.vmm.hypervisor.HostOptions;
import io.trapscope.vmm.run.Until;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * One run as asked for.
 *
 * @param guest what runs
 * @param memoryBytes guest RAM
 * @param cpus number of vCPUs
 * @param cpuModel name of the processor as CPUID shows it
 * @param until what ends the run before the guest does; null for nothing
 * @param timeout host time after which it ends; null for never
 * @param watchdog host time without an exit after which it ends; null for any
 * @param filter what console output goes through
 * @param realTime whether a halted guest waits on the host's clock
 * @param directory where the trace goes; null for no recording
 * @param force whether a trace that is there is replaced
 * @param keptBytes bytes of a file of the guest up to which the trace keeps a copy
 * @param commandLine the words of the command, for the trace's header
 * @param events which events it gets
 * @param host what is asked of the host's KVM
 */
record RecordPlan(
    GuestChoice guest,
    long memoryBytes,
    int cpus,
    String cpuModel,
    Until until,
    Duration timeout,
    Duration watchdog,
    ConsoleFilter filter,
    boolean realTime,
    Path directory,
    boolean force,
    long keptBytes,
    List<String> commandLine,
    EventPlan events,
    HostOptions host) {}
