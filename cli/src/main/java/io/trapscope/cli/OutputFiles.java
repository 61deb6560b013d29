package io.trapscope.cli;

import io.trapscope.analyzer.table.PartFile;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;

/** Files that a command writes beside what it prints. */
final class OutputFiles {
  private OutputFiles() {}

  /**
   * What can be known to go wrong with files is said before a long trace is read.
   *
   * @param files null where one is not asked for
   * @throws UserError where one cannot be written
   */
  static void check(Path... files) {
    try {
      for (Path file : files) {
        if (file != null) {
          PartFile.check(file);
        }
      }
    } catch (IOException e) {
      throw UserError.badInput(e.getMessage(), e);
    }
  }

  /** Prints which there are, a line each; a reader that has gone is no error. */
  static void print(PrintWriter out, List<?> files) {
    StandardOutput.untilClosed(
        () -> {
          out.println();
          out.println("files:");
          files.forEach(file -> out.println("  " + file));
          out.flush();
        });
  }
}
