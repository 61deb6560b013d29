package io.trapscope.vmm.device;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/**
 * Routes port and memory accesses to devices: the 64 Ki I/O ports, and guest-physical memory that
 * is not RAM.
 *
 * <p>Leaf regions (devices and RAM) never overlap; a {@link #container} may enclose others and only
 * shapes the tree. An access that no device claims reads as all ones, is ignored as a write, and is
 * counted. Not thread-safe: callers hold the machine's device lock.
 */
public final class Bus {

  /** The two address spaces of a PC. */
  public enum Space {
    MEMORY("memory", 1L << 52),
    PORTS("I/O", 1L << 16);

    private final String title;
    private final long size;

    Space(String title, long size) {
      this.title = title;
      this.size = size;
    }

    /** The name at the root of the tree. */
    public String title() {
      return title;
    }
  }

  /** What a region is made of. */
  public enum Kind {
    DEVICE,
    RAM,
    CONTAINER
  }

  /**
   * One range of one address space. {@code unit} is the widest access its device takes, in bytes; a
   * wider one is split. {@code device} is null but for {@link Kind#DEVICE}.
   */
  public record Region(
      Space space, Kind kind, long base, long length, int unit, String name, Device device) {

    /** The first address after the region. */
    public long end() {
      return base + length;
    }

    private boolean encloses(Region other) {
      return base <= other.base && other.end() <= end();
    }

    private boolean overlaps(Region other) {
      return base < other.end() && other.base < end();
    }
  }

  private static final Comparator<Region> BY_ADDRESS =
      Comparator.comparingLong(Region::base)
          .thenComparing(Comparator.comparingLong(Region::length).reversed());

  private final List<Region> regions = new ArrayList<>();

  /** The device region at each port, or null: one load an access. */
  private final Region[] ports = new Region[1 << 16];

  /** Device regions in memory, by address; {@code lastHit} is tried first. */
  private Region[] memory = new Region[0];

  private Region lastHit;

  private long unclaimedReads;
  private long unclaimedWrites;

  /** Maps a device that takes accesses of any size at {@code length} ports from {@code base} on. */
  public Region mapPorts(int base, int length, Device device) {
    return mapPorts(base, length, 4, device);
  }

  /**
   * Maps a device at {@code length} ports from {@code base} on; accesses wider than {@code unit}
   * bytes are split, lowest address first, as the ISA bus does for 8-bit devices.
   *
   * @throws IllegalArgumentException where the range leaves the port space or overlaps another
   */
  public Region mapPorts(int base, int length, int unit, Device device) {
    return add(new Region(Space.PORTS, Kind.DEVICE, base, length, unit, device.name(), device));
  }

  /** Maps a device that takes accesses of any size at {@code length} bytes from {@code gpa} on. */
  public Region mapMemory(long gpa, long length, Device device) {
    return mapMemory(gpa, length, 8, device);
  }

  /**
   * Maps a device at {@code length} bytes from {@code gpa} on, splitting what is wider than {@code
   * unit}.
   *
   * @throws IllegalArgumentException where the range overlaps RAM or another device
   */
  public Region mapMemory(long gpa, long length, int unit, Device device) {
    return add(new Region(Space.MEMORY, Kind.DEVICE, gpa, length, unit, device.name(), device));
  }

  /** Notes RAM, so that no device is mapped over it and the tree shows it. */
  public Region addRam(long gpa, long length, String name) {
    return add(new Region(Space.MEMORY, Kind.RAM, gpa, length, 8, name, null));
  }

  /** Adds a node that groups the regions inside it in the tree, such as a PCI window. */
  public Region container(Space space, long base, long length, String name) {
    return add(new Region(space, Kind.CONTAINER, base, length, 8, name, null));
  }

  /** Takes a region off the bus: a PCI BAR that moves. Does nothing where it is not on it. */
  public void unmap(Region region) {
    if (regions.remove(region)) {
      index();
    }
  }

  private Region add(Region region) {
    if (region.length <= 0 || region.base < 0 || region.end() > region.space.size) {
      throw new IllegalArgumentException(
          describe(region) + " does not fit the " + region.space.title + " space");
    }
    for (Region other : regions) {
      if (other.space == region.space && other.overlaps(region) && !mayShare(other, region)) {
        throw new IllegalArgumentException(describe(region) + " overlaps " + describe(other));
      }
    }
    regions.add(region);
    regions.sort(BY_ADDRESS);
    index();
    return region;
  }

  private static boolean mayShare(Region a, Region b) {
    return a.kind == Kind.CONTAINER && a.encloses(b) || b.kind == Kind.CONTAINER && b.encloses(a);
  }

  private void index() {
    Arrays.fill(ports, null);
    List<Region> devices = new ArrayList<>();
    for (Region region : regions) {
      if (region.kind != Kind.DEVICE) {
        continue;
      }
      if (region.space == Space.PORTS) {
        Arrays.fill(ports, (int) region.base, (int) region.end(), region);
      } else {
        devices.add(region);
      }
    }
    memory = devices.toArray(new Region[0]);
    lastHit = null;
  }

