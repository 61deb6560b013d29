package io.trapscope.analyzer.arrow;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;

/**
 * Writes a new file and leaves holes where blocks are all zero. Most columns of a row an exit are
 * null in most rows: a port has no MSR. Their zeros then take neither disk blocks nor time, and
 * read back as zeros.
 */
final class SparseChannel implements WritableByteChannel {
  private static final int BLOCK = 1 << 16;
  private static final ByteBuffer ZEROS = ByteBuffer.allocateDirect(BLOCK).asReadOnlyBuffer();

  private final FileChannel file;

  SparseChannel(FileChannel file) {
    this.file = file;
  }

  @Override
  public int write(ByteBuffer source) throws IOException {
    int size = source.remaining();
    int end = source.limit();
    while (source.remaining() >= BLOCK) {
      int first = source.position();
      int zeros = first;
      while (end - zeros >= BLOCK && isZero(source, zeros)) {
        zeros += BLOCK;
      }
      if (zeros > first) {
        file.position(file.position() + (zeros - first));
        source.position(zeros);
      }
      int filled = zeros;
      while (end - filled >= BLOCK && !isZero(source, filled)) {
        filled += BLOCK;
      }
      writeUpTo(source, filled);
    }
    writeUpTo(source, end);
    source.limit(end);
    return size;
  }

  private static boolean isZero(ByteBuffer source, int from) {
    return source.slice(from, BLOCK).mismatch(ZEROS) < 0;
  }

  private void writeUpTo(ByteBuffer source, int limit) throws IOException {
    int end = source.limit();
    source.limit(limit);
    while (source.hasRemaining()) {
      file.write(source);
    }
    source.limit(end);
  }

  @Override
  public boolean isOpen() {
    return file.isOpen();
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
