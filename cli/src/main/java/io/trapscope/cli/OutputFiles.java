package io.trapscope.cli;

import io.trapscope.analyzer.table.PartFile;
import io.trapscope.recorder.trace.TraceFormat;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

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
    Set<Path> seen = new HashSet<>();
    try {
      for (Path file : files) {
        if (file != null) {
          PartFile.check(file);
          boolean pipe = Files.exists(file) && !Files.isRegularFile(file);
          if (!pipe && !seen.add(file.toAbsolutePath().normalize())) {
            throw UserError.badInput("two outputs cannot both be " + file);
          }
        }
      }
    } catch (IOException e) {
      throw UserError.badInput(e.getMessage(), e);
    }
  }

  /**
   * The same of folders that files go to, and that are made where they are absent.
   *
   * @param folders null where one is not asked for
   * @throws UserError where one cannot be
   */
  static void checkFolders(Path... folders) {
    for (Path folder : folders) {
      Path there = folder == null ? null : folder.toAbsolutePath();
      while (there != null && !Files.exists(there)) {
        there = there.getParent();
      }
      if (there != null && !Files.isDirectory(there)) {
        throw UserError.badInput(
            "cannot write " + folder + ": " + there + " exists and is no directory");
      }
    }
  }

  /**
   * What a trace consists of is no place for tables and pages.
   *
   * @param outputs files or folders; null where one is not asked for
   * @throws UserError where one would take the place of a trace's file, or lie among its streams
   */
  static void checkSpared(Path trace, Path... outputs) {
    Path root = real(trace);
    for (Path output : outputs) {
      Path there = output == null ? null : real(output);
      if (there != null && there.startsWith(root) && !there.equals(root)) {
        String part = root.relativize(there).getName(0).toString();
        if (TraceFormat.isPart(part) || part.equals(KeptFiles.FOLDER)) {
          throw UserError.badInput("cannot write " + output + ": it is a part of the trace");
        }
      }
    }
  }

  /** Without links, as far as it exists. */
  private static Path real(Path path) {
    Path absolute = path.toAbsolutePath().normalize();
    try {
      return absolute.toRealPath();
    } catch (IOException e) {
      Path parent = absolute.getParent();
      return parent == null ? absolute : real(parent).resolve(absolute.getFileName());
    }
  }

  /** Prints which there are, a line each, if any; a reader that has gone is no error. */
  static void print(PrintWriter out, List<?> files) {
    if (files.isEmpty()) {
      return;
    }
    StandardOutput.untilClosed(
        () -> {
          out.println();
          out.println("files:");
          files.forEach(file -> out.println("  " + file));
          out.flush();
        });
  }
}
