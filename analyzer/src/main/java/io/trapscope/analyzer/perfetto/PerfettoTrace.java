package io.trapscope.analyzer.perfetto;

import io.trapscope.analyzer.platform.DeviceNames;
import io.trapscope.analyzer.report.TraceFacts;
import io.trapscope.analyzer.table.PartFile;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventWriter;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.trace.EventCursor;
import io.trapscope.recorder.trace.TraceHeader;
import io.trapscope.recorder.trace.TraceReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes a trace as a Perfetto trace in one pass over its events in the order of time. What is kept
 * meanwhile is bounded by the vCPUs, the devices and the words.
 *
 * <pre>
 * guest (process)
 *   vCPU 0 (thread)       slices: guest, each exit, halted
 *     interrupts          an instant for each injected vector
 *   vCPU not known        the same of exits that no vCPU is told of, where there are any
 *   uart0 ...             slices: the time inside the device's model
 *   console 0             an instant for each line
 *   marks                 an instant for each mark, and the end
 *   exits, interrupts     counters, for each millisecond
 *   guest memory touched  a counter, bytes
 * </pre>
 */
public final class PerfettoTrace {
  private final TraceReader trace;
  private final PacketWriter out;
  private final ExitNames names;
  private final DeviceNames devices;
  private final long guest;
  private final List<VcpuTrack> vcpus = new ArrayList<>();

  /** Null while there was nothing for it. */
  private VcpuTrack unknown;

  private final Map<Integer, ConsoleTrack> consoles = new HashMap<>();
  private final Counters counters;
  private final long marks;
  private final byte[] data = new byte[EventWriter.MAX_DATA];

  private PerfettoTrace(TraceReader trace, PartFile file) throws IOException {
    TraceHeader header = trace.header();
    this.trace = trace;
    this.out = new PacketWriter(file, header.clocks());
    this.names = new ExitNames(TraceFacts.of(trace));
    this.devices = DeviceNames.of(header);
    this.guest = out.process("guest " + header.notes().getOrDefault("guest", ""));
    for (int vcpu = 0; vcpu < header.cpus(); vcpu++) {
      vcpus.add(VcpuTrack.of(out, guest, vcpu));
    }
    this.marks = out.track(guest, "marks");
    this.counters = new Counters(out, guest);
  }

  /**
   * Writes {@code target}; it appears complete or not at all.
   *
   * @return packets in it
   * @throws IOException with one line that names the file, where it cannot be written
   */
  public static long write(TraceReader trace, Path target) throws IOException {
    try (PartFile file = new PartFile(target)) {
      PerfettoTrace written = new PerfettoTrace(trace, file);
      written.run();
      file.commit();
      return written.out.packets();
    }
  }

  private void run() throws IOException {
    EventCursor cursor = trace.merged();
    while (cursor.next()) {
      EventReader event = cursor.event();
      counters.advance(event.time());
      if (event.isExit()) {
        vcpu(event).exit(event, names.of(event), devices.at(event));
        counters.exit(event);
      } else {
        other(event);
      }
    }
    for (VcpuTrack vcpu : vcpus) {
      vcpu.finish();
    }
    if (unknown != null) {
      unknown.finish();
    }
    for (ConsoleTrack console : consoles.values()) {
      console.endLine();
    }
    counters.finish();
    out.flush();
  }

  private VcpuTrack vcpu(EventReader event) throws IOException {
    if (event.vcpu() < vcpus.size()) {
      return vcpus.get(event.vcpu());
    }
    if (unknown == null) {
      unknown = VcpuTrack.ofUnknown(out, guest);
    }
    return unknown;
  }

  private void other(EventReader event) throws IOException {
    switch (event.type()) {
      case INJECTION -> {
        vcpu(event).injection(event);
        counters.interrupt();
      }
      case CONSOLE_OUTPUT -> {
        int channel = (int) event.get(Field.CHANNEL, 0);
        ConsoleTrack console = consoles.get(channel);
        if (console == null) {
          console = new ConsoleTrack(out, out.track(guest, "console " + channel));
          consoles.put(channel, console);
        }
        console.write(event.time(), data, event.getBytes(Field.DATA, data, 0));
      }
      case MARK -> mark(event, "mark");
      case END -> mark(event, "end of run");
      case PIO,
          MMIO,
          CPUID,
          MSR,
          HYPERCALL,
          HLT,
          EPT_FAULT,
          CR_ACCESS,
          EXCEPTION,
          EXIT,
          CONSOLE_INPUT,
          INPUT,
          GAP,
          TRANSLATION,
          IRQ_LINE,
          EOI,
          APIC_ACCESS,
          HALT_POLL,
          WAKEUP,
          MMU,
          EMULATION,
          DIRTY,
          TRACEPOINT,
          STACK -> {
        // Not on a track: an exit whose reason was not captured, or nothing that takes time.
      }
    }
  }

  private void mark(EventReader event, String otherwise) throws IOException {
    int length = event.has(Field.DATA) ? event.getBytes(Field.DATA, data, 0) : 0;
    String name = length == 0 ? otherwise : new String(data, 0, length, StandardCharsets.UTF_8);
    out.endEvent(out.beginEvent(Proto.INSTANT, marks, event.time(), "mark", name));
  }
}
