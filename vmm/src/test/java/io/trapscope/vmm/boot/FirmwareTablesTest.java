package io.trapscope.vmm.boot;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.vmm.memory.ArrayMemory;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** ACPI and MP tables read back as firmware's clients read them. */
class FirmwareTablesTest {
  private final ArrayMemory memory = new ArrayMemory(0x100000);

  private String text(long at, int length) {
    return new String(memory.bytes(at, length), StandardCharsets.US_ASCII);
  }

  private int sum(long at, int length) {
    int sum = 0;
    for (byte each : memory.bytes(at, length)) {
      sum += each;
    }
    return sum & 0xff;
  }

  private long table(String signature) {
    long rsdp = AcpiTables.write(memory, 2);
    long xsdt = memory.readLong(rsdp + 24);
    int entries = (memory.readInt(xsdt + 4) - 36) / 8;
    for (int i = 0; i < entries; i++) {
      long at = memory.readLong(xsdt + 36 + 8L * i);
      if (text(at, 4).equals(signature)) {
        assertThat(sum(at, memory.readInt(at + 4))).as("checksum of " + signature).isZero();
        return at;
      }
    }
    throw new AssertionError("no " + signature);
  }

  @Test
  void rootPointerAndTables() {
    long rsdp = AcpiTables.write(memory, 1);
    assertThat(rsdp).isBetween(0xe0000L, 0xfffffL);
    assertThat(rsdp % 16).isZero();
    assertThat(text(rsdp, 8)).isEqualTo("RSD PTR ");
    assertThat(sum(rsdp, 20)).isZero();
    assertThat(sum(rsdp, 36)).isZero();
    long rsdt = memory.readInt(rsdp + 16);
    long xsdt = memory.readLong(rsdp + 24);
    assertThat(text(rsdt, 4)).isEqualTo("RSDT");
    assertThat(text(xsdt, 4)).isEqualTo("XSDT");
    assertThat(sum(rsdt, memory.readInt(rsdt + 4))).isZero();
    assertThat(sum(xsdt, memory.readInt(xsdt + 4))).isZero();
    assertThat((long) memory.readInt(rsdt + 36)).isEqualTo(memory.readLong(xsdt + 36));
  }

  @Test
  void fixedHardware() {
    long fadt = table("FACP");
    assertThat(memory.readInt(fadt + 4)).isEqualTo(276);
    assertThat(memory.readShort(fadt + 46)).as("SCI").isEqualTo((short) 9);
    assertThat(memory.readInt(fadt + 48)).as("no SMI command: always in ACPI mode").isZero();
    assertThat(memory.readInt(fadt + 64)).as("PM1a control").isEqualTo(0xb004);
    assertThat(memory.readInt(fadt + 76)).as("PM timer").isEqualTo(0xb008);
    assertThat(memory.readInt(fadt + 112) & 0x400).as("reset register").isEqualTo(0x400);
    assertThat(memory.readByte(fadt + 116)).as("in I/O space").isEqualTo((byte) 1);
    assertThat(memory.readLong(fadt + 120)).isEqualTo(0xcf9);
    assertThat(memory.readByte(fadt + 128)).isEqualTo((byte) 6);
    long facs = memory.readLong(fadt + 132);
    assertThat(facs % 64).isZero();
    assertThat(text(facs, 4)).isEqualTo("FACS");
    assertThat((long) memory.readInt(fadt + 40)).isEqualTo(memory.readLong(fadt + 140));
  }

  @Test
  void interruptControllers() {
    long madt = table("APIC");
    assertThat(memory.readInt(madt + 36)).isEqualTo(0xfee0_0000);
    List<String> entries = new ArrayList<>();
    int length = memory.readInt(madt + 4);
    for (int at = 44; at < length; at += memory.readByte(madt + at + 1)) {
      StringBuilder hex = new StringBuilder();
      for (byte each : memory.bytes(madt + at, memory.readByte(madt + at + 1))) {
        hex.append(String.format("%02x", each));
      }
      entries.add(hex.toString());
    }
    assertThat(entries)
        .containsExactly(
            "0008000001000000",
            "0008010101000000",
            "010c02000000c0fe00000000",
            "020a0000020000000000",
            "020a0009090000000d00",
            "0406ff000001");
  }

