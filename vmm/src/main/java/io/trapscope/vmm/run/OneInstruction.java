package io.trapscope.vmm.run;

import io.trapscope.recorder.event.ExitReason;
import io.trapscope.vmm.hypervisor.CpuState;
import io.trapscope.vmm.hypervisor.Vcpu;
import io.trapscope.vmm.hypervisor.Vm;
import io.trapscope.vmm.hypervisor.VmConfig;
import io.trapscope.vmm.hypervisor.VmExit;
import io.trapscope.vmm.memory.GuestMemory;
import io.trapscope.vmm.memory.MemoryLayout;
import io.trapscope.vmm.soft.SoftHypervisor;
import io.trapscope.vmm.soft.VmxControls;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Carries out one instruction that the back end could not: the software processor takes over a
 * vCPU's registers, executes the instruction at RIP on guest memory, and gives the registers back.
 * An exception that the instruction raises is delivered, so that the vCPU goes on in its handler.
 *
 * <p>The software processor has a memory of its own. Each page that it needs is an EPT violation
 * there, and is copied then; what the instruction changes is copied back, byte by byte, so that
 * another vCPU's stores around it are not undone. It is not atomic towards other vCPUs.
 *
 * <p>Used by one vCPU's thread under the device lock.
 */
final class OneInstruction {
  /** The model with every instruction that the software processor has. */
  private static final String MODEL = "x86-64-v2";

  private static final int PAGE = MemoryLayout.PAGE_SIZE;

  /** With more pages than this to refresh, beginning anew is cheaper. */
  private static final int MOST_PAGES = 64;

  /** Exits that one instruction can have at most: page-table walks and accesses, with room. */
  private static final int MOST_EXITS = 1000;

  private final GuestMemory memory;
  private final long memoryBytes;
  private final CpuState state = new CpuState();
  private final VmExit exit = new VmExit();

  /** Pages that the software processor has, as they were before the instruction. */
  private final Map<Long, byte[]> pages = new HashMap<>();

  private Vm soft;
  private Vcpu processor;

  OneInstruction(GuestMemory memory, long memoryBytes) {
    this.memory = memory;
    this.memoryBytes = memoryBytes;
    state.more = new CpuState.More();
  }

  /**
   * Executes the instruction at which the vCPU stands.
   *
   * @param devices answers the accesses to devices that it makes
   * @return false where the software processor does not have it either; nothing has changed then,
   *     accesses to devices aside
   */
  boolean execute(Vcpu vcpu, Consumer<VmExit> devices) {
    refresh();
    vcpu.readState(state);
    processor.writeState(state);
    List<String> lacking = soft.anomalies();
    processor.setDeadline(processor.guestNanos() + 1);
    boolean done = step(devices) && soft.anomalies().equals(lacking);
    if (!done) {
      soft = null;
      return false;
    }
    processor.readState(state);
    pages.forEach(this::copyBack);
    vcpu.writeState(state);
    return true;
  }

  /** Makes the pages that are there what the vCPU sees. */
  private void refresh() {
    if (soft == null || pages.size() > MOST_PAGES) {
      pages.clear();
      soft =
          new SoftHypervisor(new VmxControls(0, false))
              .createVm(new VmConfig(memoryBytes, 1, MODEL));
      processor = soft.vcpus().get(0);
      return;
    }
    for (Map.Entry<Long, byte[]> page : pages.entrySet()) {
      byte[] now = new byte[PAGE];
      memory.read(page.getKey(), now, 0, PAGE);
      byte[] there = new byte[PAGE];
      soft.memory().read(page.getKey(), there, 0, PAGE);
      if (!Arrays.equals(now, there)) {
        soft.memory().write(page.getKey(), now, 0, PAGE);
      }
      page.setValue(now);
    }
  }

  private boolean step(Consumer<VmExit> devices) {
    for (int i = 0; i < MOST_EXITS; i++) {
      processor.run(exit);
      ExitReason reason = exit.reason;
      if (reason == ExitReason.PREEMPTION_TIMER) {
        return true;
      }
      if (reason == ExitReason.EPT_VIOLATION) {
        if (!take(exit.gpa & -PAGE)) {
          return false;
        }
        soft.resolveEptViolation(exit);
      } else if (reason == ExitReason.EPT_MISCONFIGURATION && exit.size > 0
          || reason == ExitReason.IO_INSTRUCTION) {
        devices.accept(exit);
      } else if (reason != ExitReason.CR_ACCESS) {
        // The rest the back end does itself, or answers otherwise than our models.
        return false;
      }
    }
    return false;
  }

  private boolean take(long gpa) {
    if (!memory.contains(gpa, PAGE)) {
      return false;
    }
    byte[] content = new byte[PAGE];
    memory.read(gpa, content, 0, PAGE);
    soft.memory().write(gpa, content, 0, PAGE);
    pages.put(gpa, content);
    return true;
  }

  private void copyBack(long gpa, byte[] before) {
    byte[] after = new byte[PAGE];
    soft.memory().read(gpa, after, 0, PAGE);
    for (int at = Arrays.mismatch(before, after); at >= 0 && at < PAGE; at++) {
      if (before[at] != after[at]) {
        memory.writeByte(gpa + at, after[at]);
      }
    }
  }
}
