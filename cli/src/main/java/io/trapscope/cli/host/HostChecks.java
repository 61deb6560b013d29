package io.trapscope.cli.host;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The checks that need nothing but the files of /proc, /sys and the file systems. */
public final class HostChecks {
  private static final long MEBI = 1L << 20;

  /** A default guest (256 MiB) and the process around it. */
  private static final long MEMORY_WANTED = 512 * MEBI;

  /** A trace of some ten million events. */
  private static final long DISK_WANTED = 1024 * MEBI;

  /** Bits of CapEff: capability.h, CAP_SYS_ADMIN 21 and CAP_PERFMON 38. */
  private static final long CAP_TRACING = 1L << 21 | 1L << 38;

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

  /** Whether KVM's tracepoints, the source of exits that the kernel handles itself, can be read. */
  public HostCheck tracepoints() {
    Path events = tracefs().resolve("events/kvm");
    String paranoid = read("proc/sys/kernel/perf_event_paranoid").orElse("absent");
    boolean privileged = (effectiveCapabilities() & CAP_TRACING) != 0;
    String level = "perf_event_paranoid " + paranoid + (privileged ? ", privileged" : "");
    if (paranoid.equals("absent")) {
      return HostCheck.missing(
          "tracepoints",
          "the kernel has no perf events",
          "a kernel with CONFIG_PERF_EVENTS; until then exits inside KVM are not seen");
    }
    if (!Files.isReadable(events.resolve("kvm_exit/format"))) {
      return HostCheck.missing(
          "tracepoints",
          level + ", but " + events + "/kvm_exit/format cannot be read",
          privileged
              ? "mount -t tracefs tracefs /sys/kernel/tracing, and load the module kvm"
              : "run as root with tracefs mounted, or let the user read " + events);
    }
    boolean allowed = privileged || number(paranoid) < 0;
    return allowed
        ? HostCheck.ok("tracepoints", level + ", " + events + " can be read")
        : HostCheck.limited(
            "tracepoints", level, "sysctl kernel.perf_event_paranoid=-1, or run as root");
  }

  private Path tracefs() {
    Path mounted = root.resolve("sys/kernel/tracing");
    return Files.isDirectory(mounted.resolve("events"))
        ? mounted
        : Stream.of(root.resolve("sys/kernel/debug/tracing"))
            .filter(place -> Files.isDirectory(place.resolve("events")))
            .findFirst()
            .orElse(mounted);
  }

  private long effectiveCapabilities() {
    return field("proc/self/status", "CapEff:\\s*([0-9a-f]+)")
        .map(hex -> Long.parseUnsignedLong(hex, 16))
        .orElse(0L);
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

  private static int number(String text) {
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException e) {
      return Integer.MAX_VALUE;
    }
  }

  /** The checks of this class, for a trace in {@code directory}. */
  public List<HostCheck> all(Path directory) {
    return List.of(java(), memory(), disk(directory), tracepoints());
  }
}
