package io.trapscope.vmm.fetch;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.zip.GZIPOutputStream;

/** The least that is a bzImage with an ELF file in it. */
final class TestKernel {
  private TestKernel() {}

  static byte[] bzImage() {
    ByteBuffer elf = ByteBuffer.allocate(128).order(ByteOrder.LITTLE_ENDIAN);
    elf.putInt(0, 0x464c_457f).put(4, (byte) 2).put(5, (byte) 1);
    elf.putShort(18, (short) 62).putLong(24, 0x20_0000).putLong(32, 64);
    elf.putShort(54, (short) 56).putShort(56, (short) 1);
    elf.putInt(64, 1).putLong(88, 0x20_0000).putLong(96, 8).putLong(104, 8);
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (GZIPOutputStream out = new GZIPOutputStream(packed)) {
      out.write(elf.array());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    ByteBuffer image = ByteBuffer.allocate(1024 + packed.size()).order(ByteOrder.LITTLE_ENDIAN);
    image.put(0x1f1, (byte) 1).putShort(0x1fe, (short) 0xaa55).putInt(0x202, 0x5372_6448);
    image.putShort(0x206, (short) 0x020f).put(0x211, (byte) 1).putShort(0x236, (short) 1);
    image.putInt(0x24c, packed.size());
    image.put(1024, packed.toByteArray());
    return image.array();
  }
}
