package io.trapscope.vmm.boot;

import io.trapscope.vmm.device.InterruptFabric;
import io.trapscope.vmm.memory.GuestMemory;
import io.trapscope.vmm.memory.MemoryLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * The MP floating pointer and configuration table (Intel MultiProcessor Specification 1.4, chapter
 * 4), for kernels without ACPI.
 */
final class MpTable {
  private static final int POINTER_BYTES = 16;
  private static final int HEADER_BYTES = 44;

  /** The first paragraph of the area begins with the area's size. */
  private static final int POINTER_OFFSET = 16;

  private static final int ISA_BUS = 0;
  private static final int PCI_BUS = 1;
  private static final int ALL_APICS = 0xff;

  private static final int TYPE_INT = 0;
  private static final int TYPE_NMI = 1;
  private static final int TYPE_EXTINT = 3;

  /** APIC and FPU on chip; the full answer is CPUID's. */
  private static final int CPU_FEATURES = 0x201;

  private static final int CPU_SIGNATURE = 0x6a7;

  private MpTable() {}

  /** Writes the pointer, in the last KiB of base memory, and the table it points to. */
  static void write(GuestMemory memory, int cpus) {
    ByteBuffer table =
        ByteBuffer.allocate(HEADER_BYTES + 20 * cpus + 8 * 20).order(ByteOrder.LITTLE_ENDIAN);
    table.position(HEADER_BYTES);
    for (int cpu = 0; cpu < cpus; cpu++) {
      // Enabled; the first one is the bootstrap processor.
      table.put((byte) 0).put((byte) cpu).put((byte) 0x14).put((byte) (cpu == 0 ? 3 : 1));
      table.putInt(CPU_SIGNATURE).putInt(CPU_FEATURES).putLong(0);
    }
    bus(table, ISA_BUS, "ISA   ");
    bus(table, PCI_BUS, "PCI   ");
    int ioApic = InterruptFabric.ioApicId(cpus);
    table.put((byte) 2).put((byte) ioApic).put((byte) 0x11).put((byte) 1);
    table.putInt((int) MemoryLayout.IO_APIC);
    int entries = cpus + 3;
    for (int irq = 0; irq < 16; irq++) {
      if (irq != 2) {
        interrupt(table, 3, TYPE_INT, irq, ioApic, irq == 0 ? InterruptFabric.TIMER_PIN : irq);
        entries++;
      }
    }
    interrupt(table, 4, TYPE_EXTINT, 0, 0, 0);
    interrupt(table, 4, TYPE_NMI, 0, ALL_APICS, 1);
    entries += 2;
    finish(table, entries);
    memory.write(MemoryLayout.MP_CONFIGURATION, table.array(), 0, table.position());
    byte[] pointer = pointer();
    memory.write(pointerAt(), pointer, 0, pointer.length);
  }

  /** Where the floating pointer is. */
  static long pointerAt() {
    return MemoryLayout.MP_TABLE + POINTER_OFFSET;
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private static void bus(ByteBuffer table, int id, String type) {
    table.put((byte) 1).put((byte) id).put(ascii(type));
  }

  /** An I/O (3) or local (4) interrupt assignment with the bus's own polarity and trigger. */
  private static void interrupt(ByteBuffer table, int entry, int type, int irq, int apic, int pin) {
    table.put((byte) entry).put((byte) type).putShort((short) 0);
    table.put((byte) ISA_BUS).put((byte) irq).put((byte) apic).put((byte) pin);
  }

  private static void finish(ByteBuffer table, int entries) {
    int length = table.position();
    table.put(0, ascii("PCMP")).putShort(4, (short) length).put(6, (byte) 4);
    table.put(8, ascii("TRAPSCPE")).put(16, ascii("TRAPSCOPE PC"));
    table.putShort(34, (short) entries).putInt(36, (int) MemoryLayout.LOCAL_APIC);
    table.put(7, AcpiTables.checksum(table.array(), length));
  }

  private static byte[] pointer() {
    ByteBuffer out = ByteBuffer.allocate(POINTER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    out.put(ascii("_MP_")).putInt((int) MemoryLayout.MP_CONFIGURATION);
    // One paragraph long, revision 1.4.
    out.put((byte) 1).put((byte) 4);
    out.put(10, AcpiTables.checksum(out.array(), POINTER_BYTES));
    return out.array();
  }
}
