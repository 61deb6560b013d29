package io.trapscope.vmm.boot;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Small kernel images built for tests, byte by byte as their formats say. */
final class Images {
  private Images() {}

  static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** A bzImage of protocol 2.15 whose protected-mode kernel is {@code code}. */
  static ByteBuffer bzImage(byte[] code) {
    ByteBuffer image = buffer(1024 + code.length);
    image.put(0x1f1, (byte) 1);
    image.putShort(0x1fe, (short) 0xaa55);
    image.put(0x200, (byte) 0xeb).put(0x201, (byte) 0x6a);
    image.putInt(0x202, 0x5372_6448).putShort(0x206, (short) 0x020f);
    image.putShort(0x20e, (short) 0x100);
    image.put(0x211, (byte) 1);
    image.putInt(0x22c, 0x7fff_ffff);
    image.putInt(0x230, 0x20_0000).put(0x234, (byte) 1).putShort(0x236, (short) 0x3f);
    image.putInt(0x238, 2047);
    image.putInt(0x248, 0).putInt(0x24c, code.length);
    image.putLong(0x258, 0x100_0000).putInt(0x260, 0x10_0000);
    image.put(0x300, "6.1 test\0".getBytes(StandardCharsets.US_ASCII));
    image.put(1024, code);
    return image;
  }

  /** An ELF64 file with one segment at 2 MiB: {@code code}, and a page of zeros after it. */
  static ByteBuffer elf64(byte[] code, boolean pvhNote) {
    ByteBuffer image = buffer(0x200 + code.length);
    image.putInt(0, 0x464c_457f).put(4, (byte) 2).put(5, (byte) 1).put(6, (byte) 1);
    image.putShort(16, (short) 2).putShort(18, (short) 62).putInt(20, 1);
    image.putLong(24, 0xffff_ffff_8020_0010L).putLong(32, 64);
    image.putShort(52, (short) 64).putShort(54, (short) 56).putShort(56, (short) 2);
    image.putInt(64, 1).putInt(68, 5).putLong(72, 0x200);
    image.putLong(80, 0xffff_ffff_8020_0000L).putLong(88, 0x20_0000);
    image.putLong(96, code.length).putLong(104, code.length + 4096);
    image.putInt(120, pvhNote ? 4 : 0).putLong(128, 0x100).putLong(152, 36).putLong(160, 36);
    // A note of another vendor first, then Xen's.
    image.putInt(0x100, 4).putInt(0x104, 0).putInt(0x108, 18).putInt(0x10c, 0x0055_4e47);
    image.putInt(0x110, 4).putInt(0x114, 4).putInt(0x118, 18).putInt(0x11c, 0x006e_6558);
    image.putInt(0x120, 0x20_0020);
    image.put(0x200, code);
    return image;
  }

  /** An ELF32 file with one segment at 1 MiB. */
  static ByteBuffer elf32(byte[] code) {
    ByteBuffer image = buffer(0x100 + code.length);
    image.putInt(0, 0x464c_457f).put(4, (byte) 1).put(5, (byte) 1).put(6, (byte) 1);
    image.putShort(16, (short) 2).putShort(18, (short) 3).putInt(20, 1);
    image.putInt(24, 0x10_0040).putInt(28, 52);
    image.putShort(40, (short) 52).putShort(42, (short) 32).putShort(44, (short) 1);
    image.putInt(52, 1).putInt(56, 0x100).putInt(60, 0x10_0000).putInt(64, 0x10_0000);
    image.putInt(68, code.length).putInt(72, code.length);
    image.put(0x100, code);
    return image;
  }

  /** A Multiboot header at the start of 256 bytes of code; {@code flags} as given. */
  static ByteBuffer multiboot(int flags) {
    ByteBuffer code = buffer(256);
    code.putInt(0, 0x1bad_b002).putInt(4, flags).putInt(8, -(0x1bad_b002 + flags));
    code.putInt(12, 0x10_0000).putInt(16, 0x10_0000).putInt(20, 0).putInt(24, 0x10_2000);
    code.putInt(28, 0x10_0050);
    return code;
  }
}
