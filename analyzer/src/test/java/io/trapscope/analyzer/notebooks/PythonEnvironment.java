package io.trapscope.analyzer.notebooks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The Python environment that {@code notebooks/venv} makes, and running programs in it. */
public final class PythonEnvironment {
  /** The directory of the sources. */
  public static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

  private static final Path PYTHON = ROOT.resolve(".trapscope/python/bin/python");

  private PythonEnvironment() {}

  /**
   * Its Python. Where CI=true it is made, and a failure fails the test; elsewhere the test is
   * skipped if nobody has made it.
   */
  public static Path python() throws IOException, InterruptedException {
    if ("true".equals(System.getenv("CI"))) {
      run(600, ROOT.resolve("notebooks/venv").toString());
    }
    assumeTrue(Files.exists(PYTHON), "no Python environment: run notebooks/venv to make it");
    return PYTHON;
  }

  /**
   * Its Python, with a Chromium that it can drive. Without one the test is skipped, in CI never.
   */
  public static Path pythonWithBrowser() throws IOException, InterruptedException {
    boolean there =
        Arrays.stream(System.getenv("PATH").split(File.pathSeparator))
            .anyMatch(folder -> Files.isExecutable(Path.of(folder, "chromedriver")));
    if (!"true".equals(System.getenv("CI"))) {
      assumeTrue(there, "no Chromium: on Debian, install chromium and chromium-driver");
    }
    return python();
  }

  /** Runs a program from the sources' directory and returns what it printed; it has to succeed. */
  public static String run(int seconds, String... command)
      throws IOException, InterruptedException {
    Path output = Files.createTempFile("trapscope", ".out");
    try {
      Process process =
          new ProcessBuilder(new ArrayList<>(List.of(command)))
              .directory(ROOT.toFile())
              .redirectErrorStream(true)
              .redirectOutput(output.toFile())
              .start();
      boolean ended = process.waitFor(seconds, TimeUnit.SECONDS);
      process.destroyForcibly();
      String text = Files.readString(output, StandardCharsets.UTF_8);
      assertThat(ended).as("did not end within " + seconds + " s: " + text).isTrue();
      assertThat(process.exitValue()).as(text).isZero();
      return text;
    } finally {
      Files.delete(output);
    }
  }
}
