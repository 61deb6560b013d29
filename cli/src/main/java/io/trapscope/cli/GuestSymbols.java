package io.trapscope.cli;

import io.trapscope.analyzer.symbols.SymbolTable;
import io.trapscope.recorder.trace.TraceHeader;
import io.trapscope.recorder.trace.TraceReader;
import io.trapscope.vmm.boot.BootException;
import io.trapscope.vmm.boot.KernelLoader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * Names of guest addresses: from the file that the user names, or else from the kernel that the
 * trace's guest was made of, where it still is what it was. Nothing is read before it is wanted.
 */
final class GuestSymbols {
  /** Roles of the images in a trace's header that may hold symbols. */
  private static final List<String> ROLES = List.of("kernel", "guest", "flat");

  /** Heap that unpacking takes, in sizes of the packed file, with what the analysis needs. */
  private static final int UNPACKING = 24;

  /** Longer than it takes to load the images and to begin the trace. */
  private static final long LOADING_NANOS = TimeUnit.MINUTES.toNanos(1);

  /** What has been read, by file or its SHA-256: recordings that are compared share a kernel. */
  private final Map<String, SymbolTable> known = new ConcurrentHashMap<>();

  private final Map<Path, String> hashes = new ConcurrentHashMap<>();

  /**
   * What reads them, when it is asked to.
   *
   * @param file what the user names; null for the trace's own kernel
   * @throws UserError where {@code file} cannot be read; the supplier does, where it has no symbols
   */
  Supplier<SymbolTable> of(Path file, TraceReader trace) {
    if (file != null && (!Files.isReadable(file) || Files.isDirectory(file))) {
      throw UserError.badInput("cannot read symbols from " + file);
    }
    return () -> file == null ? own(trace.directory(), trace.header()) : named(file);
  }

  private SymbolTable named(Path file) {
    try {
      return read(file.toString(), file.toString(), file);
    } catch (IOException | BootException e) {
      throw UserError.badInput(e.getMessage(), e);
    }
  }

  private SymbolTable read(String key, String name, Path file) throws IOException {
    SymbolTable table = known.get(key);
    if (table == null) {
      Optional<byte[]> unpacked = KernelLoader.unpacked(file);
      table =
          unpacked.isPresent()
              ? SymbolTable.of(name, ByteBuffer.wrap(unpacked.get()))
              : SymbolTable.read(name, file);
      known.put(key, table);
    }
    return table;
  }

  /**
   * Those of the kernel that the guest was made of, from the copy that the trace keeps or from the
   * file itself; without any where neither is there.
   */
  SymbolTable own(Path trace, TraceHeader header) {
    Path folder = Path.of(header.notes().getOrDefault(RecordingHeader.FOLDER, ""));
    for (TraceHeader.Image image : header.images()) {
      Optional<Path> kept = KeptFiles.find(trace, image);
      Path file = kept.orElseGet(() -> folder.resolve(image.path()));
      try {
        if (ROLES.contains(image.role())
            && isAffordable(file)
            && (kept.isPresent() || isStill(image, file, header.clocks().epochNanos()))) {
          return read(key(image), image.path(), file);
        }
      } catch (IOException | BootException e) {
        // An image without symbols: the trace is analyzed without.
      }
    }
    return SymbolTable.EMPTY;
  }

  private static String key(TraceHeader.Image image) {
    return image.sha256().isEmpty() ? image.path() : image.sha256();
  }

  /** A packed kernel needs room to be unpacked; nobody has asked for its symbols here. */
  private static boolean isAffordable(Path file) throws IOException {
    return !KernelLoader.isPacked(file)
        || Files.size(file) < Runtime.getRuntime().maxMemory() / UNPACKING;
  }

  /** The hash comes last: it reads all of the file. */
  private boolean isStill(TraceHeader.Image image, Path file, long recordedAt) throws IOException {
    return Files.isRegularFile(file)
        && Files.isReadable(file)
        && Files.size(file) == image.bytes()
        && (changedAt(file) < recordedAt - LOADING_NANOS
            || hashes.computeIfAbsent(file, GuestImages::sha256).equals(image.sha256()));
  }

  /**
   * When a file, or what is known of it, was last changed, ns since 1970: nobody can set that time,
   * and to move another file here sets it. The largest number where the host does not keep it.
   */
  private static long changedAt(Path file) throws IOException {
    return file.getFileSystem().supportedFileAttributeViews().contains("unix")
        ? ((FileTime) Files.getAttribute(file, "unix:ctime")).to(TimeUnit.NANOSECONDS)
        : Long.MAX_VALUE;
  }
}
