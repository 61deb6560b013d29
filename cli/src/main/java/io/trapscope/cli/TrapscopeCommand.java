package io.trapscope.cli;

import java.io.PrintStream;
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
    description = "Runs a guest, records every VM exit, and answers where the exits come from.",
    subcommands = {
      RecordCommand.class,
      AttachCommand.class,
      AnalyzeCommand.class,
      CompareCommand.class,
      DumpCommand.class,
      InfoCommand.class,
      ReplayCommand.class,
      GuestsCommand.class,
      DoctorCommand.class,
      DemoCommand.class,
      CompletionCommand.class,
      TrainCommand.class
    })
final class TrapscopeCommand implements Runnable {
  @Spec private CommandSpec spec;

  private final PrintStream out;
  private final PrintStream err;

  /** A command that writes to these two streams. */
  TrapscopeCommand(PrintStream out, PrintStream err) {
    this.out = out;
    this.err = err;
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
