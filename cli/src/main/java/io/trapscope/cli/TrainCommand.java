package io.trapscope.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
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
  public Integer call() throws IOException {
    Path folder = Files.createTempDirectory("trapscope-train");
    String trace = folder.resolve("trace").toString();
    try {
      List<List<String>> lines =
          List.of(
              List.of("--help"),
              List.of("guests", "--json"),
              List.of("record", "--accel", "soft", "--guest", "exits", "-o", trace),
              List.of("info", trace),
              List.of("info", "--json", trace),
              List.of("dump", trace),
              List.of("dump", "--json", trace),
              List.of("analyze", trace),
              List.of("analyze", "--json", trace));
      int worst = ExitStatus.DONE;
      for (List<String> line : lines) {
        worst = Math.max(worst, run(line));
      }
      return worst;
    } finally {
      delete(folder);
    }
  }

  private static int run(List<String> line) {
    PrintStream nowhere =
        new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
    return Main.run(line.toArray(String[]::new), nowhere, System.err);
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> tree = Files.walk(folder)) {
      for (Path path : tree.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}
