package io.trapscope.recorder.trace;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.zip.CRC32C;

/**
 * The part of a file that is mapped, for a reader that goes forward; places are those in the file.
 * Little-endian. Parts that are left are unmapped by the garbage collector.
 */
final class FileWindow {
  /** Bytes of file that are mapped at a time; more than any batch. */
  private static final int BYTES = 1 << 28;

  private final Path file;
  private ByteBuffer bytes;
  private long start;
  private long fileBytes;

  /** Maps nothing yet. */
  FileWindow(Path file) {
    this.file = file;
  }

  /** Maps a part that holds any batch at this place, as far as the file went when last looked. */
  void map(long place) throws IOException {
    long wanted = Math.min(place + TraceFormat.MAX_BATCH + 64, fileBytes);
    if (bytes != null && place >= start && wanted <= end()) {
      return;
    }
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      fileBytes = channel.size();
      start = place & -4096;
      long most = Math.max(0, Math.min(BYTES, fileBytes - start));
      bytes =
          channel.map(FileChannel.MapMode.READ_ONLY, start, most).order(ByteOrder.LITTLE_ENDIAN);
    }
  }

  /** Maps the part at this place anew; whether the file has become longer since the last time. */
  boolean hasGrown(long place) throws IOException {
    long before = fileBytes;
    bytes = null;
    map(place);
    return fileBytes > before;
  }

  /** Gives up what is mapped. */
  void release() {
    bytes = null;
  }

  /** Bytes of the file when it was last looked at. */
  long fileBytes() {
    return fileBytes;
  }

  /** Where the mapped part ends. */
  long end() {
    return start + bytes.capacity();
  }

  short i16(long place) {
    return bytes.getShort(at(place));
  }

  int i32(long place) {
    return bytes.getInt(at(place));
  }

  long i64(long place) {
    return bytes.getLong(at(place));
  }

  /** The checksum that a batch at this place with so many bytes of records should have. */
  int checksum(CRC32C crc, long place, int recordBytes) {
    return TraceFormat.checksum(crc, bytes.duplicate(), at(place), recordBytes);
  }

  private int at(long place) {
    return (int) (place - start);
  }
}
