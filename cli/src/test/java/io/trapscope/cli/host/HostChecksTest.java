package io.trapscope.cli.host;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.cli.host.HostCheck.State;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A made-up host under a temporary folder. */
class HostChecksTest {
  private static final String ROOT_CAPABILITIES = "CapEff:\t000001ffffffffff\n";
  private static final String NO_CAPABILITIES = "CapEff:\t0000000000000000\n";

  @TempDir private Path root;

  @Test
  void memoryIsJudgedByWhatAGuestTakes() throws IOException {
    file("proc/meminfo", "MemTotal: 8000000 kB\nMemAvailable:   524288 kB\n");
    assertThat(new HostChecks(root).memory().state()).isEqualTo(State.OK);
    file("proc/meminfo", "MemTotal: 8000000 kB\nMemAvailable:   524287 kB\n");
    HostCheck check = new HostChecks(root).memory();
    assertThat(check.state()).isEqualTo(State.LIMITED);
    assertThat(check.found()).startsWith("511 MiB available");
  }

  @Test
  void diskThatDoesNotExistCannotBeWritten() {
    HostCheck check = new HostChecks(root).disk(root.resolve("absent"));
    assertThat(check.state()).isEqualTo(State.LIMITED);
    assertThat(check.found()).endsWith("absent cannot be written");
  }

  private void file(String name, String text) throws IOException {
    Path path = root.resolve(name);
    Files.createDirectories(path.getParent());
    Files.writeString(path, text);
  }
}
