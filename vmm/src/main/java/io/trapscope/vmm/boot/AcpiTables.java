package io.trapscope.vmm.boot;

import io.trapscope.vmm.device.AcpiPm;
import io.trapscope.vmm.device.InterruptFabric;
import io.trapscope.vmm.device.Rtc;
import io.trapscope.vmm.memory.GuestMemory;
import io.trapscope.vmm.memory.MemoryLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * ACPI tables of the PC (ACPI 6.4, section 5.2): RSDP, XSDT and RSDT, FADT with FACS and reset
 * register, MADT, and a DSDT with the serial port, the clock, the PCI host and S5.
 */
final class AcpiTables {
  private static final int RSDP_BYTES = 36;
  private static final int HEADER_BYTES = 36;
  private static final int FADT_BYTES = 276;
  private static final int FACS_BYTES = 64;

  /** The reset control register and the value that resets. */
  private static final int RESET_PORT = 0xcf9;

  private static final int RESET_VALUE = 6;

  /** WBINVD works, C1, no fixed buttons or RTC wake, 32-bit timer, reset register. */
  private static final int FADT_FLAGS = 1 | 1 << 2 | 1 << 4 | 1 << 5 | 1 << 6 | 1 << 8 | 1 << 10;

  /** ISA devices, no VGA. No 8042: there is no keyboard, and looking for one takes long. */
  private static final int BOOT_ARCHITECTURE = 1 | 1 << 2;

  private static final int SYSTEM_IO = 1;

  private final GuestMemory memory;
  private long next = MemoryLayout.ACPI_TABLES;

  private AcpiTables(GuestMemory memory) {
    this.memory = memory;
  }

  /**
   * Writes all tables at {@code MemoryLayout.ACPI_TABLES}.
   *
   * @return the address of the RSDP
   */
  static long write(GuestMemory memory, int cpus) {
    AcpiTables tables = new AcpiTables(memory);
    long rsdp = tables.reserve(RSDP_BYTES);
    long facs = tables.reserve(FACS_BYTES);
    memory.write(facs, facs(), 0, FACS_BYTES);
    long dsdt = tables.add(table("DSDT", 2, dsdt()));
    long fadt = tables.add(table("FACP", 6, fadt(facs, dsdt)));
    long madt = tables.add(table("APIC", 4, madt(cpus)));
    ByteBuffer narrow = buffer(8);
    ByteBuffer wide = buffer(16);
    for (long address : new long[] {fadt, madt}) {
      narrow.putInt((int) address);
      wide.putLong(address);
    }
    long rsdt = tables.add(table("RSDT", 1, narrow.array()));
    long xsdt = tables.add(table("XSDT", 1, wide.array()));
    memory.write(rsdp, rsdp(rsdt, xsdt), 0, RSDP_BYTES);
    return rsdp;
  }

  private long reserve(int bytes) {
    // FACS needs 64-byte alignment; the RSDP needs 16.
    long at = next + 63 & ~63L;
    next = at + bytes;
    return at;
  }

