package io.trapscope.cli;

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
    subcommands = {DoctorCommand.class, CompletionCommand.class, TrainCommand.class})
final class TrapscopeCommand implements Runnable {
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "which command?");
  }
}
