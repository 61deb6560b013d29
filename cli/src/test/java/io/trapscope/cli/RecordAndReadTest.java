package io.trapscope.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The subcommands on each other's results, in this process, on the software processor. */
class RecordAndReadTest {
  @TempDir private Path folder;

  @Test
  void aRecordedGuestCanBeDumpedInspectedAndAnalyzed() {
    String trace = folder.resolve("trace").toString();
    Outcome recorded = Outcome.of("record", "--accel", "soft", "--guest", "hello", "-o", trace);
    assertThat(recorded.status()).isEqualTo(ExitStatus.DONE);
    assertThat(recorded.out()).startsWith("Hello, world!");
    assertThat(recorded.err()).contains("end        halted").contains("lost       nothing");

    Outcome dump = Outcome.of("dump", trace, "--type", "pio");
    assertThat(dump.status()).isEqualTo(ExitStatus.DONE);
    assertThat(dump.out().lines())
        .hasSameSizeAs("Hello, world!\n".getBytes(StandardCharsets.US_ASCII))
        .allMatch(line -> line.contains(" PIO ") && line.contains("port=0x3f8"));
    assertThat(Outcome.of("dump", trace, "--limit", "3").out().lines()).hasSize(3);

    Outcome info = Outcome.of("info", trace);
    assertThat(info.status()).isEqualTo(ExitStatus.DONE);
    assertThat(info.out()).contains("accel      soft").contains("bundled:hello");

    Outcome analysis = Outcome.of("analyze", trace, "--json");
    assertThat(analysis.status()).isEqualTo(ExitStatus.DONE);
    assertThat(analysis.out()).contains("\"exit_histogram\"").contains("IO_INSTRUCTION");
    assertThat(Path.of(trace, AnalyzeCommand.DIRECTORY, "exits.arrow")).isNotEmptyFile();
  }

  @Test
  void ofATraceThatEndsEarlyInfoAndReplayTellWhatAnalyzeDoes() throws Exception {
    Path trace = folder.resolve("trace");
    String line = "record --accel=soft --guest=spin --append=count=2000 -o " + trace;
    assertThat(Outcome.of(line.split(" ")).status()).isZero();
    try (Stream<Path> files = Files.list(trace.resolve("vcpu-0"))) {
      Path queue = files.filter(file -> file.toString().endsWith(".cq4")).findFirst().orElseThrow();
      Files.write(queue, Arrays.copyOf(Files.readAllBytes(queue), 60_000));
    }
    Outcome analyzed = Outcome.of("analyze", trace.toString());
    Outcome info = Outcome.of("info", trace.toString());
    Outcome json = Outcome.of("info", "--json", trace.toString());
    Outcome replay = Outcome.of("replay", "--verify", trace.toString());

    List<Outcome> all = List.of(analyzed, info, json, replay);
    assertThat(all).allMatch(outcome -> outcome.status() == ExitStatus.INCOMPLETE);
    List<String> warnings =
        analyzed.out().lines().filter(each -> each.startsWith("warning: ")).toList();
    assertThat(warnings).hasSize(2).anyMatch(each -> each.contains("that end.json counts"));
    for (String warning : warnings) {
      String text = warning.substring("warning: ".length());
      assertThat(info.out()).contains("warning    " + text);
      assertThat(json.out()).contains('"' + text + '"').contains("\"complete\" : false");
      assertThat(replay.err()).contains(warning);
    }
    assertThat(replay.out())
        .containsPattern(
            "[\\d,]+ events verified, no difference; .*; the trace has no event \\d+ of");
  }

  @Test
  void aTraceKeepsTheHashesOfItsImages() throws Exception {
    Path image = folder.resolve("image");
    Files.write(image, new byte[] {(byte) 0xfa, (byte) 0xf4}); // cli; hlt
    Path trace = folder.resolve("trace");
    String[] record = {
      "record",
      "--accel=soft",
      "--flat=" + image,
      "--load=0x1000",
      "--entry=0x1000",
      "--mode=real",
      "-o",
      trace.toString()
    };
    Outcome recorded = Outcome.of(record);
    assertThat(recorded.status()).as(recorded.err()).isEqualTo(ExitStatus.DONE);
    assertThat(Outcome.of("info", trace.toString()).out()).contains("2 bytes, sha256 e0086040");
    assertThat(Outcome.of("replay", "--verify", trace.toString()).status()).isZero();

    Files.write(image, new byte[] {(byte) 0xfb, (byte) 0xf4});
    assertThat(Outcome.of("replay", "--verify", trace.toString()).status())
        .as("from the copy that the trace keeps")
        .isZero();
    Outcome told = Outcome.of("info", "--json", trace.toString());
    assertThat(told.out()).contains("\"kept_files\" : [ \"" + image + "\" ]");

    try (Stream<Path> copies = Files.list(trace.resolve("files"))) {
      Files.delete(copies.findFirst().orElseThrow());
    }
    Outcome other = Outcome.of("replay", "--verify", trace.toString());
    assertThat(other.status()).isEqualTo(ExitStatus.BAD_INPUT);
    assertThat(other.err()).contains("is not the flat that was recorded");
  }