  /** The device region at a port, or null. */
  public Region atPort(int port) {
    return ports[port & 0xffff];
  }

  /** The device region at a guest-physical address, or null. */
  public Region atMemory(long gpa) {
    Region hit = lastHit;
    if (hit != null && gpa >= hit.base && gpa < hit.end()) {
      return hit;
    }
    int low = 0;
    int high = memory.length - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      Region region = memory[middle];
      if (gpa < region.base) {
        high = middle - 1;
      } else if (gpa >= region.end()) {
        low = middle + 1;
      } else {
        lastHit = region;
        return region;
      }
    }
    return null;
  }

  /** Reads {@code size} bytes (1, 2 or 4) from a port, zero-extended. */
  public long readPort(int port, int size) {
    Region region = ports[port & 0xffff];
    if (region != null && size <= region.unit && port + size <= region.end()) {
      return region.device.read(port - region.base, size);
    }
    if (region == null && size == 1) {
      return unclaimedRead(size);
    }
    int step = region == null ? 1 : step(region, port, size);
    return readPort(port, step)
        | (size > step ? readPort((port + step) & 0xffff, size - step) << (8 * step) : 0);
  }

  /** Writes the low {@code size} bytes (1, 2 or 4) of {@code value} to a port. */
  public void writePort(int port, int size, long value) {
    Region region = ports[port & 0xffff];
    if (region != null && size <= region.unit && port + size <= region.end()) {
      region.device.write(port - region.base, size, value & mask(size));
    } else if (region == null && size == 1) {
      unclaimedWrites++;
    } else {
      int step = region == null ? 1 : step(region, port, size);
      writePort(port, step, value);
      if (size > step) {
        writePort((port + step) & 0xffff, size - step, value >>> (8 * step));
      }
    }
  }

  /** Reads {@code size} bytes (1 to 8) from memory that is not RAM, zero-extended. */
  public long readMemory(long gpa, int size) {
    Region region = atMemory(gpa);
    if (region == null) {
      return unclaimedRead(size);
    }
    if (size <= region.unit && Integer.bitCount(size) == 1 && gpa + size <= region.end()) {
      return region.device.read(gpa - region.base, size);
    }
    int step = step(region, gpa, size);
    return region.device.read(gpa - region.base, step)
        | (size > step ? readMemory(gpa + step, size - step) << (8 * step) : 0);
  }

  /** Writes the low {@code size} bytes (1 to 8) of {@code value} to memory that is not RAM. */
  public void writeMemory(long gpa, int size, long value) {
    Region region = atMemory(gpa);
    if (region == null) {
      unclaimedWrites++;
      return;
    }
    if (size <= region.unit && Integer.bitCount(size) == 1 && gpa + size <= region.end()) {
      region.device.write(gpa - region.base, size, value & mask(size));
      return;
    }
    int step = step(region, gpa, size);
    region.device.write(gpa - region.base, step, value & mask(step));
    if (size > step) {
      writeMemory(gpa + step, size - step, value >>> (8 * step));
    }
  }

  /** The widest power of two that the access, the device and the rest of the region allow. */
  private static int step(Region region, long address, int size) {
    long most = Math.min(Math.min(size, region.unit), region.end() - address);
    return Integer.highestOneBit((int) most);
  }

  private static long mask(int size) {
    return size >= 8 ? -1L : (1L << (8 * size)) - 1;
  }

  private long unclaimedRead(int size) {
    unclaimedReads++;
    return mask(size);
  }

  /** Reads that no device claimed (a wide port read counts once a byte). */
  public long unclaimedReads() {
    return unclaimedReads;
  }

  /** Writes that no device claimed (a wide port write counts once a byte). */
  public long unclaimedWrites() {
    return unclaimedWrites;
  }

  /** All regions, by space and address, a container before what it encloses. */
  public List<Region> regions() {
    List<Region> sorted = new ArrayList<>(regions);
    sorted.sort(Comparator.comparing(Region::space).thenComparing(BY_ADDRESS));
    return sorted;
  }

  /**
   * The tree of regions as text, a line a region, two spaces a level: inclusive address range, kind
   * and name. The same shape as QEMU's {@code info mtree}.
   */
  public String tree() {
    StringBuilder out = new StringBuilder();
    Space space = null;
    List<Region> enclosing = new ArrayList<>();
    for (Region region : regions()) {
      if (region.space != space) {
        space = region.space;
        enclosing.clear();
        out.append("address-space: ").append(space.title).append('\n');
      }
      enclosing.removeIf(outer -> !outer.encloses(region));
      out.append("  ".repeat(1 + enclosing.size())).append(describe(region)).append('\n');
      if (region.kind == Kind.CONTAINER) {
        enclosing.add(region);
      }
    }
    return out.toString();
  }

  private static String describe(Region region) {
    String range = region.space == Space.PORTS ? "%04x-%04x" : "%016x-%016x";
    return String.format(
        Locale.ROOT,
        range + " (%s): %s",
        region.base,
        region.end() - 1,
        region.kind.name().toLowerCase(Locale.ROOT),
        region.name);
  }
}
