package io.trapscope.cli;

import io.trapscope.recorder.trace.TraceHeader.Image;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.regex.Pattern;

/**
 * Copies of the files that a guest was made of, in its trace: there symbols come from, and a
 * replay, when the files themselves are gone, or on another host. Each is named by its SHA-256.
 * What is recorded comes first: where a copy finds no room the trace goes on without.
 */
final class KeptFiles {
  /** Keeps nothing. */
  static final KeptFiles NONE = new KeptFiles(Path.of(""), 0, message -> {});

  /** Their place in the folder of a trace. */
  static final String FOLDER = "files";

  private static final Pattern SHA_256 = Pattern.compile("[0-9a-f]{64}");

  /** A copy is made where the file system has so many times its room. */
  private static final int ROOM = 16;

  private final Path folder;
  private final long largest;
  private final Consumer<String> messages;

  /**
   * Those of a trace that is being recorded.
   *
   * @param largest bytes of a file up to which it is kept; 0 for none
   * @param messages is told where one cannot be kept
   */
  KeptFiles(Path trace, long largest, Consumer<String> messages) {
    this.folder = trace.resolve(FOLDER);
    this.largest = largest;
    this.messages = messages;
  }

  /** The copy of an image that a trace keeps, if it does. */
  static Optional<Path> find(Path trace, Image image) {
    if (!SHA_256.matcher(image.sha256()).matches()) {
      return Optional.empty(); // not hashed, or a header that would lead out of the trace
    }
    Path copy = trace.resolve(FOLDER).resolve(image.sha256());
    try {
      return Files.isReadable(copy)
              && Files.isRegularFile(copy)
              && Files.size(copy) == image.bytes()
          ? Optional.of(copy)
          : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /** Begins the copy of a file of so many bytes. */
  Copy begin(String path, long bytes) {
    return new Copy(path, bytes);
  }

  /** A copy that is being made; nothing where it is not wanted or not possible. */
  final class Copy implements AutoCloseable {
    private final String path;
    private final Path part = folder.resolve("part");
    private OutputStream out;

    private Copy(String path, long bytes) {
      this.path = path;
      try {
        if (bytes <= largest && bytes > 0 && hasRoom(bytes)) {
          Files.createDirectories(folder);
          out = Files.newOutputStream(part);
        }
      } catch (IOException e) {
        giveUp(e);
      }
    }

    private boolean hasRoom(long bytes) throws IOException {
      return Files.getFileStore(folder.getParent()).getUsableSpace() / ROOM >= bytes;
    }

    void write(byte[] bytes, int count) {
      try {
        if (out != null) {
          out.write(bytes, 0, count);
        }
      } catch (IOException e) {
        giveUp(e);
      }
    }

    /** Ends it; the whole file has been written. */
    void finish(String sha256) {
      try {
        if (out != null) {
          out.close();
          out = null;
          Files.move(part, folder.resolve(sha256), StandardCopyOption.REPLACE_EXISTING);
        }
      } catch (IOException e) {
        giveUp(e);
      }
    }

    private void giveUp(IOException e) {
      messages.accept("trapscope: the trace keeps no copy of " + path + ": " + e.getMessage());
      close();
    }

    /** Leaves nothing of a copy that was not finished. */
    @Override
    public void close() {
      try {
        if (out != null) {
          OutputStream open = out;
          out = null;
          open.close();
        }
        Files.deleteIfExists(part);
      } catch (IOException e) {
        // What could not be removed is in the user's sight.
      }
    }
  }
}
