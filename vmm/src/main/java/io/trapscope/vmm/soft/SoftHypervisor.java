package io.trapscope.vmm.soft;

import io.trapscope.vmm.hypervisor.Hypervisor;
import io.trapscope.vmm.hypervisor.Vm;
import io.trapscope.vmm.hypervisor.VmConfig;
import io.trapscope.vmm.soft.decode.OpcodeTable;
import java.util.concurrent.CompletableFuture;

/** The back end {@code soft}: needs nothing of the host. */
public final class SoftHypervisor implements Hypervisor {
  private final VmxControls controls;

  public SoftHypervisor() {
    this(VmxControls.DEFAULT);
  }

  public SoftHypervisor(VmxControls controls) {
    this.controls = controls;
    // The decoder's tables take a while; whoever opens this reads the guest's files first.
    CompletableFuture.runAsync(OpcodeTable::get);
  }

  @Override
  public String name() {
    return "soft";
  }

  @Override
  public Vm createVm(VmConfig config) {
    return new SoftVm(config, controls);
  }

  @Override
  public void close() {}
}
