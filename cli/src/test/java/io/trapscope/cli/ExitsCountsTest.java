package io.trapscope.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.trace.EventCursor;
import io.trapscope.recorder.trace.TraceException;
import io.trapscope.recorder.trace.TraceReader;
import io.trapscope.vmm.guests.GroundTruth;
import io.trapscope.vmm.guests.HostKind;
import io.trapscope.vmm.kvm.KvmProbe;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code record --guest exits}, then {@code analyze --json}: the counts of the guest's table. */
class ExitsCountsTest {
  /** A row of the histogram in the JSON that analyze prints. */
  private static final Pattern ROW =
      Pattern.compile("\"reason\" : \"(\\w+)\",[^}]*?\"count\" : (\\d+),\\s*\"share\"");

  @TempDir private Path folder;

  @RepeatedTest(3)
  void onSoftEveryCountEqualsTheTable() throws TraceException {
    Map<ExitReason, Long> counted = recordAndCount("soft", HostKind.SOFT);
    assertThat(counted).isEqualTo(GroundTruth.load().totals(HostKind.SOFT));
  }

  @Test
  void onKvmEveryCountThatReachesUserSpaceEqualsTheTable() throws TraceException {
    KvmProbe probe = KvmProbe.probe();
    assumeTrue(probe.usable(), "skipped on KVM: " + probe.explanation());
    HostKind host = HostKind.of("kvm", probe.isParavirtual());
    Map<ExitReason, Long> counted = recordAndCount("kvm", host);
    assertThat(counted).containsAllEntriesOf(GroundTruth.load().totals(host));
  }

  private Map<ExitReason, Long> recordAndCount(String accel, HostKind host) throws TraceException {
    Path trace = folder.resolve("trace");
    // The table knows what reaches user space, where all devices are there.
    List<String> words =
        new ArrayList<>(List.of("record", "--guest", "exits", "--kernel-events", "no"));
    words.addAll(List.of("--accel", accel, "-o", trace.toString()));
    if (host != HostKind.SOFT) {
      words.addAll(List.of("--irqchip", "user"));
    }
    Outcome recorded = Outcome.of(words.toArray(String[]::new));
    assertThat(recorded.status()).as(recorded.err()).isEqualTo(ExitStatus.DONE);

    GroundTruth truth = GroundTruth.load();
    EventCursor cursor = TraceReader.open(trace).merged();
    while (cursor.next()) {
      truth.accept(cursor.event());
    }
    assertThat(truth.differences(host)).isEmpty();

    Outcome analysis =
        Outcome.of("analyze", trace.toString(), "--json", "--report", "exit_histogram");
    assertThat(analysis.status()).isEqualTo(ExitStatus.DONE);
    Map<ExitReason, Long> counts = new EnumMap<>(ExitReason.class);
    Matcher row = ROW.matcher(analysis.out());
    while (row.find()) {
      counts.put(ExitReason.valueOf(row.group(1)), Long.parseLong(row.group(2)));
    }
    return counts;
  }
}
