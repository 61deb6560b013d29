package io.trapscope.vmm.fetch;

import io.trapscope.vmm.boot.KernelLoader;
import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The guest {@code debian-cloud}: the distribution's stock kernel for virtual machines with a small
 * RAM disk around busybox. {@code apt-get download} and {@code dpkg-deb -x} get it; root is not
 * needed, and nothing is installed.
 *
 * <pre>
 *   CACHE/debian-cloud/vmlinuz      the kernel as packaged (bzImage)
 *                      vmlinux      the same unpacked (ELF with PVH note): boots much faster
 *                      initrd.cpio
 *                      System.map   where the package has a real one
 *                      release      the kernel's release, one line; written last
 * </pre>
 */
public final class DebianCloudGuest {
  /** The guest's name. */
  public static final String NAME = "debian-cloud";

  /** What to boot it with. {@code run=COMMAND} added to it makes init run that first. */
  public static final String COMMAND_LINE = "console=ttyS0 panic=-1 cryptomgr.notests";

  /** RAM it needs. */
  public static final long MEMORY_BYTES = 256L << 20;

  /** Debian's package of the newest cloud kernel, and Ubuntu's. */
  private static final List<String> KERNEL_PACKAGES =
      List.of("linux-image-cloud-amd64", "linux-image-virtual");

  private static final Pattern KERNEL_DEPENDENCY =
      Pattern.compile("Depends: (linux-image-(?:unsigned-)?(\\d\\S*))");
  private static final Pattern MODULES_DEPENDENCY =
      Pattern.compile("Depends: (linux-modules-\\S+)");

  /** Debian puts a note of a few lines where System.map was. */
  private static final int LEAST_SYMBOLS = 4096;

  /**
   * A fetched guest.
   *
   * @param release such as {@code 6.1.0-30-cloud-amd64}
   * @param kernel the kernel unpacked, an ELF file with a PVH note
   * @param packedKernel the kernel as packaged, a bzImage
   * @param initrd its RAM disk
   * @param symbols its System.map; null where the package has none
   */
  public record Fetched(
      String release, Path kernel, Path packedKernel, Path initrd, Path symbols) {}

  private final Path directory;
  private final PackageTool tool;

  DebianCloudGuest(Path cache, PackageTool tool) {
    this.directory = cache.resolve(NAME);
    this.tool = tool;
  }

  /**
   * The guest in the user's cache folder.
   *
   * @param limit how long each command of the package tool may take
   */
  public static DebianCloudGuest inUsersCache(Duration limit) {
    return new DebianCloudGuest(cacheDirectory(), PackageTool.system(limit));
  }

  /** {@code $XDG_CACHE_HOME/trapscope}, or {@code ~/.cache/trapscope}. */
  public static Path cacheDirectory() {
    String cache = System.getenv("XDG_CACHE_HOME");
    boolean set = cache != null && cache.startsWith("/");
    Path root = set ? Path.of(cache) : Path.of(System.getProperty("user.home"), ".cache");
    return root.resolve("trapscope");
  }

  /** The guest, where it has been fetched before. */
  public Optional<Fetched> cached() {
    Path release = directory.resolve("release");
    try {
      if (!Files.isRegularFile(release)) {
        return Optional.empty();
      }
      Path symbols = directory.resolve("System.map");
      return Optional.of(
          new Fetched(
              Files.readString(release).strip(),
              directory.resolve("vmlinux"),
              directory.resolve("vmlinuz"),
              directory.resolve("initrd.cpio"),
              Files.isRegularFile(symbols) ? symbols : null));
    } catch (IOException e) {
      throw new FetchException(release + ": cannot be read: " + e.getMessage(), e);
    }
  }

