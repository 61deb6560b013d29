package io.trapscope.cli;

import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/**
 * Runs the common subcommands once in this process, so that the launcher can dump the classes they
 * load into a class-data archive ({@code -XX:ArchiveClassesAtExit}).
 */
@Command(
    name = "train",
    hidden = true,
    description = "Loads the classes of the common subcommands, for the launcher's archive.")
final class TrainCommand implements Callable<Integer> {

  @Override
  public Integer call() {
    PrintStream nowhere =
        new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
    for (List<String> line : List.of(List.of("--version"), List.of("--help"))) {
      Main.run(line.toArray(String[]::new), nowhere, System.err);
    }
    return ExitStatus.DONE;
  }
}
