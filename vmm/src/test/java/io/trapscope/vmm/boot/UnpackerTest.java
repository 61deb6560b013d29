package io.trapscope.vmm.boot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Random;
import java.util.zip.GZIPOutputStream;
import org.apache.commons.compress.compressors.bzip2.BZip2CompressorOutputStream;
import org.apache.commons.compress.compressors.lz4.BlockLZ4CompressorOutputStream;
import org.apache.commons.compress.compressors.lz4.FramedLZ4CompressorOutputStream;
import org.apache.commons.compress.compressors.lzma.LZMACompressorOutputStream;
import org.apache.commons.compress.compressors.xz.XZCompressorOutputStream;
import org.apache.commons.compress.compressors.zstandard.ZstdCompressorOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Each compression format there and back, damaged and cut short. */
class UnpackerTest {
  private final byte[] content = new byte[100_000];

  UnpackerTest() {
    new Random(1).nextBytes(content);
    // Half of it compresses.
    java.util.Arrays.fill(content, 0, 50_000, (byte) 'x');
  }

  static byte[] gzip(byte[] data) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (OutputStream packer = new GZIPOutputStream(out)) {
      packer.write(data);
    }
    return out.toByteArray();
  }

  private static OutputStream packer(Unpacker.Format format, OutputStream out) throws IOException {
    return switch (format) {
      case GZIP -> new GZIPOutputStream(out);
      case XZ -> new XZCompressorOutputStream(out);
      case ZSTD -> new ZstdCompressorOutputStream(out);
      case LZ4 -> new FramedLZ4CompressorOutputStream(out);
      case BZIP2 -> new BZip2CompressorOutputStream(out);
      case LZMA -> new LZMACompressorOutputStream(out);
      case LZ4_LEGACY -> throw new AssertionError("made by hand");
    };
  }

  /** Packs data in any format but the one that is made by hand. */
  static byte[] pack(Unpacker.Format format, byte[] data) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (OutputStream packer = packer(format, out)) {
      packer.write(data);
    }
    return out.toByteArray();
  }

  private byte[] pack(Unpacker.Format format) throws IOException {
    if (format != Unpacker.Format.LZ4_LEGACY) {
      return pack(format, content);
    }
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream block = new ByteArrayOutputStream();
    try (OutputStream packer = new BlockLZ4CompressorOutputStream(block)) {
      packer.write(content);
    }
    out.writeBytes(new byte[] {0x02, 0x21, 0x4c, 0x18});
    for (int i = 0; i < 4; i++) {
      out.write(block.size() >> 8 * i);
    }
    block.writeTo(out);
    // What a kernel's build appends: the size.
    out.writeBytes(new byte[] {(byte) 0xa0, (byte) 0x86, 1, 0});
    return out.toByteArray();
  }

  @ParameterizedTest
  @EnumSource(Unpacker.Format.class)
  void thereAndBack(Unpacker.Format format) throws IOException {
    byte[] packed = pack(format);
    byte[] shifted = new byte[packed.length + 20];
    System.arraycopy(packed, 0, shifted, 7, packed.length);
    assertThat(Unpacker.Format.of(shifted, 7)).isEqualTo(format);
    assertThat(Unpacker.unpack(format, shifted, 7, packed.length, "it")).isEqualTo(content);
  }

  @ParameterizedTest
  @EnumSource(value = Unpacker.Format.class, mode = EnumSource.Mode.EXCLUDE, names = "LZMA")
  void damageIsAUsersError(Unpacker.Format format) throws IOException {
    byte[] packed = pack(format);
    assertThatThrownBy(() -> Unpacker.unpack(format, packed, 0, packed.length / 2, "it"))
        .isInstanceOf(BootException.class)
        .hasMessageStartingWith("it: damaged or truncated " + format.title());
  }

  @Test
  void otherDataIsInNoFormat() {
    assertThat(Unpacker.Format.of(new byte[] {0x7f, 'E', 'L', 'F'}, 0)).isNull();
    assertThat(Unpacker.Format.of(new byte[] {0x1f}, 0)).isNull();
    assertThat(Unpacker.Format.of(new byte[0], 0)).isNull();
  }
}
