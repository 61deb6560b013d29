package io.trapscope.vmm.boot;

import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;
import org.apache.commons.compress.compressors.bzip2.BZip2CompressorInputStream;
import org.apache.commons.compress.compressors.lz4.BlockLZ4CompressorInputStream;
import org.apache.commons.compress.compressors.lz4.FramedLZ4CompressorInputStream;
import org.apache.commons.compress.compressors.lzma.LZMACompressorInputStream;
import org.apache.commons.compress.compressors.xz.XZCompressorInputStream;
import org.apache.commons.compress.compressors.zstandard.ZstdCompressorInputStream;

/** Unpacks what is compressed, by its magic number: the formats a Linux kernel comes in. */
final class Unpacker {

  /** A compression format. */
  enum Format {
    GZIP("gzip", 0x1f, 0x8b),
    XZ("xz", 0xfd, '7', 'z', 'X', 'Z', 0),
    ZSTD("zstd", 0x28, 0xb5, 0x2f, 0xfd),
    LZ4("lz4", 0x04, 0x22, 0x4d, 0x18),
    /** What {@code lz4 -l} writes, and kernels are packed with: sized blocks without a frame. */
    LZ4_LEGACY("lz4", 0x02, 0x21, 0x4c, 0x18),
    BZIP2("bzip2", 'B', 'Z', 'h'),
    LZMA("lzma", 0x5d, 0, 0);

    private final String title;
    private final byte[] magic;

    Format(String title, int... magic) {
      this.title = title;
      this.magic = new byte[magic.length];
      for (int i = 0; i < magic.length; i++) {
        this.magic[i] = (byte) magic[i];
      }
    }

    /** The usual name, such as {@code zstd}. */
    String title() {
      return title;
    }

    /** The format that data at {@code offset} is in, or null where it is in none of them. */
    static Format of(byte[] data, int offset) {
      for (Format format : values()) {
        int end = offset + format.magic.length;
        if (end <= data.length
            && Arrays.equals(data, offset, end, format.magic, 0, format.magic.length)) {
          return format;
        }
      }
      return null;
    }
  }

  /** More than any guest has: what unpacks to more is not a kernel. */
  private static final int LIMIT = 1 << 30;

  private static final int LEGACY_BLOCK = 8 << 20;

  private Unpacker() {}

  /**
   * Unpacks {@code length} bytes at {@code offset}; anything after the compressed stream's end is
   * ignored.
   *
   * @throws BootException naming {@code what} where the data is damaged, cut short or unpacks to
   *     more than 1 GiB
   */
  static byte[] unpack(Format format, byte[] data, int offset, int length, String what) {
    try (InputStream in = open(format, new ByteArrayInputStream(data, offset, length))) {
      byte[] unpacked = in.readNBytes(LIMIT);
      if (unpacked.length == LIMIT) {
        throw new BootException(what + ": unpacks to 1 GiB or more");
      }
      return unpacked;
    } catch (IOException | IllegalArgumentException e) {
      String why = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
      throw new BootException(
          what + ": damaged or truncated " + format.title() + " data (" + why + ")", e);
    }
  }

  private static InputStream open(Format format, InputStream in) throws IOException {
    return switch (format) {
      case GZIP -> new GZIPInputStream(in, 1 << 16);
      case XZ -> new XZCompressorInputStream(in);
      case ZSTD -> new ZstdCompressorInputStream(in);
      case LZ4 -> new FramedLZ4CompressorInputStream(in);
      case LZ4_LEGACY -> new LegacyLz4Stream(in);
      case BZIP2 -> new BZip2CompressorInputStream(in);
      case LZMA -> new LZMACompressorInputStream(in);
    };
  }

  /** Blocks of up to 8 MiB, each with its packed size in 4 bytes before it. */
  private static final class LegacyLz4Stream extends InputStream {
    private final InputStream in;
    private InputStream block = InputStream.nullInputStream();
    private boolean last;

    LegacyLz4Stream(InputStream in) throws IOException {
      this.in = in;
      in.skipNBytes(4);
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] to, int offset, int length) throws IOException {
      int count = block.read(to, offset, length);
      while (count < 0 && nextBlock()) {
        count = block.read(to, offset, length);
      }
      return count;
    }

    private boolean nextBlock() throws IOException {
      byte[] size = in.readNBytes(4);
      if (last || size.length < 4) {
        return false;
      }
      int packed = size[0] & 0xff | (size[1] & 0xff) << 8 | (size[2] & 0xff) << 16 | size[3] << 24;
      // A kernel's build appends the unpacked size: no block starts there.
      if (in.available() == 0) {
        return false;
      }
      if (packed <= 0 || packed > in.available()) {
        throw new EOFException("a block of " + packed + " bytes is cut short");
      }
      byte[] content =
          new BlockLZ4CompressorInputStream(new ByteArrayInputStream(in.readNBytes(packed)))
              .readAllBytes();
      last = content.length < LEGACY_BLOCK;
      block = new ByteArrayInputStream(content);
      return true;
    }
  }
}
