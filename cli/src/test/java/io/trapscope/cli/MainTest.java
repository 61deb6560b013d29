package io.trapscope.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class MainTest {

  @Test
  void versionNamesProductAndJava() {
    Outcome outcome = Outcome.of("--version");
    assertThat(outcome.status()).isEqualTo(ExitStatus.DONE);
    assertThat(outcome.out()).startsWith("trapscope ").contains("\nJava ");
    assertThat(outcome.err()).isEmpty();
  }

  @Test
  void helpListsSubcommandsButNotTheHiddenOne() {
    Outcome outcome = Outcome.of("--help");
    assertThat(outcome.status()).isEqualTo(ExitStatus.DONE);
    assertThat(outcome.out()).contains("completion").doesNotContain("train");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "nonsense", "--nonsense", "completion nonsense", "completion --x"})
  void badUsageIsOneLineAndStatus2(String line) {
    Outcome outcome = Outcome.of(line.isEmpty() ? new String[0] : line.split(" "));
    assertThat(outcome.status()).isEqualTo(ExitStatus.BAD_INPUT);
    assertThat(outcome.out()).isEmpty();
    assertThat(outcome.err().lines()).hasSize(1).first().asString().contains("--help");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "nonsense | trapscope: unknown command nonsense (try: trapscope --help)",
        "analyze t --fromat csv | trapscope analyze: unknown option --fromat (try: ",
        "dump a b | trapscope dump: unknown argument b (try: ",
        "dump t --limit x | '--limit': 'x' is not a whole number (try: ",
        "analyze t --top 1e3 | '--top': '1e3' is not a whole number (try: ",
        "replay t --console --speed fast | '--speed': 'fast' is not a number (try: ",
        "replay t --verify --speed 2 | trapscope replay: --speed and --max-idle go with --console",
        "replay t --verify --max-idle 2s | trapscope replay: --speed and --max-idle go with",
        "analyze t --weight guest_ns | trapscope analyze: --weight goes with --folded",
        "compare --format csv a -- b | trapscope compare: --format goes with -o",
        "attach --comm= | trapscope attach: --comm: '' names no process",
        "attach --all-vms --events dirty | leave none of KVM's tracepoints",
        "attach --all-vms --events exits --exclude exits | leave none of KVM's tracepoints",
        "replay t | trapscope replay: Missing required argument",
        "analyze t --html x --perfetto ./x | trapscope analyze: two outputs cannot both be ./x",
        "analyze t -o pom.xml/tables | pom.xml exists and is no directory",
      })
  void mistakesAreNamedInPlainWords(String line, String message) {
    Outcome outcome = Outcome.of(line.split(" "));
    assertThat(outcome.status()).isEqualTo(ExitStatus.BAD_INPUT);
    assertThat(outcome.err().lines()).hasSize(1).first().asString().contains(message);
  }

  @Test
  void completionScriptNamesEverySubcommand() {
    Outcome outcome = Outcome.of("completion");
    assertThat(outcome.status()).isEqualTo(ExitStatus.DONE);
    assertThat(outcome.out()).startsWith("#!/usr/bin/env bash").contains("completion");
  }

  @Test
  void aCommandLineHasOnlyTheSubcommandThatItNames() {
    Set<String> all = subcommands(List.of());
    assertThat(all).contains("record", "train").hasSizeGreaterThan(10);
    for (String name : all) {
      Set<String> expected = name.equals("completion") ? all : Set.of(name);
      assertThat(subcommands(List.of(name, "--help"))).isEqualTo(expected);
    }
    assertThat(subcommands(List.of("--help"))).isEqualTo(all);
  }

  private static Set<String> subcommands(List<String> arguments) {
    return TrapscopeCommand.parser(System.out, System.err, arguments).getSubcommands().keySet();
  }
}
