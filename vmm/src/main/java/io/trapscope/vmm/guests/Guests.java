package io.trapscope.vmm.guests;

import io.trapscope.recorder.event.RunEnd;
import io.trapscope.vmm.boot.BootSource;
import io.trapscope.vmm.boot.FlatLoader;
import io.trapscope.vmm.hypervisor.CpuState;
import io.trapscope.vmm.memory.GuestMemory;
import io.trapscope.vmm.memory.MemoryLayout;
import io.trapscope.vmm.memory.MemoryRegion;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;

/** The bundled guests, by name. */
public enum Guests {
  HELLO(
      "hello",
      "16-bit real mode: writes 'Hello, world!' to port 0x3f8 and halts",
      FlatLoader.Mode.REAL,
      0x1000,
      RunEnd.HALTED),
  EXITS(
      "exits",
      "long mode: causes an exactly known number of exits of each kind",
      FlatLoader.Mode.LONG,
      0x10000,
      RunEnd.DEBUG_EXIT),
  TRANSLATE(
      "translate",
      "long mode: walks its page tables and asks the host for the rest by hypercall 22",
      FlatLoader.Mode.LONG,
      0x10000,
      RunEnd.DEBUG_EXIT),
  SPIN(
      "spin",
      "long mode: one-byte port writes, count=N of them, on cpus=N vCPUs at once",
      FlatLoader.Mode.LONG,
      0x10000,
      RunEnd.DEBUG_EXIT),
  TOUCH(
      "touch",
      "long mode: touches pages from 16 MiB on, as many as pages=N on the command line says",
      FlatLoader.Mode.LONG,
      0x10000,
      RunEnd.DEBUG_EXIT),
  CALLS(
      "calls",
      "long mode: exits from functions that call each other, with frame pointers",
      FlatLoader.Mode.LONG,
      0x10000,
      RunEnd.DEBUG_EXIT);

  /** Where the word lies that selects the sections of {@link #EXITS}: see exits.asm. */
  private static final long EXITS_SELECTED = 0x10008;

  /** Pages that {@link #EXITS} calls into; each starts with a RET. */
  private static final long EXITS_FETCH_PAGES = 0x0080_0000;

  private static final int EXITS_FETCH_COUNT = 89;
  private static final byte RET = (byte) 0xc3;

  private final String title;
  private final String summary;
  private final FlatLoader.Mode mode;
  private final long address;
  private final RunEnd expectedEnd;

  Guests(String title, String summary, FlatLoader.Mode mode, long address, RunEnd expectedEnd) {
    this.title = title;
    this.summary = summary;
    this.mode = mode;
    this.address = address;
    this.expectedEnd = expectedEnd;
  }

  /** The name as in {@code --guest}. */
  public String title() {
    return title;
  }

  /** What it does, in one line. */
  public String summary() {
    return summary;
  }

  /** The mode it starts in. */
  public FlatLoader.Mode mode() {
    return mode;
  }

  /** GPA where it is loaded and entered. */
  public long address() {
    return address;
  }

  /** How its run ends where all goes well. */
  public RunEnd expectedEnd() {
    return expectedEnd;
  }

  /**
   * The guest with this name.
   *
   * @throws IllegalArgumentException with a line for the user where there is none
   */
  public static Guests named(String name) {
    for (Guests guest : values()) {
      if (guest.title.equals(name)) {
        return guest;
      }
    }
    throw new IllegalArgumentException(
        "no bundled guest '"
            + name
            + "': there are "
            + String.join(", ", Arrays.stream(values()).map(Guests::title).toList()));
  }

  /** The assembled image, as it is in the repository. */
  public byte[] image() {
    return resource(title + ".bin");
  }

  static byte[] resource(String file) {
    try (InputStream in = Guests.class.getResourceAsStream(file)) {
      if (in == null) {
        throw new IllegalStateException("this build lacks the resource " + file);
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Something to boot: the guest, told what the place where it runs cannot do.
   *
   * @param commandLine text for the guest
   * @param host where it will run
   */
  public BootSource boot(String commandLine, HostKind host) {
    String line = commandLine;
    if (this == TRANSLATE && host != HostKind.SOFT) {
      // KVM answers VMCALL itself; "port" has to come first.
      line = "port " + commandLine;
    }
    FlatLoader image = new FlatLoader("guest " + title, image(), address, address, mode, line);
    return this == EXITS ? new Exits(image, GroundTruth.load().selected(host)) : image;
  }

  /** {@link #EXITS} with what the host prepares for it. */
  private record Exits(FlatLoader image, long selected) implements BootSource {
    @Override
    public String description() {
      return image.description();
    }

    @Override
    public void load(GuestMemory memory, List<MemoryRegion> ram, int cpus, CpuState state) {
      image.load(memory, ram, cpus, state);
      memory.writeLong(EXITS_SELECTED, selected);
      for (int i = 0; i < EXITS_FETCH_COUNT; i++) {
        memory.writeByte(EXITS_FETCH_PAGES + (long) i * MemoryLayout.PAGE_SIZE, RET);
      }
    }
  }
}