  @Test
  void theDsdtIsAsAnAssemblerMakesIt() {
    long dsdt = memory.readLong(table("FACP") + 140);
    assertThat(text(dsdt, 4)).isEqualTo("DSDT");
    int length = memory.readInt(dsdt + 4);
    assertThat(sum(dsdt, length)).isZero();
    byte[] body = memory.bytes(dsdt + 36, length - 36);
    // Scope (\_SB) with a two-byte length, then Device (COM1) with _HID EISAID("PNP0501").
    assertThat(body[0]).isEqualTo((byte) 0x10);
    int scope = body[1] & 15 | (body[2] & 0xff) << 4;
    assertThat(body[1] >> 6 & 3).isEqualTo(1);
    assertThat(text(dsdt + 39, 5)).isEqualTo("\\_SB_");
    assertThat(body[8]).isEqualTo((byte) 0x5b);
    assertThat(body[9]).isEqualTo((byte) 0x82);
    String hex = java.util.HexFormat.of().formatHex(body);
    assertThat(hex).contains("085f484944" + "0c41d00501");
    assertThat(hex).contains("4701f803f803" + "0108" + "221000" + "7900");
    assertThat(hex.substring(2 * (1 + scope)))
        .as("Name (\\_S5, Package (4) {5, 0, 0, 0})")
        .isEqualTo("085c5f53355f" + "120704" + "0a05" + "000000");
  }

  @Test
  void integersAndLengthsOfAml() {
    assertThat(Aml.integer(0)).containsExactly(0);
    assertThat(Aml.integer(1)).containsExactly(1);
    assertThat(Aml.integer(0x80)).containsExactly(0x0a, (byte) 0x80);
    assertThat(Aml.integer(0x1234)).containsExactly(0x0b, 0x34, 0x12);
    assertThat(Aml.integer(0xfec0_0000L)).containsExactly(0x0c, 0, 0, (byte) 0xc0, (byte) 0xfe);
    assertThat(Aml.buffer(new byte[60])).startsWith(0x11, 0x3f);
    assertThat(Aml.buffer(new byte[61])).startsWith(0x11, 0x41, 0x04);
    assertThat(Aml.buffer(new byte[5000])).startsWith(0x11, (byte) 0x8e, 0x38, 0x01);
  }

  @Test
  void biosDataLeadsToTheExtendedArea() {
    BiosData.write(memory);
    MpTable.write(memory, 1);
    assertThat(memory.readShort(0x413)).isEqualTo((short) 639);
    assertThat((memory.readShort(0x40e) & 0xffffL) << 4).isEqualTo(0x9fc00);
    assertThat(memory.readByte(0x9fc00)).as("KiB").isEqualTo((byte) 1);
    assertThat(memory.readShort(0x400)).isEqualTo((short) 0x3f8);
  }

  @Test
  void biosServicesRefuseAndOtherVectorsReturn() {
    BiosData.write(memory);
    assertThat(memory.readInt(4 * 0x08)).isEqualTo(0xf000ff53);
    assertThat(memory.readByte(0xfff53)).as("IRET").isEqualTo((byte) 0xcf);
    long service = 0xf0000 + (memory.readInt(4 * 0x15) & 0xffff);
    assertThat(memory.bytes(service, 9))
        .as("sets the carry flag that IRET restores")
        .containsExactly(0x55, 0x89, 0xe5, 0x80, 0x4e, 0x06, 0x01, 0x5d, 0xcf);
  }

  @Test
  void theResetVectorWritesTheResetRegister() {
    BiosData.write(memory);
    // mov dx, 0xcf9; mov al, 6; out dx, al
    assertThat(memory.bytes(0xffff0, 6)).containsExactly(0xba, 0xf9, 0x0c, 0xb0, 0x06, 0xee);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 4, 64})
  void multiprocessorTable(int cpus) {
    MpTable.write(memory, cpus);
    assertThat(text(0x9fc10, 4)).isEqualTo("_MP_");
    assertThat(sum(0x9fc10, 16)).isZero();
    long table = memory.readInt(0x9fc14);
    assertThat(text(table, 4)).isEqualTo("PCMP");
    int length = memory.readShort(table + 4);
    assertThat(sum(table, length)).isZero();
    int entries = memory.readShort(table + 34);
    int at = 44;
    int processors = 0;
    List<String> interrupts = new ArrayList<>();
    for (int i = 0; i < entries; i++) {
      int type = memory.readByte(table + at);
      processors += type == 0 ? 1 : 0;
      if (type >= 3) {
        interrupts.add(
            type
                + ":"
                + memory.readByte(table + at + 1)
                + ":"
                + memory.readByte(table + at + 5)
                + ">"
                + memory.readByte(table + at + 7));
      }
      at += type == 0 ? 20 : 8;
    }
    assertThat(at).as("entries end where the table does").isEqualTo(length);
    assertThat(processors).isEqualTo(cpus);
    assertThat(interrupts)
        .hasSize(17)
        .startsWith("3:0:0>2", "3:0:1>1", "3:0:3>3")
        .endsWith("3:0:15>15", "4:3:0>0", "4:1:0>1");
  }
}
