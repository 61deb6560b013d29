package io.trapscope.analyzer.platform;

import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.trace.TraceHeader;
import java.util.Map;

/**
 * Names what exits access: the device, the register in it, and what accesses to the register do. A
 * device is the one that the trace's map of the machine has there; where the map has none, the one
 * that every PC would have is named as absent, and where there is no map at all it is taken for
 * present.
 */
public final class Platform {
  private static final String ABSENT = " (absent)";

  private final DeviceNames map;
  private final RegisterTable table = RegisterTable.load();

  private Platform(DeviceNames map) {
    this.map = map;
  }

  /** The platform that a trace's header describes. */
  public static Platform of(TraceHeader header) {
    return new Platform(DeviceNames.of(header));
  }

  /** What is known of one register. */
  private record Place(String device, long offset, RegisterTable.Register register) {
    static final Place UNKNOWN = new Place(null, 0, null);
  }

  private Place place(EventType type, long number) {
    if (type == EventType.PIO) {
      return place(map.atPort(number), table.atPort(number), number);
    }
    if (type == EventType.MMIO) {
      return place(map.atMemory(number), table.atMemory(number), number);
    }
    if (type == EventType.MSR) {
      return new Place("msr", number, table.in("msr", number));
    }
    if (type == EventType.CPUID) {
      return new Place("cpuid", number, table.in("cpuid", number >>> 32));
    }
    if (type == EventType.HYPERCALL) {
      return new Place("hypercall", number, table.in("hypercall", number));
    }
    return Place.UNKNOWN;
  }

  private Place place(DeviceNames.Region region, RegisterTable.Device usual, long address) {
    if (region != null) {
      long offset = address - region.first();
      Map<Long, RegisterTable.Register> registers = table.registersOf(region.name());
      return new Place(region.name(), offset, registers.get(offset));
    }
    if (usual != null) {
      long offset = address - usual.base();
      String name = usual.name() + (map.isEmpty() ? "" : ABSENT);
      return new Place(name, offset, usual.registers().get(offset));
    }
    return Place.UNKNOWN;
  }

  /**
   * The device that an exit of this type accesses; null where there is none or none is known.
   *
   * @param number port, GPA, MSR, CPUID leaf in the upper half and subleaf in the lower, hypercall
   */
  public String device(EventType type, long number) {
    return place(type, number).device;
  }

  /** The register's name, or its offset in its device; null where neither is known. */
  public String register(EventType type, long number) {
    Place place = place(type, number);
    if (place.register != null) {
      return place.register.name();
    }
    boolean inDevice = type == EventType.PIO || type == EventType.MMIO;
    return place.device == null || !inDevice ? null : "+0x" + Long.toHexString(place.offset);
  }

  /** What accesses to the register do. */
  public Role role(EventType type, long number) {
    Place place = place(type, number);
    return place.register == null ? Role.UNKNOWN : place.register.role();
  }
}
