package io.trapscope.vmm.pc;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trapscope.recorder.event.RunEnd;
import io.trapscope.vmm.boot.BootModule;
import io.trapscope.vmm.boot.KernelEntry;
import io.trapscope.vmm.boot.KernelLoader;
import io.trapscope.vmm.run.Machine;
import io.trapscope.vmm.run.MachineConfig;
import io.trapscope.vmm.run.RunResult;
import io.trapscope.vmm.run.Sinks;
import io.trapscope.vmm.soft.SoftHypervisor;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Linux on {@code soft}, by each entry and each way to end. Needs kernels, see {@link #guest}. */
class LinuxBootTest {
  private static final String ENDS_BY_ITSELF = "console=ttyS0 panic=-1 reboot=t";

  private final ByteArrayOutputStream console = new ByteArrayOutputStream();

  /** A file of the folder {@code shared/guests} beside the project; skips where it is not there. */
  private static Path guest(String name) {
    for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
      Path file = at.resolve("shared/guests").resolve(name);
      if (Files.exists(file)) {
        return file;
      }
    }
    assumeTrue(false, "skipped: no folder shared/guests beside the project with " + name);
    return null;
  }

  private RunResult boot(String kernel, String initrd, String commandLine, KernelEntry entry) {
    console.reset();
    MachineConfig config =
        MachineConfig.builder(
                new SoftHypervisor(),
                KernelLoader.open(
                    guest(kernel), List.of(BootModule.of(guest(initrd))), commandLine, entry))
            .memory(64 << 20)
            .board(PcBoard::new)
            .consoleOutput(console)
            .wallClock(Instant.parse("2024-01-01T00:00:00Z"))
            .timeout(Duration.ofMinutes(5))
            .build();
    try (Machine machine = new Machine(config)) {
      return machine.run(Sinks.NONE);
    }
  }

  private String text() {
    return console.toString(StandardCharsets.ISO_8859_1);
  }

  @Test
  void twoBootsAreTheSameToTheInstruction() {
    RunResult first = boot("tiny-a.vmlinux.gz", "tinyinit.cpio", ENDS_BY_ITSELF, KernelEntry.PVH);
    String printed = text();
    RunResult second = boot("tiny-a.vmlinux.gz", "tinyinit.cpio", ENDS_BY_ITSELF, KernelEntry.PVH);
    assertThat(first.end()).isEqualTo(RunEnd.TRIPLE_FAULT);
    assertThat(printed)
        .contains("Run /init as init process", "tsc: Detected 1000.000 MHz processor")
        .contains("ttyS0 at I/O 0x3f8 (irq = 4, base_baud = 115200) is a 16550A");
    assertThat(text()).as("also the times it prints").isEqualTo(printed);
    assertThat(second.instructions()).isEqualTo(first.instructions());
    assertThat(second.guestNanos()).isEqualTo(first.guestNanos());
    assertThat(second.exitsByReason()).isEqualTo(first.exitsByReason());
  }

  @ParameterizedTest
  @CsvSource({
    "tiny-a.vmlinux.gz, BITS_64, reboot=k, RESET",
    "tiny-a.bzImage, UNPACKED, reboot=p, RESET",
    "tiny-b.vmlinux.gz, PVH, reboot=t, TRIPLE_FAULT",
    "tiny-a.vmlinux.gz, PVH, reboot=t nolapic noapic, TRIPLE_FAULT"
  })
  void entriesAndWaysToEnd(String kernel, KernelEntry entry, String more, RunEnd end) {
    RunResult result = boot(kernel, "tinyinit.cpio", "console=ttyS0 panic=-1 " + more, entry);
    assertThat(text()).contains("Run /init as init process");
    assertThat(result.end()).isEqualTo(end);
    assertThat(result.unclaimedReads()).isZero();
  }
}
