package io.trapscope.vmm.hypervisor;

/** A way to run guests. One instance serves any number of machines. */
public interface Hypervisor extends AutoCloseable {

  /**
   * The back end's name as in {@code --accel} and the trace header: {@code kvm} or {@code soft}.
   */
  String name();

  /**
   * Makes a machine with its memory and vCPUs, all vCPUs in their reset state.
   *
   * @throws HypervisorException where the host refuses a step; the message names the step and the
   *     host's own reason
   */
  Vm createVm(VmConfig config);

  @Override
  void close();
}
