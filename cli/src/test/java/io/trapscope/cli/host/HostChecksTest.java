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
  void tracepointsForRoot() throws IOException {
    file("proc/sys/kernel/perf_event_paranoid", "2\n");
    file("proc/self/status", ROOT_CAPABILITIES);
    file("sys/kernel/tracing/events/kvm/kvm_exit/format", "name: kvm_exit\n");
    HostCheck check = new HostChecks(root).tracepoints();
    assertThat(check.state()).isEqualTo(State.OK);
    assertThat(check.remedy()).isEmpty();
  }

  @Test
  void tracepointsUnderDebugfs() throws IOException {
    file("proc/sys/kernel/perf_event_paranoid", "-1\n");
    file("proc/self/status", NO_CAPABILITIES);
    file("sys/kernel/debug/tracing/events/kvm/kvm_exit/format", "name: kvm_exit\n");
    assertThat(new HostChecks(root).tracepoints().state()).isEqualTo(State.OK);
  }

  @Test
  void tracepointsForAnOrdinaryUser() throws IOException {
    file("proc/sys/kernel/perf_event_paranoid", "2\n");
    file("proc/self/status", NO_CAPABILITIES);
    file("sys/kernel/tracing/events/kvm/kvm_exit/format", "name: kvm_exit\n");
    HostCheck check = new HostChecks(root).tracepoints();
    assertThat(check.state()).isEqualTo(State.LIMITED);
    assertThat(check.remedy()).contains("perf_event_paranoid=-1");
  }

  @Test
  void tracepointsWithoutTracefs() throws IOException {
    file("proc/sys/kernel/perf_event_paranoid", "2\n");
    file("proc/self/status", ROOT_CAPABILITIES);
    HostCheck check = new HostChecks(root).tracepoints();
    assertThat(check.state()).isEqualTo(State.MISSING);
    assertThat(check.remedy()).contains("mount -t tracefs");
  }

  @Test
  void tracepointsWithoutPerfEvents() {
    HostCheck check = new HostChecks(root).tracepoints();
    assertThat(check.state()).isEqualTo(State.MISSING);
    assertThat(check.remedy()).contains("CONFIG_PERF_EVENTS");
  }

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