  private long add(byte[] table) {
    long at = reserve(table.length);
    memory.write(at, table, 0, table.length);
    return at;
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  /** The byte that makes the sum of {@code table[0..length-1]} zero. */
  static byte checksum(byte[] table, int length) {
    int sum = 0;
    for (int i = 0; i < length; i++) {
      sum += table[i];
    }
    return (byte) -sum;
  }

  /** A table with its header and checksum. */
  private static byte[] table(String signature, int revision, byte[] body) {
    ByteBuffer out = buffer(HEADER_BYTES + body.length);
    out.put(ascii(signature)).putInt(out.capacity()).put((byte) revision).put((byte) 0);
    out.put(ascii("TRAPSC")).put(ascii("TRAPSCPE")).putInt(1).put(ascii("TRAP")).putInt(1);
    out.put(body);
    out.put(9, checksum(out.array(), out.capacity()));
    return out.array();
  }

  private static byte[] rsdp(long rsdt, long xsdt) {
    ByteBuffer out = buffer(RSDP_BYTES);
    out.put(ascii("RSD PTR ")).put((byte) 0).put(ascii("TRAPSC")).put((byte) 2);
    out.putInt((int) rsdt).putInt(RSDP_BYTES).putLong(xsdt);
    out.put(8, checksum(out.array(), 20));
    out.put(32, checksum(out.array(), RSDP_BYTES));
    return out.array();
  }

  private static byte[] facs() {
    return buffer(FACS_BYTES).put(ascii("FACS")).putInt(FACS_BYTES).array();
  }

  /** Offsets are those of the whole table (section 5.2.9). */
  private static byte[] fadt(long facs, long dsdt) {
    ByteBuffer out = buffer(FADT_BYTES);
    out.putInt(36, (int) facs).putInt(40, (int) dsdt);
    out.putShort(46, (short) AcpiPm.SCI);
    out.putInt(56, AcpiPm.PORT + AcpiPm.EVENT);
    out.putInt(64, AcpiPm.PORT + AcpiPm.CONTROL);
    out.putInt(76, AcpiPm.PORT + AcpiPm.TIMER);
    // Lengths of event block, control block and timer.
    out.put(88, (byte) 4).put(89, (byte) 2).put(91, (byte) 4);
    // No C2, no C3: latencies past their limits.
    out.putShort(96, (short) 0xfff).putShort(98, (short) 0xfff);
    out.put(108, (byte) Rtc.CENTURY);
    out.putShort(109, (short) BOOT_ARCHITECTURE);
    out.putInt(112, FADT_FLAGS);
    address(out, 116, 8, RESET_PORT);
    out.put(128, (byte) RESET_VALUE);
    out.putLong(132, facs).putLong(140, dsdt);
    address(out, 148, 32, AcpiPm.PORT + AcpiPm.EVENT);
    address(out, 172, 16, AcpiPm.PORT + AcpiPm.CONTROL);
    address(out, 208, 32, AcpiPm.PORT + AcpiPm.TIMER);
    byte[] whole = out.array();
    byte[] body = new byte[FADT_BYTES - HEADER_BYTES];
    System.arraycopy(whole, HEADER_BYTES, body, 0, body.length);
    return body;
  }

  /** A generic address structure in I/O space (section 5.2.3.2). */
  private static void address(ByteBuffer out, int at, int bits, int port) {
    int accessSize = bits == 8 ? 1 : bits == 16 ? 2 : 3;
    out.put(at, (byte) SYSTEM_IO).put(at + 1, (byte) bits).put(at + 3, (byte) accessSize);
    out.putLong(at + 4, port);
  }

  /** Interrupt controllers (section 5.2.12). */
  private static byte[] madt(int cpus) {
    ByteBuffer out = buffer(8 + 8 * cpus + 12 + 10 + 10 + 6);
    // The 8259 pair is there too.
    out.putInt((int) MemoryLayout.LOCAL_APIC).putInt(1);
    for (int cpu = 0; cpu < cpus; cpu++) {
      out.put((byte) 0).put((byte) 8).put((byte) cpu).put((byte) cpu).putInt(1);
    }
    out.put((byte) 1).put((byte) 12).put((byte) InterruptFabric.ioApicId(cpus)).put((byte) 0);
    out.putInt((int) MemoryLayout.IO_APIC).putInt(0);
    override(out, 0, InterruptFabric.TIMER_PIN, 0);
    // Level-triggered, active high.
    override(out, AcpiPm.SCI, AcpiPm.SCI, 0x0d);
    // NMI: all processors, LINT1.
    out.put((byte) 4).put((byte) 6).put((byte) 0xff).putShort((short) 0).put((byte) 1);
    return out.array();
  }

  private static void override(ByteBuffer out, int irq, int gsi, int flags) {
    out.put((byte) 2).put((byte) 10).put((byte) 0).put((byte) irq).putInt(gsi);
    out.putShort((short) flags);
  }

  private static byte[] dsdt() {
    byte[] com1 =
        Aml.device(
            "COM1",
            Aml.name("_HID", Aml.eisaId("PNP0501")),
            Aml.name("_UID", Aml.integer(1)),
            Aml.name("_CRS", Aml.resources(Aml.io(0x3f8, 8), Aml.irq(4))));
    byte[] rtc =
        Aml.device(
            "RTC_",
            Aml.name("_HID", Aml.eisaId("PNP0B00")),
            Aml.name("_CRS", Aml.resources(Aml.io(0x70, 2), Aml.irq(8))));
    byte[] pci =
        Aml.device(
            "PCI0",
            Aml.name("_HID", Aml.eisaId("PNP0A03")),
            Aml.name("_UID", Aml.integer(0)),
            Aml.name(
                "_CRS",
                Aml.resources(
                    Aml.wordWindow(2, 0, 0, 0),
                    Aml.io(0xcf8, 8),
                    Aml.wordWindow(1, 3, 0xd00, 0xffff),
                    Aml.memoryWindow(MemoryLayout.PCI_HOLE, MemoryLayout.VIRTIO_MMIO - 1))));
    byte[] s5 =
        Aml.packageOf(
            Aml.integer(AcpiPm.SLEEP_TYPE_S5), Aml.integer(0), Aml.integer(0), Aml.integer(0));
    return Aml.join(Aml.scope("\\_SB_", com1, rtc, pci), Aml.name("\\_S5_", s5));
  }
}
