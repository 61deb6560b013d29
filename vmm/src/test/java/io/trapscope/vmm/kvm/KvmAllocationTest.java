package io.trapscope.vmm.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.vmm.hypervisor.CpuState;
import java.lang.management.ManagementFactory;
import org.junit.jupiter.api.Test;

class KvmAllocationTest {
  @Test
  void anExitAllocatesNothing() {
    assumeTrue(
        ManagementFactory.getThreadMXBean() instanceof ThreadMXBean,
        "this JVM does not count a thread's allocations");
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long self = Thread.currentThread().getId();
    // l: in al, 0x10; out 0x10, al; mov [rbx], al; mov al, [rbx]; dec ecx; jnz l; hlt
    int[] code = {0xE4, 0x10, 0xE6, 0x10, 0x88, 0x03, 0x8A, 0x03, 0xFF, 0xC9, 0x75, 0xF4, 0xF4};
    try (KvmGuest guest = KvmGuest.longMode(code)) {
      guest.set(CpuState.RBX, 0xE000_0000L);
      guest.set(CpuState.RCX, 40_000);
      // What the JVM does once (a class, a thread) lands in some chunk, and what the compiler will
      // take out in the first ones; an exit's own allocation would be in every one.
      long least = Long.MAX_VALUE;
      for (int chunk = 0; chunk < 80 && least > 0; chunk++) {
        long before = threads.getThreadAllocatedBytes(self);
        for (int i = 0; i < 1500; i++) {
          guest.vcpu.setDeadline(Long.MAX_VALUE - 1 - i % 2);
          guest.vcpu.run(guest.exit);
        }
        least = Math.min(least, threads.getThreadAllocatedBytes(self) - before);
      }
      assertThat(guest.exit.reason).isEqualTo(ExitReason.MMIO);
      assertThat(least).as("bytes for 1,500 exits").isZero();
    }
  }
}