  @Test
  void theConsoleFilterChangesWhatIsShown() {
    Outcome outcome =
        Outcome.of(
            "record", "--accel=soft", "--guest=hello", "--no-record", "--console-filter=upper");
    assertThat(outcome.status()).isEqualTo(ExitStatus.DONE);
    assertThat(outcome.out()).startsWith("HELLO, WORLD!");
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void aSummaryAsJsonLeavesStdoutToIt() {
    Outcome outcome =
        Outcome.of("record", "--accel=soft", "--guest=hello", "--no-record", "--json");
    assertThat(outcome.status()).isEqualTo(ExitStatus.DONE);
    assertThat(outcome.out()).startsWith("{").contains("\"end\" : \"HALTED\"");
    assertThat(outcome.err()).startsWith("Hello, world!");
  }

  @Test
  void whatTheGuestAskedForInVainIsTold() throws Exception {
    String readsSevenMsrs =
        "e8000058" // AX: the place of this instruction
            + "052000a334008c0e3600" // the handler of #GP, 32 bytes further
            + "66b90000adde" // mov ecx, 0xdead0000
            + "0f326641" // rdmsr; inc ecx
            + "6681f90700adde75f3" // to rdmsr, up to 0xdead0007
            + "faf4" // cli; hlt
            + "89e583460002cf"; // the handler steps over RDMSR
    Path image = folder.resolve("image");
    Files.write(image, HexFormat.of().parseHex(readsSevenMsrs));
    String line =
        "record --accel=soft --no-record --mode=real --load=0x1000 --entry=0x1000 --flat=" + image;
    Outcome text = Outcome.of(line.split(" "));
    assertThat(text.err().lines().filter(each -> each.startsWith("anomaly")))
        .hasSize(5)
        .contains(
            "anomaly    RDMSR of 0xdead0000, which is not there: 1 times",
            "anomaly    3 more; --json has them all");
    Outcome json = Outcome.of((line + " --json").split(" "));
    assertThat(json.out()).contains("RDMSR of 0xdead0006").doesNotContain("RDMSR of 0xdead0007");
  }

  @Test
  void anExistingTraceIsReplacedOnlyByForce() throws Exception {
    String trace = folder.resolve("trace").toString();
    String[] line = {"record", "--accel=soft", "--guest=hello", "-o", trace};
    assertThat(Outcome.of(line).status()).isEqualTo(ExitStatus.DONE);
    String before = Files.readString(Path.of(trace, "trace.json"));
    Outcome refused = Outcome.of(line);
    assertThat(refused.status()).isEqualTo(ExitStatus.BAD_INPUT);
    assertThat(refused.err()).contains("--force");
    assertThat(Files.readString(Path.of(trace, "trace.json"))).isEqualTo(before);
    assertThat(Outcome.of("record", "--accel=soft", "--guest=hello", "-o", trace, "--force"))
        .returns(ExitStatus.DONE, Outcome::status);
  }

  @Test
  void optionsThatAskForNothingGoWithNoRecord() {
    String line =
        "record --accel=soft --guest=hello --no-record --kernel-events=no --faults=none --dirty=none";
    assertThat(Outcome.of(line.split(" "))).returns(ExitStatus.DONE, Outcome::status);
  }

  @Test
  void aConditionEndsTheRun() {
    Outcome outcome =
        Outcome.of(
            "record",
            "--accel=soft",
            "--guest=spin",
            "--append=count=100000",
            "--until=exits=77",
            "--no-record",
            "--json");
    assertThat(outcome.status()).isEqualTo(ExitStatus.DONE);
    assertThat(outcome.out()).contains("\"end\" : \"UNTIL\"").contains("\"exits\" : 77");
  }

  @ParameterizedTest
  @CsvSource({
    "record, name one guest",
    "record --guest hello --flat x, name one guest",
    "record --guest nobody, no bundled guest 'nobody'",
    "record --guest hello --load 0x1000, go with --flat",
    "record --guest hello --initrd x, go with --kernel",
    "record --kernel pom.xml, not a kernel",
    "record --kernel /nowhere, /nowhere",
    "record --kernel pom.xml --kernel-entry front, 'front' is none of auto",
    "record --flat x, needs --load",
    "record --flat /nowhere --load 0 --entry 0 --mode real, there is no file /nowhere",
    "record --guest hello --no-record -o x, leave out -o",
    "record --guest hello --no-record --kernel-events yes, leave out --kernel-events",
    "record --guest hello --no-record --stacks --events pio, leave out --events and --stacks",
    "record --guest hello --no-record --keep-files 0 --exclude hlt, --keep-files and --exclude",
    "record --guest hello --no-record --kernel-buffer 1M --dirty, --kernel-buffer and --dirty",
    "record --guest hello --no-record --faults uffd, leave out --faults",
    "record --guest hello -o x --kernel-events yes, goes with --accel kvm",
    "record --guest hello -o x --kernel-buffer 1M, soft reads none",
    "record --guest hello -o x --events kvm:kvm_fpu, leave out --events kvm:kvm_fpu",
    "record --guest hello -o x --faults uffd --events pio, --faults records ept-fault events",
    "record --guest hello -o x --dirty --exclude dirty, --dirty records dirty events",
    "record --guest hello --memory 1, multiple of 4 KiB",
    "record --guest hello --memory 1000G, 256G",
    "record --guest hello --cpus 0, CPUs",
    "record --guest hello --until never, text=TEXT",
    "record --guest hello --timeout never, is not a duration",
    "analyze, TRACE",
    "analyze /nowhere, /nowhere",
    "analyze /nowhere --report none, there is no report 'none'",
    "dump /nowhere, /nowhere",
    "dump /nowhere --type none, none",
    "dump /nowhere --limit -1, --limit",
    "info /nowhere, /nowhere"
  })
  void badInputIsOneLineAndStatus2(String line, String expected) {
    Outcome outcome =
        Outcome.of((line + (line.startsWith("record") ? " --accel=soft" : "")).split(" "));
    assertThat(outcome.err()).contains(expected);
    assertThat(outcome.err().lines()).hasSize(1);
    assertThat(outcome.status()).isEqualTo(ExitStatus.BAD_INPUT);
    assertThat(outcome.out()).isEmpty();
  }
}
