package io.trapscope.analyzer.table;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/**
 * A file that is called {@code NAME.part} until it is complete. Whoever finds {@code NAME} finds
 * all of it. What is there and is no file, such as a pipe, is written as it is. Symbolic links
 * stay, and the file they lead to is replaced; but not one that is reached as a process has it
 * open, as by {@code /dev/stdout}: that process would go on with the file that was there.
 */
public final class PartFile implements AutoCloseable {
  private static final Path PROCESSES = Path.of("/proc");

  /** What it is called by who wants it. */
  private final Path target;

  /** The same behind symbolic links. */
  private final Path file;

  private final Path part;
  private final FileChannel channel;
  private boolean committed;

  /**
   * Makes the part file, or empties what an earlier process left of it.
   *
   * @throws IOException with one line that names the file
   */
  public PartFile(Path target) throws IOException {
    this.target = target;
    check(target);
    try {
      boolean regular = Files.isRegularFile(target);
      boolean special = !regular && Files.exists(target);
      this.file = regular ? target.toRealPath() : target;
      this.part = special ? file : file.resolveSibling(file.getFileName() + ".part");
      this.channel =
          special
              ? FileChannel.open(file, StandardOpenOption.WRITE)
              : FileChannel.open(
                  part,
                  StandardOpenOption.CREATE,
                  StandardOpenOption.TRUNCATE_EXISTING,
                  StandardOpenOption.WRITE);
    } catch (IOException e) {
      throw explained(target, e);
    }
  }

  /** Whether this is, or leads to, what the kernel calls a file that a process has open. */
  private static boolean isOpenFile(Path target) throws IOException {
    Path link = target.toAbsolutePath();
    while (Files.isSymbolicLink(link)) {
      if (link.getParent().toRealPath().startsWith(PROCESSES)) {
        return true;
      }
      link = link.resolveSibling(Files.readSymbolicLink(link));
    }
    return false;
  }

  /**
   * Whether a file could be written there, as far as can be said before there is anything to write.
   *
   * @throws IOException with one line that says why not
   */
  public static void check(Path target) throws IOException {
    if (Files.isDirectory(target)) {
      throw new IOException("cannot write " + target + ": it is a folder");
    }
    Path folder = target.toAbsolutePath().getParent();
    if (folder == null || !Files.isDirectory(folder)) {
      throw new IOException("cannot write " + target + ": no such folder");
    }
    if (Files.isRegularFile(target) && isOpenFile(target)) {
      throw new IOException(
          "cannot write " + target + ": it is a file already open; name the file");
    }
  }

  /** Where to write. */
  public FileChannel channel() {
    return channel;
  }

  /** Writes all of {@code source}; a failure names the file. */
  public void write(ByteBuffer source) throws IOException {
    try {
      while (source.hasRemaining()) {
        channel.write(source);
      }
    } catch (IOException e) {
      throw explained(e);
    }
  }

  /** Ends writing; a disk that tells only then that it is full does so here. */
  public void finish() throws IOException {
    try {
      channel.close();
    } catch (IOException e) {
      throw explained(e);
    }
  }

  /** Gives the file its name, finished or not. */
  public Path commit() throws IOException {
    finish();
    try {
      if (part != file) {
        Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      }
    } catch (IOException e) {
      throw explained(e);
    }
    committed = true;
    return target;
  }

  /** The same failure in one line that names the file. */
  public IOException explained(IOException e) {
    return explained(target, e);
  }

  /** One line that names the file or directory and what is wrong with it. */
  public static IOException explained(Path file, IOException e) {
    String reason;
    if (e instanceof AccessDeniedException) {
      reason = "permission denied";
    } else if (e instanceof FileAlreadyExistsException) {
      reason = "it exists and is no directory";
    } else if (e instanceof NoSuchFileException) {
      reason = "no such folder";
    } else if (e instanceof FileSystemException system && system.getReason() != null) {
      reason = system.getReason();
    } else {
      reason = String.valueOf(e.getMessage());
    }
    return new IOException("cannot write " + file + ": " + reason, e);
  }

  /** Removes the file where it was not committed. */
  @Override
  public void close() {
    if (committed) {
      return;
    }
    try {
      channel.close();
    } catch (IOException e) {
      // The file is removed below; whether its last bytes were written does not matter.
    }
    try {
      if (part != file) {
        Files.deleteIfExists(part);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public String toString() {
    return target.toString();
  }
}