  /**
   * Fetches the guest, in place of one that is there.
   *
   * @param progress takes lines for the user
   * @throws FetchException where the package tool is not there or fails, or the cache cannot be
   *     written
   */
  public Fetched fetch(Consumer<String> progress) {
    Path work = null;
    try {
      Files.createDirectories(directory);
      Files.deleteIfExists(directory.resolve("release"));
      work = Files.createTempDirectory(directory, "fetch");
      String kernel = kernelPackage(work);
      download(work, kernel, progress);
      download(work, "busybox-static", progress);
      String release = store(work, kernel, progress);
      Files.writeString(directory.resolve("release"), release + "\n");
    } catch (IOException e) {
      throw new FetchException(directory + ": cannot be written: " + e.getMessage(), e);
    } finally {
      delete(work);
    }
    return cached().orElseThrow();
  }

  /** The package that the distribution's meta-package stands for now. */
  private String kernelPackage(Path work) {
    FetchException last = null;
    for (String meta : KERNEL_PACKAGES) {
      try {
        Matcher found =
            KERNEL_DEPENDENCY.matcher(tool.run(work, List.of("apt-cache", "depends", meta)));
        if (found.find()) {
          return found.group(1);
        }
      } catch (FetchException e) {
        last = e;
      }
    }
    if (last != null && last.getCause() != null) {
      throw last;
    }
    throw new FetchException(
        "no package " + String.join(" or ", KERNEL_PACKAGES) + "; try 'apt-get update' first");
  }

  private void download(Path work, String name, Consumer<String> progress) throws IOException {
    progress.accept("downloading " + name);
    tool.run(work, List.of("apt-get", "download", name));
    try (Stream<Path> files = Files.list(work)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".deb")).toList()) {
        tool.run(work, List.of("dpkg-deb", "-x", file.toString(), "root"));
        Files.delete(file);
      }
    }
  }

  private String store(Path work, String kernelPackage, Consumer<String> progress)
      throws IOException {
    Path root = work.resolve("root");
    Path packed = find(root, "vmlinuz-");
    String release = packed.getFileName().toString().substring("vmlinuz-".length());
    progress.accept("unpacking kernel " + release);
    Files.write(directory.resolve("vmlinux"), KernelLoader.unpack(packed));
    Files.copy(packed, directory.resolve("vmlinuz"), StandardCopyOption.REPLACE_EXISTING);
    Path busybox = find(root, "busybox");
    Files.write(directory.resolve("initrd.cpio"), Initramfs.build(Files.readAllBytes(busybox)));
    storeSymbols(work, kernelPackage, release);
    return release;
  }

  /** Ubuntu keeps System.map in the package of the modules. */
  private void storeSymbols(Path work, String kernelPackage, String release) throws IOException {
    Path to = directory.resolve("System.map");
    Files.deleteIfExists(to);
    Path from = work.resolve("root/boot/System.map-" + release);
    if (!Files.exists(from)) {
      Matcher modules =
          MODULES_DEPENDENCY.matcher(
              tool.run(work, List.of("apt-cache", "depends", kernelPackage)));
      if (modules.find()) {
        download(work, modules.group(1), line -> {});
      }
    }
    if (Files.exists(from) && Files.size(from) >= LEAST_SYMBOLS) {
      Files.copy(from, to);
    }
  }

  private static Path find(Path root, String prefix) throws IOException {
    if (Files.isDirectory(root)) {
      try (Stream<Path> files = Files.walk(root)) {
        Optional<Path> found =
            files
                .filter(Files::isRegularFile)
                .filter(f -> f.getFileName().toString().startsWith(prefix))
                .filter(f -> f.toString().contains("/boot/") || f.toString().contains("/bin/"))
                .findFirst();
        if (found.isPresent()) {
          return found.get();
        }
      }
    }
    throw new FetchException("the packages hold no file " + prefix + "*");
  }

  private static void delete(Path tree) {
    if (tree == null) {
      return;
    }
    try {
      Files.walkFileTree(
          tree,
          new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes)
                throws IOException {
              Files.delete(file);
              return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path each, IOException failure)
                throws IOException {
              Files.delete(each);
              return FileVisitResult.CONTINUE;
            }
          });
    } catch (IOException e) {
      throw new FetchException(tree + ": cannot be removed: " + e.getMessage(), e);
    }
  }
}
