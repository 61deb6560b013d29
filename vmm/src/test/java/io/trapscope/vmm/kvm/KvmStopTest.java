package io.trapscope.vmm.kvm;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.recorder.event.ExitReason;
import io.trapscope.vmm.hypervisor.CpuState;
import io.trapscope.vmm.hypervisor.VmExit;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Nothing a guest does can hold its thread, and nothing is left behind. */
@Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class KvmStopTest {
  private static final int[] SPIN = {0xEB, 0xFE};

  @Test
  void anotherThreadStopsAGuestThatNeverExits() throws InterruptedException {
    try (KvmGuest guest = KvmGuest.longMode(SPIN)) {
      for (int i = 0; i < 20; i++) {
        Thread kicker =
            new Thread(
                () -> {
                  try {
                    Thread.sleep(2);
                  } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                  }
                  guest.vcpu.kick();
                });
        kicker.start();
        guest.expect(ExitReason.INTERRUPTED);
        assertThat(guest.exit.rip).isEqualTo(KvmGuest.CODE);
        assertThat(guest.exit.has(VmExit.RIP)).isTrue();
        kicker.join();
      }
    }
  }

  @Test
  void aKickBeforeTheRunIsNotLost() {
    try (KvmGuest guest = KvmGuest.longMode(SPIN)) {
      guest.vcpu.kick();
      guest.expect(ExitReason.INTERRUPTED);
    }
  }

  @Test
  void aKickCompletesTheReadBefore() {
    // in al, 0x60; hlt
    try (KvmGuest guest = KvmGuest.real(0xE4, 0x60, 0xF4)) {
      guest.expect(ExitReason.IO_INSTRUCTION);
      guest.exit.value = 0x77;
      guest.vcpu.kick();
      guest.expect(ExitReason.INTERRUPTED);
      assertThat(guest.get(CpuState.RAX) & 0xFF).isEqualTo(0x77);
      guest.expect(ExitReason.HLT);
    }
  }

  @Test
  void aHypercallThatKvmNeverFinishesIsStopped() throws InterruptedException {
    // vmcall; hlt. kvm_pvm spins in the kernel; elsewhere the guest goes on to hlt.
    try (KvmGuest guest = KvmGuest.longMode(0x0F, 0x01, 0xC1, 0xF4)) {
      Thread watchdog =
          new Thread(
              () -> {
                try {
                  Thread.sleep(50);
                } catch (InterruptedException e) {
                  Thread.currentThread().interrupt();
                }
                guest.vcpu.kick();
              });
      watchdog.start();
      guest.vcpu.run(guest.exit);
      assertThat(guest.exit.reason).isIn(ExitReason.INTERRUPTED, ExitReason.HLT);
      watchdog.join();
    }
  }

  @Test
  void theDeadlineStopsTheGuest() {
    try (KvmGuest guest = KvmGuest.longMode(SPIN)) {
      for (int i = 0; i < 20; i++) {
        long deadline = guest.vcpu.guestNanos() + 1_000_000;
        guest.vcpu.setDeadline(deadline);
        guest.expect(ExitReason.PREEMPTION_TIMER);
        assertThat(guest.vcpu.guestNanos()).isGreaterThanOrEqualTo(deadline);
      }
    }
  }

  @Test
  void aDeadlineThatHasPassedStopsTheGuestAtOnceAndAnEarlierOneReplacesALaterOne() {
    try (KvmGuest guest = KvmGuest.longMode(SPIN)) {
      guest.vcpu.setDeadline(guest.vcpu.guestNanos());
      guest.expect(ExitReason.PREEMPTION_TIMER);
      guest.expect(ExitReason.PREEMPTION_TIMER);
      guest.vcpu.setDeadline(Long.MAX_VALUE - 1);
      guest.vcpu.setDeadline(guest.vcpu.guestNanos() + 1_000_000);
      guest.expect(ExitReason.PREEMPTION_TIMER);
      guest.vcpu.setDeadline(Long.MAX_VALUE);
      guest.vcpu.kick();
      guest.expect(ExitReason.INTERRUPTED);
    }
  }

  @Test
  void aKickEndsIdling() throws InterruptedException {
    try (KvmGuest guest = KvmGuest.real(0xF4)) {
      guest.expect(ExitReason.HLT);
      Thread kicker = new Thread(guest.vcpu::kick);
      kicker.start();
      guest.vcpu.idleUntil(Long.MAX_VALUE);
      kicker.join();
      guest.expect(ExitReason.INTERRUPTED);
    }
  }

  @Test
  void nothingIsLeftBehind() throws Exception {
    try (KvmGuest warmUp = KvmGuest.longMode(SPIN)) {
      warmUp.vcpu.setDeadline(0);
      warmUp.expect(ExitReason.PREEMPTION_TIMER);
    }
    long files = openFiles();
    long mappings = kvmMappings();
    for (int i = 0; i < 10; i++) {
      try (KvmGuest guest = KvmGuest.longMode(SPIN)) {
        guest.vcpu.setDeadline(guest.vcpu.guestNanos());
        guest.expect(ExitReason.PREEMPTION_TIMER);
      }
    }
    assertThat(openFiles()).isEqualTo(files);
    assertThat(kvmMappings()).isEqualTo(mappings).isZero();
    assertThat(Thread.getAllStackTraces().keySet())
        .noneMatch(thread -> thread.getName().equals("kvm-deadline"));
  }

  @Test
  void afterCloseKicksDoNothingAndMemoryIsOutOfBounds() {
    KvmGuest guest = KvmGuest.real(0xF4);
    guest.expect(ExitReason.HLT);
    guest.close();
    guest.vcpu.kick();
    assertThat(guest.vm.memory().contains(0, 1)).isFalse();
    guest.close();
  }

  // Files of KVM alone: other parts of the JVM open and close theirs meanwhile.
  static long openFiles() throws Exception {
    try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
      return files.filter(KvmStopTest::isKvm).count();
    }
  }

  private static boolean isKvm(Path descriptor) {
    try {
      return Files.readSymbolicLink(descriptor)
          .toString()
          .matches(".*(kvm|userfaultfd|guest-ram).*");
    } catch (java.io.IOException e) {
      return false; // closed in between: not ours
    }
  }

  static long kvmMappings() throws Exception {
    try (Stream<String> maps = Files.lines(Path.of("/proc/self/maps"))) {
      return maps.filter(line -> line.matches(".*(kvm|guest-ram).*")).count();
    }
  }
}
