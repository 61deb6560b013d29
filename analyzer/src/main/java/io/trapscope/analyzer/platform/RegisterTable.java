package io.trapscope.analyzer.platform;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** The table registers.txt: what registers of a PC are called; its head says how to read it. */
final class RegisterTable {
  private static final String FILE = "registers.txt";
  private static RegisterTable loaded;

  /** A register's name and role. */
  record Register(String name, Role role) {}

  /**
   * A device at its usual place.
   *
   * @param registers by offset
   */
  record Device(String name, long base, long bytes, Map<Long, Register> registers) {
    boolean holds(long address) {
      return address >= base && address - base < bytes;
    }
  }

  private final Map<String, Device> byName = new HashMap<>();
  private final TreeMap<Long, Device> ports = new TreeMap<>();
  private final TreeMap<Long, Device> memory = new TreeMap<>();

  /** By name of the space; then by number. */
  private final Map<String, Map<Long, Register>> spaces = new HashMap<>();

  private RegisterTable(BufferedReader lines) throws IOException {
    Map<Long, Register> registers = Map.of();
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      String[] words = line.strip().split("\\s+");
      if (line.isBlank() || line.startsWith("#")) {
        continue;
      }
      if (words[0].equals("device")) {
        registers = device(words);
      } else if (words.length == 1) {
        registers = spaces.computeIfAbsent(words[0], absent -> new HashMap<>());
      } else {
        Role role =
            words.length > 2 ? Role.valueOf(words[2].toUpperCase(Locale.ROOT)) : Role.UNKNOWN;
        registers.put(Long.decode(words[0]), new Register(words[1], role));
      }
    }
  }

  private Map<Long, Register> device(String[] words) {
    String name = words[1];
    boolean fixed = !words[3].equals("-");
    // A second one of a kind has the registers of the first.
    Map<Long, Register> registers =
        byName.containsKey(name) ? byName.get(name).registers() : new HashMap<>();
    long base = fixed ? Long.decode(words[3]) : 0;
    Device device = new Device(name, base, Long.decode(words[4]), registers);
    byName.putIfAbsent(name, device);
    if (fixed) {
      (words[2].equals("ports") ? ports : memory).put(base, device);
    }
    return registers;
  }

  static synchronized RegisterTable load() {
    if (loaded == null) {
      try (InputStream in = RegisterTable.class.getResourceAsStream(FILE);
          InputStreamReader text = new InputStreamReader(in, StandardCharsets.UTF_8)) {
        loaded = new RegisterTable(new BufferedReader(text));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return loaded;
  }

  /** Registers of the device that a trace's map calls so, by offset; empty where none is known. */
  Map<Long, Register> registersOf(String name) {
    Device device = byName.get(name);
    if (device == null) {
      device = byName.get(name.replaceFirst("\\d+$", ""));
    }
    return device == null ? Map.of() : device.registers();
  }

  /** The device that every PC has at this port, or null. */
  Device atPort(long port) {
    return at(ports, port);
  }

  /** The device that every PC has at this address, or null. */
  Device atMemory(long gpa) {
    return at(memory, gpa);
  }

  private static Device at(TreeMap<Long, Device> space, long address) {
    Map.Entry<Long, Device> entry = space.floorEntry(address);
    return entry != null && entry.getValue().holds(address) ? entry.getValue() : null;
  }

  /** The number's meaning in a space that is no device's, or null. */
  Register in(String space, long number) {
    return spaces.getOrDefault(space, Map.of()).get(number);
  }
}
