package io.trapscope.vmm.memory;

import java.util.List;

/**
 * Every guest-physical address that this product chooses. Addresses that a specification fixes are
 * here too, with their source.
 *
 * <pre>
 *             0 +--------------------------------+
 *               | IVT and BIOS data area         |
 *         0x600 +--------------------------------+ LOW_FREE
 *               | free; hello runs at 0x1000     |
 *       0x90000 +--------------------------------+ BOOT_PARAMS    zero page of a Linux boot
 *       0x91000 +--------------------------------+ BOOT_GDT
 *       0x92000 +--------------------------------+ BOOT_PML4      \
 *       0x93000 +--------------------------------+ BOOT_PDPT       identity map, 4 GiB
 *       0x94000 +--------------------------------+ BOOT_PD (4)    /
 *       0x98000 +--------------------------------+ COMMAND_LINE   4 KiB with its NUL
 *       0x99000 +--------------------------------+ START_INFO     PVH; Multiboot information
 *       0x9a000 +--------------------------------+ MODULE_TEXTS   command lines of modules
 *       0x9b000 +--------------------------------+ grows down from BOOT_STACK = 0x9c000
 *       0x9c000 +--------------------------------+ free
 *       0x9fc00 +--------------------------------+ MP_TABLE       last KiB of base memory
 *       0xa0000 +--------------------------------+ VGA_HOLE       RAM here, reserved in E820
 *       0xe0000 +--------------------------------+ ACPI_TABLES    RSDP first
 *       0xf0000 +--------------------------------+ MP_CONFIGURATION
 *      0x100000 +--------------------------------+ HIGH_MEMORY    kernels load here
 *               | RAM; initrd as high as it fits |
 *  0xc000_0000  +--------------------------------+ PCI_HOLE
 *  0xd000_0000  |   virtio-mmio, a page each     | VIRTIO_MMIO
 *  0xe000_0000  |   the exits guest's MMIO page  | TEST_MMIO
 *  0xfec0_0000  |   I/O APIC                     | IO_APIC
 *  0xfee0_0000  |   local APIC                   | LOCAL_APIC
 *  0xfffb_c000  |   KVM's own pages              | KVM_IDENTITY_MAP, KVM_TSS
 * 0x1_0000_0000 +--------------------------------+ HIGH_RAM
 *               | RAM past the first 3 GiB       |
 *               +--------------------------------+
 * </pre>
 */
public final class MemoryLayout {

  public static final int PAGE_SIZE = 4096;

  /** Past the interrupt vector table and the BIOS data area; nothing of ours below. */
  public static final long LOW_FREE = 0x600;

  /** What boot structures occupy: flat images that use any of them stay out of it. */
  public static final long BOOT_AREA = 0x90000;

  public static final long BOOT_AREA_END = 0x9c000;

  /** Linux {@code struct boot_params}, one page (Documentation/arch/x86/zero-page.rst). */
  public static final long BOOT_PARAMS = 0x90000;

  public static final long BOOT_GDT = 0x91000;

  /** Page tables of an identity map of the first 4 GiB in 2 MiB pages. */
  public static final long BOOT_PML4 = 0x92000;

  public static final long BOOT_PDPT = 0x93000;

  /** Four page directories, one a GiB. */
  public static final long BOOT_PD = 0x94000;

  /** Kernel command line, NUL-terminated; room for {@link #COMMAND_LINE_BYTES} with the NUL. */
  public static final long COMMAND_LINE = 0x98000;

  public static final int COMMAND_LINE_BYTES = PAGE_SIZE;

  /** PVH {@code hvm_start_info} with its lists, or the Multiboot information; one page. */
  public static final long START_INFO = 0x99000;

  /** What kernels are told of their modules, NUL-terminated texts; one page. */
  public static final long MODULE_TEXTS = 0x9a000;

  /** First stack pointer; the stack grows down over one page. */
  public static final long BOOT_STACK = 0x9c000;

  /**
   * Extended BIOS data area with the MP floating pointer: the last KiB of base memory is searched
   * (Intel MultiProcessor Specification 1.4, section 4.1.1). RAM below is free for E820.
   */
  public static final long MP_TABLE = 0x9fc00;

  /** End of base memory; RAM from here to {@link #HIGH_MEMORY} is reserved in E820. */
  public static final long VGA_HOLE = 0xa0000;

  /**
   * RSDP and the ACPI tables: 0xe0000 to 0xfffff is searched for the RSDP (ACPI 6.4, section
   * 5.2.5.1).
   */
  public static final long ACPI_TABLES = 0xe0000;

  /** MP configuration table, which the floating pointer names. */
  public static final long MP_CONFIGURATION = 0xf0000;

  public static final long HIGH_MEMORY = 0x100000;

  /** RAM below 4 GiB ends here at the latest. */
  public static final long PCI_HOLE = 0xc000_0000L;

  /** End of what PCI BARs may use. */
  public static final long PCI_HOLE_END = 0xfec0_0000L;

  /** First of the virtio-mmio register pages, 4 KiB apart. */
  public static final long VIRTIO_MMIO = 0xd000_0000L;

  /** The page whose accesses the guest {@code exits} counts. */
  public static final long TEST_MMIO = 0xe000_0000L;

  /** 82093AA I/O APIC data sheet, section 3.0. */
  public static final long IO_APIC = 0xfec0_0000L;

  /** Intel SDM volume 3, section 11.4.1. */
  public static final long LOCAL_APIC = 0xfee0_0000L;

  /** Pages that KVM uses for real mode on VT-x without unrestricted guest; never RAM. */
  public static final long KVM_IDENTITY_MAP = 0xfffb_c000L;

  /** Three pages (KVM_SET_TSS_ADDR). */
  public static final long KVM_TSS = 0xfffb_d000L;

  /** RAM that does not fit below {@link #PCI_HOLE} continues here. */
  public static final long HIGH_RAM = 0x1_0000_0000L;

  /** The least RAM a machine can have: everything up to {@link #HIGH_MEMORY}, and a MiB over. */
  public static final long MINIMUM_RAM = 0x200000;

  private MemoryLayout() {}

  /**
   * Where RAM lies: from 0 to {@link #PCI_HOLE}, and the rest from {@link #HIGH_RAM} on.
   *
   * @param bytes all RAM of the machine
   * @throws IllegalArgumentException where it is not a multiple of 4 KiB or under {@link
   *     #MINIMUM_RAM}
   */
  public static List<MemoryRegion> ram(long bytes) {
    if (bytes < MINIMUM_RAM || bytes % PAGE_SIZE != 0) {
      throw new IllegalArgumentException(
          "memory of " + bytes + " bytes: a multiple of 4 KiB, 2 MiB or more, is needed");
    }
    if (bytes <= PCI_HOLE) {
      return List.of(new MemoryRegion(0, bytes, "ram-low"));
    }
    return List.of(
        new MemoryRegion(0, PCI_HOLE, "ram-low"),
        new MemoryRegion(HIGH_RAM, bytes - PCI_HOLE, "ram-high"));
  }

  /** The highest address below 4 GiB that is not RAM any more. */
  public static long lowRamEnd(long bytes) {
    return ram(bytes).get(0).end();
  }
}
