package io.trapscope.recorder.trace;

import io.trapscope.recorder.event.EventBlock;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * One batch at a time, read from a file into an array. A mapping of the file would do, but a trace
 * that is larger than memory would fill it with mapped pages, which cost more to give up.
 */
final class BatchBuffer {
  /** Room of the usual batch. */
  private static final int FIRST_BYTES = 256 << 10;

  private static final ByteBuffer NONE = room(0);

  private final Path file;
  private FileChannel channel;
  private ByteBuffer bytes = NONE;

  /** Nothing is read from the file, and no memory taken, before it is asked for. */
  BatchBuffer(Path file) {
    this.file = file;
  }

  private static ByteBuffer room(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * Reads what lies at this place of the file.
   *
   * @throws IOException where it cannot be read, or the file ends before
   */
  void read(long place, int length) throws IOException {
    if (bytes.capacity() < length + EventBlock.SLACK) {
      bytes = room(Math.max(FIRST_BYTES, length + EventBlock.SLACK));
    }
    if (channel == null) {
      channel = FileChannel.open(file, StandardOpenOption.READ);
    }
    ByteBuffer into = ByteBuffer.wrap(bytes.array(), 0, length);
    while (into.hasRemaining()) {
      if (channel.read(into, place + into.position()) < 0) {
        throw new EOFException(file + " became shorter");
      }
    }
  }

  /** What was read last, from 0 on, little-endian, in an array of its own. */
  ByteBuffer bytes() {
    return bytes;
  }

  /** Gives memory and file back: of a long trace there are many cursors that have ended. */
  void release() {
    bytes = NONE;
    try {
      if (channel != null) {
        channel.close();
      }
    } catch (IOException e) {
      // All of it has been read.
    }
  }
}
