package io.trapscope.cli;

import io.trapscope.recorder.trace.TraceHeader;
import io.trapscope.vmm.memory.MemoryRegion;
import io.trapscope.vmm.pc.Board;
import io.trapscope.vmm.pc.CpuidModel;
import io.trapscope.vmm.run.Machine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Collects what a trace says about itself from the machine that will be recorded. */
final class RecordingHeader {
  /** Note: whether the machine had console input, used or not. */
  static final String CONSOLE_INPUT = "console-input";

  /** Note: the folder where relative paths of the command line start. */
  static final String FOLDER = "folder";

  /** Note: that each exit's call stack was recorded, and how far. */
  static final String STACKS = "stacks";

  /** Guest time of {@code soft}: one instruction a nanosecond, see SoftVcpu. */
  private static final long SOFT_INSTRUCTIONS_PER_SECOND = 1_000_000_000;

  private static final long U32 = 0xffff_ffffL;

  /** First leaves of CPUID's ranges: basic, hypervisor, extended. Their EAX is the range's last. */
  private static final int[] RANGES = {0, 0x4000_0000, 0x8000_0000};

  private static final int MOST_LEAVES = 64;

  private RecordingHeader() {}

  static TraceHeader of(
      BackEnd backEnd,
      RecordPlan plan,
      Machine machine,
      Board board,
      KernelEvents kernel,
      boolean hasInput) {
    TraceHeader.Builder header =
        ofHost(plan.commandLine())
            .backEnd(backEnd.name(), backEnd.why())
            .cpuModel(
                backEnd.name().equals("kvm")
                    ? plan.cpuModel() + ", as far as the host's KVM has it"
                    : plan.cpuModel())
            .memoryBytes(plan.memoryBytes())
            .cpus(plan.cpus())
            .clocks(
                TimeUnit.MILLISECONDS.toNanos(System.currentTimeMillis()),
                System.nanoTime(),
                backEnd.name().equals("kvm") ? 0 : SOFT_INSTRUCTIONS_PER_SECOND)
            .counters(machine.vm().counters())
            .note("guest", plan.guest().boot().description())
            .note("regions", machine.bus().tree())
            .note(CONSOLE_INPUT, Boolean.toString(hasInput))
            .note(FOLDER, Path.of("").toAbsolutePath().toString());
    if (plan.events().stacks() > 0) {
      header.note(STACKS, "up to " + plan.events().stacks() + " return addresses");
    }
    kernel.describe(
        header,
        backEnd.kind(),
        plan.events().selection(),
        machine.vm().surfacedExits(),
        machine.vm().unseenExits());
    plan.guest()
        .images()
        .unhashed()
        .forEach(image -> header.image(image.role(), image.path(), image.sha256(), image.bytes()));
    plan.guest().boot().details().forEach(header::note);
    machine.vm().notes().forEach(header::note);
    List<MemoryRegion> regions = machine.memoryRegions();
    for (int i = 0; i < regions.size(); i++) {
      MemoryRegion region = regions.get(i);
      header.region(i, region.name(), region.base(), region.length(), "ram");
    }
    if (!backEnd.name().equals("kvm")) {
      cpuid(board.cpuid(), header);
    }
    return header.build();
  }

  /** What every trace says of who made it, where and when. */
  static TraceHeader.Builder ofHost(List<String> commandLine) {
    return TraceHeader.builder()
        .product("trapscope " + Version.number())
        .host(kernel(), cpu(), Runtime.getRuntime().availableProcessors())
        .commandLine(commandLine)
        .clocks(TimeUnit.MILLISECONDS.toNanos(System.currentTimeMillis()), System.nanoTime(), 0);
  }

  private static void cpuid(CpuidModel model, TraceHeader.Builder header) {
    int[] answer = new int[4];
    for (int first : RANGES) {
      model.query(0, first, 0, answer);
      long last = Math.min(answer[0] & U32, (first & U32) + MOST_LEAVES);
      for (long leaf = first & U32; leaf <= last; leaf++) {
        model.query(0, (int) leaf, 0, answer);
        header.cpuid(leaf, 0, answer[0] & U32, answer[1] & U32, answer[2] & U32, answer[3] & U32);
      }
    }
  }

  private static String kernel() {
    return System.getProperty("os.name") + " " + System.getProperty("os.version");
  }

  private static String cpu() {
    try (var lines = Files.lines(Path.of("/proc/cpuinfo"))) {
      return lines
          .filter(line -> line.startsWith("model name"))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst()
          .orElse(System.getProperty("os.arch"));
    } catch (IOException e) {
      return System.getProperty("os.arch");
    }
  }
}
