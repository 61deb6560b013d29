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
 * all of it. What is there and is no file, such as a pipe, is written as it is.
 */
public final class PartFile implements AutoCloseable {
  private final Path target;
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
    if (Files.isDirectory(target)) {
      throw new IOException("cannot write " + target + ": it is a folder");
    }
    try {
      boolean special = isSpecial(target);
      this.part = special ? target : target.resolveSibling(target.getFileName() + ".part");
      this.channel =
          special
              ? FileChannel.open(target, StandardOpenOption.WRITE)
              : FileChannel.open(
                  part,
                  StandardOpenOption.CREATE,
                  StandardOpenOption.TRUNCATE_EXISTING,
                  StandardOpenOption.WRITE);
    } catch (IOException e) {
      throw explained(target, e);
    }
  }

  /** Whether something is there that a file must not take the place of: a pipe or a device. */
  private static boolean isSpecial(Path target) {
    return Files.exists(target) && !Files.isRegularFile(target) && !Files.isDirectory(target);
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
      if (part != target) {
        Files.move(
            part, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
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
      if (part != target) {
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
