package io.trapscope.analyzer.platform;

import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.trace.TraceHeader;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which device answers a port or a guest-physical address, from the header's note "regions": the
 * machine's tree of regions as {@code trapscope info} prints it. Empty where a trace has no such
 * note.
 */
public final class DeviceNames {
  private static final Pattern REGION =
      Pattern.compile("\\s*([0-9a-f]+)-([0-9a-f]+) \\(device\\): (\\S+)");

  /**
   * A device's place.
   *
   * @param first its first port or address
   * @param last its last one
   */
  record Region(long first, long last, String name) {}

  private final TreeMap<Long, Region> ports = new TreeMap<>(Long::compareUnsigned);
  private final TreeMap<Long, Region> memory = new TreeMap<>(Long::compareUnsigned);

  private DeviceNames() {}

  /** The devices that a trace's header names. */
  public static DeviceNames of(TraceHeader header) {
    DeviceNames names = new DeviceNames();
    TreeMap<Long, Region> space = names.memory;
    for (String line : header.notes().getOrDefault("regions", "").lines().toList()) {
      if (line.contains("address-space:")) {
        space = line.endsWith("I/O") ? names.ports : names.memory;
      }
      Matcher region = REGION.matcher(line);
      if (region.matches()) {
        long first = Long.parseUnsignedLong(region.group(1), 16);
        long last = Long.parseUnsignedLong(region.group(2), 16);
        space.put(first, new Region(first, last, region.group(3)));
      }
    }
    return names;
  }

  /** The device that this exit's access goes to; null where none is known. */
  public String at(EventReader event) {
    Region region = null;
    if (event.type() == EventType.PIO && event.has(Field.PORT)) {
      region = atPort(event.get(Field.PORT));
    } else if (event.type() == EventType.MMIO && event.has(Field.GPA)) {
      region = atMemory(event.get(Field.GPA));
    }
    return region == null ? null : region.name();
  }

  /** Whether the trace has a map of its devices. */
  boolean isEmpty() {
    return ports.isEmpty() && memory.isEmpty();
  }

  /** The device at a port, or null. */
  Region atPort(long port) {
    return at(ports, port);
  }

  /** The device at a guest-physical address, or null. */
  Region atMemory(long gpa) {
    return at(memory, gpa);
  }

  private static Region at(TreeMap<Long, Region> space, long address) {
    Map.Entry<Long, Region> entry = space.floorEntry(address);
    boolean inside = entry != null && Long.compareUnsigned(address, entry.getValue().last()) <= 0;
    return inside ? entry.getValue() : null;
  }
}
