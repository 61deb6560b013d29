package io.trapscope.cli.host;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Whether Python and the libraries that read Arrow files are here. The product needs none. */
public final class PythonChecks {
  private static final String SCRIPT =
      """
      import sys
      from importlib import metadata
      print('python ' + sys.version.split()[0])
      for name in ('pyarrow', 'polars', 'duckdb', 'jupyter-core'):
          try:
              print(name + ' ' + metadata.version(name))
          except metadata.PackageNotFoundError:
              print('- ' + name)
      """;

  private PythonChecks() {}

  /** Asks {@code python3} on the path; at most ten seconds. */
  public static HostCheck python() {
    String remedy = "for the notebooks: python3 -m venv .venv && .venv/bin/pip install pyarrow";
    try {
      Process process =
          new ProcessBuilder("python3", "-c", SCRIPT)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      process.getOutputStream().close();
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroyForcibly();
        return HostCheck.limited("python", "python3 did not answer within 10 s", remedy);
      }
      String output =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      return judge(output.lines().toList(), remedy);
    } catch (IOException e) {
      return HostCheck.missing("python", "no python3 on the path", remedy);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return HostCheck.limited("python", "interrupted while asking python3", remedy);
    }
  }

  private static HostCheck judge(List<String> lines, String remedy) {
    List<String> found = lines.stream().filter(line -> !line.startsWith("- ")).toList();
    List<String> absent =
        lines.stream()
            .filter(line -> line.startsWith("- "))
            .map(line -> line.substring(2))
            .toList();
    String text =
        String.join(", ", found)
            + (absent.isEmpty() ? "" : "; not installed: " + String.join(", ", absent));
    return absent.contains("pyarrow") || found.isEmpty()
        ? HostCheck.limited("python", text, remedy)
        : HostCheck.ok("python", text);
  }
}
