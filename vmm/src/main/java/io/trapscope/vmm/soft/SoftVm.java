package io.trapscope.vmm.soft;

import io.trapscope.recorder.event.ExitReason;
import io.trapscope.vmm.hypervisor.NestedWalk;
import io.trapscope.vmm.hypervisor.Vcpu;
import io.trapscope.vmm.hypervisor.Vm;
import io.trapscope.vmm.hypervisor.VmConfig;
import io.trapscope.vmm.hypervisor.VmExit;
import io.trapscope.vmm.memory.GuestMemory;
import io.trapscope.vmm.memory.MemoryLayout;
import io.trapscope.vmm.soft.mmu.Ept;
import io.trapscope.vmm.soft.mmu.GuestRam;
import io.trapscope.vmm.soft.mmu.HostMemory;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A machine of software processors. Whoever runs it runs one vCPU at a time, so that every
 * instruction is atomic and memory is strongly ordered.
 */
public final class SoftVm implements Vm {
  /** Bit of a GPA at which the index into the EPT PML4 starts, and bits of each level's index. */
  private static final int EPT_TOP_SHIFT = 39;

  private static final int EPT_INDEX_BITS = 9;
  private static final long EPT_ADDRESS = 0xf_ffff_ffff_f000L;

  private final VmxControls controls;
  private final GuestRam ram;
  private final HostMemory host = new HostMemory();
  private final Ept ept = new Ept(host);
  private final List<SoftVcpu> vcpus = new ArrayList<>();

  SoftVm(VmConfig config, VmxControls controls) {
    this.controls = controls;
    long[][] regions =
        MemoryLayout.ram(config.memoryBytes()).stream()
            .map(region -> new long[] {region.base(), region.length()})
            .toArray(long[][]::new);
    ram = new GuestRam(host, regions);
    for (int i = 0; i < config.cpus(); i++) {
      vcpus.add(new SoftVcpu(i, ram, ept, controls, AbsentFeatures.of(config.cpuModel())));
    }
  }

  @Override
  public GuestMemory memory() {
    return ram;
  }

  @Override
  public List<Vcpu> vcpus() {
    return List.copyOf(vcpus);
  }

  /** The machine's EPT, for reports of a translation. */
  public Ept ept() {
    return ept;
  }

  /** The modelled host-physical memory. */
  public HostMemory hostMemory() {
    return host;
  }

  /** Maps one 4 KiB page, as the violation asked for. */
  @Override
  public boolean resolveEptViolation(VmExit exit) {
    if (!ram.isRam(exit.gpa)) {
      return false;
    }
    long page = exit.gpa & -4096L;
    exit.firstTouch = ept.rights(page) == 0;
    long hpa = ram.frame(page).hpa;
    ept.map(page, hpa, 12);
    exit.hpa = hpa | exit.gpa & 4095;
    exit.hva = ram.hva(exit.gpa);
    exit.eptPageShift = 12;
    exit.captured |= VmExit.HPA | VmExit.HVA | VmExit.EPT_PAGE | VmExit.FIRST_TOUCH;
    return true;
  }

  @Override
  public NestedWalk walk(long gpa) {
    long[] entries = ept.walk(gpa);
    List<NestedWalk.Step> steps = new ArrayList<>();
    long table = ept.pointer();
    int shift = EPT_TOP_SHIFT;
    for (int i = 0; i < entries.length; i++, shift -= EPT_INDEX_BITS) {
      int entryIndex = (int) (gpa >>> shift) & (1 << EPT_INDEX_BITS) - 1;
      steps.add(new NestedWalk.Step(4 - i, entryIndex, table + 8L * entryIndex, entries[i]));
      table = entries[i] & EPT_ADDRESS;
    }
    shift += EPT_INDEX_BITS;
    long leaf = entries[entries.length - 1];
    if ((leaf & Ept.READ) == 0) {
      return new NestedWalk(gpa, "EPT: not mapped", steps, 0, -1, -1);
    }
    long inPage = (1L << shift) - 1;
    long hpa = leaf & EPT_ADDRESS & ~inPage | gpa & inPage;
    return new NestedWalk(gpa, "EPT", steps, shift, hpa, ram.hva(gpa));
  }

  @Override
  public Set<ExitReason> surfacedExits() {
    return controls.exits();
  }

  @Override
  public Map<ExitReason, String> unseenExits() {
    return controls.unseen();
  }

  /** Opcodes and features that this processor does not have, with how often the guest used them. */
  @Override
  public List<String> anomalies() {
    List<String> lines = new ArrayList<>();
    for (SoftVcpu vcpu : vcpus) {
      vcpu.counters()
          .unimplemented()
          .forEach((what, times) -> lines.add(what + ", not implemented: " + times + " times"));
    }
    return lines;
  }

  @Override
  public void close() {}
}
