package io.trapscope.vmm.fetch;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Runs the system's package tool. Tests put a fake in its place. */
@FunctionalInterface
interface PackageTool {

  /**
   * Runs a command in a directory and returns what it printed.
   *
   * @throws FetchException where it is not there, fails or takes too long
   */
  String run(Path directory, List<String> command);

  /** The real one; each command may take this long. */
  static PackageTool system(Duration limit) {
    return (directory, command) -> {
      try {
        Path output = Files.createTempFile("trapscope", ".out");
        try {
          Process process =
              new ProcessBuilder(command)
                  .directory(directory.toFile())
                  .redirectErrorStream(true)
                  .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                  .redirectOutput(output.toFile())
                  .start();
          return finish(process, command, output, limit);
        } finally {
          Files.deleteIfExists(output);
        }
      } catch (IOException e) {
        throw new FetchException(command.get(0) + " cannot be run: is this Debian or Ubuntu?", e);
      }
    };
  }

  private static String finish(Process process, List<String> command, Path output, Duration limit)
      throws IOException {
    String words = String.join(" ", command);
    try {
      if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new FetchException(words + ": took more than " + limit.toSeconds() + " s");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new FetchException(words + ": interrupted", e);
    } finally {
      process.destroyForcibly();
    }
    String text = Files.readString(output, StandardCharsets.ISO_8859_1);
    if (process.exitValue() != 0) {
      String[] lines = text.strip().split("\n");
      throw new FetchException(words + ": " + lines[lines.length - 1].strip());
    }
    return text;
  }
}
