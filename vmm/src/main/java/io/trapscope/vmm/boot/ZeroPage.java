package io.trapscope.vmm.boot;

import io.trapscope.vmm.memory.GuestMemory;
import io.trapscope.vmm.memory.MemoryLayout;
import java.util.List;

/**
 * Linux's {@code struct boot_params}, the "zero page" (Linux, Documentation/arch/x86/zero-page.rst
 * and boot.rst), at {@code MemoryLayout.BOOT_PARAMS}.
 */
final class ZeroPage {
  private static final int ACPI_RSDP = 0x070;
  private static final int E820_ENTRIES = 0x1e8;
  private static final int SETUP_HEADER = 0x1f1;
  private static final int BOOT_FLAG = 0x1fe;
  private static final int JUMP = 0x201;
  private static final int HEADER_MAGIC = 0x202;
  private static final int VERSION = 0x206;
  private static final int TYPE_OF_LOADER = 0x210;
  private static final int LOADFLAGS = 0x211;
  private static final int RAMDISK_IMAGE = 0x218;
  private static final int RAMDISK_SIZE = 0x21c;
  private static final int CMD_LINE_PTR = 0x228;
  private static final int E820_TABLE = 0x2d0;

  private static final byte LOADED_HIGH = 1;
  private static final byte UNDEFINED_LOADER = (byte) 0xff;

  private final GuestMemory memory;
  private final long base = MemoryLayout.BOOT_PARAMS;

  ZeroPage(GuestMemory memory) {
    this.memory = memory;
  }

  /** Copies the setup header of a bzImage: it ends where the jump at its start goes to. */
  void header(byte[] image) {
    int end = HEADER_MAGIC + (image[JUMP] & 0xff);
    memory.write(base + SETUP_HEADER, image, SETUP_HEADER, end - SETUP_HEADER);
  }

  /** A header for a kernel that has none, such as an unpacked vmlinux: protocol 2.12. */
  void header() {
    memory.writeShort(base + BOOT_FLAG, (short) 0xaa55);
    memory.writeInt(base + HEADER_MAGIC, 0x5372_6448);
    memory.writeShort(base + VERSION, (short) 0x020c);
    memory.writeByte(base + LOADFLAGS, LOADED_HIGH);
  }

  /** Fills in what the loader knows. */
  void fill(List<E820.Entry> map, long initrd, int initrdBytes, long rsdp) {
    memory.writeByte(base + TYPE_OF_LOADER, UNDEFINED_LOADER);
    memory.writeInt(base + CMD_LINE_PTR, (int) MemoryLayout.COMMAND_LINE);
    memory.writeInt(base + RAMDISK_IMAGE, (int) initrd);
    memory.writeInt(base + RAMDISK_SIZE, initrdBytes);
    memory.writeLong(base + ACPI_RSDP, rsdp);
    memory.writeByte(base + E820_ENTRIES, (byte) map.size());
    for (int i = 0; i < map.size(); i++) {
      E820.Entry entry = map.get(i);
      long at = base + E820_TABLE + 20L * i;
      memory.writeLong(at, entry.base());
      memory.writeLong(at + 8, entry.length());
      memory.writeInt(at + 16, entry.type());
    }
  }
}
