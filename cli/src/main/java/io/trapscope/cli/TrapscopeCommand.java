package io.trapscope.cli;

import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command itself: holds the subcommands, does nothing of its own. */
@Command(
    name = "trapscope",
    synopsisSubcommandLabel = "COMMAND",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = "Runs a guest, records every VM exit, and answers where the exits come from.")
final class TrapscopeCommand implements Runnable {
  /** In the order of the help. */
  private static final List<Map.Entry<String, Class<?>>> SUBCOMMANDS =
      List.of(
          Map.entry("record", RecordCommand.class),
          Map.entry("attach", AttachCommand.class),
          Map.entry("analyze", AnalyzeCommand.class),
          Map.entry("compare", CompareCommand.class),
          Map.entry("dump", DumpCommand.class),
          Map.entry("info", InfoCommand.class),
          Map.entry("replay", ReplayCommand.class),
          Map.entry("guests", GuestsCommand.class),
          Map.entry("doctor", DoctorCommand.class),
          Map.entry("demo", DemoCommand.class),
          Map.entry("completion", CompletionCommand.class),
          Map.entry("train", TrainCommand.class));

  @Spec private CommandSpec spec;

  private final PrintStream out;
  private final PrintStream err;

  /** A command that writes to these two streams. */
  TrapscopeCommand(PrintStream out, PrintStream err) {
    this.out = out;
    this.err = err;
  }

  /**
   * The command, ready to parse these arguments. To read the annotations of every subcommand takes
   * longer than most of them run, so it has only the one that the first argument names, if any.
   */
  static CommandLine parser(PrintStream out, PrintStream err, List<String> args) {
    CommandLine command = new CommandLine(new TrapscopeCommand(out, err));
    List<Map.Entry<String, Class<?>>> named =
        SUBCOMMANDS.stream()
            .filter(each -> !args.isEmpty() && each.getKey().equals(args.get(0)))
            .filter(each -> each.getValue() != CompletionCommand.class) // it tells of all
            .toList();
    for (Map.Entry<String, Class<?>> each : named.isEmpty() ? SUBCOMMANDS : named) {
      command.addSubcommand(each.getValue());
    }
    return command
        .registerConverter(Integer.class, Quantities.numbers("a whole number", Integer::valueOf))
        .registerConverter(Integer.TYPE, Quantities.numbers("a whole number", Integer::valueOf))
        .registerConverter(Long.class, Quantities.numbers("a whole number", Long::valueOf))
        .registerConverter(Long.TYPE, Quantities.numbers("a whole number", Long::valueOf))
        .registerConverter(Double.TYPE, Quantities.numbers("a number", Double::valueOf))
        .registerConverter(Path.class, OptionValues::path);
  }

  /** The whole command line, for the header of a trace. */
  List<String> words() {
    List<String> words = new ArrayList<>(List.of("trapscope"));
    words.addAll(spec.commandLine().getParseResult().originalArgs());
    return words;
  }

  /** What the command is asked for goes here; the caller flushes it. */
  PrintStream out() {
    return out;
  }

  /** Everything else goes here. */
  PrintStream err() {
    return err;
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "which command?");
  }
}
