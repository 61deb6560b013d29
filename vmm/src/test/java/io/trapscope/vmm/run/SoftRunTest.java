package io.trapscope.vmm.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import io.trapscope.recorder.event.RunEnd;
import io.trapscope.vmm.boot.BootModule;
import io.trapscope.vmm.boot.BootSource;
import io.trapscope.vmm.boot.KernelEntry;
import io.trapscope.vmm.boot.KernelLoader;
import io.trapscope.vmm.guests.Guests;
import io.trapscope.vmm.guests.HostKind;
import io.trapscope.vmm.soft.SoftHypervisor;
import java.io.ByteArrayOutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Runs on the software processor are deterministic: two give the same events, the fields of the
 * host's clock aside.
 */
class SoftRunTest {
  private static final String COMMAND_LINE =
      "console=ttyS0 panic=-1 reboot=t lpj=5000000 no_timer_check";

  private record Run(RunResult result, EventDigest.Pair events, String console) {}

  private static Run run(BootSource boot, int cpus) {
    ByteArrayOutputStream console = new ByteArrayOutputStream();
    EventDigest.Pair events = new EventDigest.Pair();
    MachineConfig config =
        MachineConfig.builder(new SoftHypervisor(), boot)
            .memory(64 << 20)
            .cpus(cpus)
            .wallClock(Instant.ofEpochSecond(1_700_000_000))
            .consoleOutput(console)
            .timeout(Duration.ofSeconds(300))
            .build();
    try (Machine machine = new Machine(config)) {
      return new Run(machine.run(events), events, console.toString());
    }
  }

  private static void assertSame(Run first, Run second) {
    assertThat(second.console).isEqualTo(first.console);
    assertThat(second.events.vcpu.events()).isEqualTo(first.events.vcpu.events());
    assertThat(second.events.other.events()).isEqualTo(first.events.other.events());
    assertThat(second.result.instructions()).isEqualTo(first.result.instructions());
    assertThat(second.result.guestNanos()).isEqualTo(first.result.guestNanos());
  }

  @ParameterizedTest
  @EnumSource
  void bundledGuestsRepeatExactly(Guests guest) {
    Run first = run(guest.boot("count=1000", HostKind.SOFT), 1);
    assertThat(first.events.vcpu.events()).hasSizeGreaterThan(10);
    assertSame(first, run(guest.boot("count=1000", HostKind.SOFT), 1));
  }

  @Test
  void anotherInputIsSeen() {
    Run first = run(Guests.SPIN.boot("count=1000", HostKind.SOFT), 1);
    Run other = run(Guests.SPIN.boot("count=1001", HostKind.SOFT), 1);
    assertThat(other.events.vcpu.events()).isNotEqualTo(first.events.vcpu.events());
  }

  @Test
  void aBootOfLinuxRepeatsExactly() {
    Run first = run(linux(), 1);
    assertThat(first.console).contains("Linux version 6.1", "HELLO FROM INIT");
    assertThat(first.result.end()).isEqualTo(RunEnd.TRIPLE_FAULT);
    assertThat(first.result.unclaimedWrites()).isZero();
    assertSame(first, run(linux(), 1));
  }

  private static BootSource linux() {
    Path guests = sharedGuests();
    return KernelLoader.open(
        guests.resolve("tiny-a.vmlinux.gz"),
        List.of(BootModule.of(guests.resolve("tinyinit.cpio"))),
        COMMAND_LINE,
        KernelEntry.AUTO);
  }

  /** Kernels that are not part of the project: in ../shared/guests, seen from the checkout. */
  private static Path sharedGuests() {
    for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
      Path guests = at.resolve("shared/guests");
      if (Files.exists(guests.resolve("tiny-a.vmlinux.gz"))) {
        return guests;
      }
    }
    return abort("skipped: no ../shared/guests/tiny-a.vmlinux.gz, so Linux was not booted");
  }
}
