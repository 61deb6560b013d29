package io.trapscope.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import picocli.CommandLine;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.OptionSpec;

class OptionValuesTest {
  /** Every option of every command whose values are constants of an enum. */
  static Stream<OptionSpec> options() {
    return commands(TrapscopeCommand.parser(System.out, System.err, List.of()))
        .flatMap(command -> command.getCommandSpec().options().stream())
        .filter(option -> type(option).isEnum());
  }

  private static Stream<CommandLine> commands(CommandLine command) {
    return Stream.concat(
        Stream.of(command),
        command.getSubcommands().values().stream().flatMap(OptionValuesTest::commands));
  }

  private static Class<?> type(OptionSpec option) {
    return option.auxiliaryTypes()[0].isEnum() ? option.auxiliaryTypes()[0] : option.type();
  }

  @ParameterizedTest
  @MethodSource("options")
  void completionNamesEachConstantAndParsingTakesIt(OptionSpec option) throws Exception {
    ITypeConverter<?> converter = option.converters()[0];
    List<Object> parsed = new ArrayList<>();
    for (String word : option.completionCandidates()) {
      parsed.add(converter.convert(word));
      assertThat(converter.convert(word.toUpperCase(Locale.ROOT)))
          .isEqualTo(parsed.get(parsed.size() - 1));
    }
    assertThat(parsed)
        .containsExactlyElementsOf(Arrays.asList((Object[]) type(option).getEnumConstants()));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "record --accel    | auto, kvm, soft",
        "record --mode     | real, protected, long",
        "record --faults   | none, uffd",
        "record --dirty    | none, auto, log, ring",
        "record --irqchip  | auto, kernel, split, user",
        "record --huge-pages | default, transparent, 2M, 1G",
        "record --kernel-entry | auto, 64, 32, pvh, unpacked",
        "record --kernel-events | auto, yes, no",
        "record --console-filter | none, upper",
        "analyze --format  | arrow, parquet, csv",
        "analyze --weight  | count, guest_ns, handling_ns",
        "compare --format  | arrow, parquet, csv",
      })
  void errorHelpAndCompletionHaveTheSameWords(String option, String words) {
    Outcome wrong = Outcome.of((option + "=nonsense").split(" "));
    assertThat(wrong.status()).isEqualTo(ExitStatus.BAD_INPUT);
    assertThat(wrong.err().lines()).hasSize(1);
    assertThat(wrong.err()).contains("'nonsense' is none of " + words + " (try: ");
    String[] name = option.split(" ");
    String candidates = "(\"" + words.replace(", ", "\" \"") + "\")";
    assertThat(Outcome.of("completion").out()).contains(candidates + " # " + name[1] + " values");
    String help = Outcome.of(name[0], "--help").out();
    assertThat(words.split(", ")).allSatisfy(word -> assertThat(help).contains(word));
  }
}
