package io.trapscope.cli.host;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The checks that need nothing but the files of /proc, /sys and the file systems. */
public final class HostChecks {
  private static final long MEBI = 1L << 20;

  /** A default guest (256 MiB) and the process around it. */
  private static final long MEMORY_WANTED = 512 * MEBI;

  /** A trace of some ten million events. */
  private static final long DISK_WANTED = 1024 * MEBI;

  private final Path root;

  /**
   * @param root the folder that holds {@code proc} and {@code sys}: {@code /}, or a test's own
   */
  public HostChecks(Path root) {
    this.root = root;
  }

  /** The Java this process runs on. */
  public HostCheck java() {
    int feature = Runtime.version().feature();
    String found =
        System.getProperty("java.runtime.version") + " at " + System.getProperty("java.home");
    return feature >= 17
        ? HostCheck.ok("java", found)
        : HostCheck.missing("java", found, "install a JDK 17 or newer and set JAVA_HOME to it");
  }

  /** Free memory, against what a default guest takes. */
  public HostCheck memory() {
    Optional<Long> available = memAvailable();
    if (available.isEmpty()) {
      return HostCheck.limited("memory", "unknown: /proc/meminfo does not tell", "");
    }
    String found =
        available.get() / MEBI
            + " MiB available, "
            + Runtime.getRuntime().availableProcessors()
            + " CPUs";
    return available.get() >= MEMORY_WANTED
        ? HostCheck.ok("memory", found)
        : HostCheck.limited("memory", found, "run smaller guests: --memory 64M");
  }

  /** Room for traces in {@code directory}, and whether it may be written. */
  public HostCheck disk(Path directory) {
    Path where = directory.toAbsolutePath();
    if (!Files.isWritable(where)) {
      return HostCheck.limited(
          "disk", where + " cannot be written", "name a folder of yours: record -o DIR");
    }
    try {
      long free = Files.getFileStore(where).getUsableSpace();
      String found = free / MEBI + " MiB free in " + where;
      return free >= DISK_WANTED
          ? HostCheck.ok("disk", found)
          : HostCheck.limited("disk", found, "record to a larger disk: record -o DIR");
    } catch (IOException e) {
      return HostCheck.limited("disk", "cannot tell: " + e.getMessage(), "");
    }
  }

  private Optional<Long> memAvailable() {
    return field("proc/meminfo", "MemAvailable:\\s*(\\d+) kB")
        .map(kib -> Long.parseLong(kib) << 10);
  }

  private Optional<String> field(String file, String pattern) {
    return read(file)
        .map(Pattern.compile(pattern)::matcher)
        .filter(Matcher::find)
        .map(matcher -> matcher.group(1));
  }

  private Optional<String> read(String file) {
    try {
      return Optional.of(Files.readString(root.resolve(file)).strip());
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** The checks of this class, for a trace in {@code directory}. */
  public List<HostCheck> all(Path directory) {
    return List.of(java(), memory(), disk(directory));
  }
}
