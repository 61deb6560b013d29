package io.trapscope.analyzer.perfetto;

import io.trapscope.analyzer.tally.Stage;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.event.InterruptionType;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;

/**
 * The tracks of one vCPU, or of the exits whose vCPU is not known: what it did, one thing after the
 * other, its interrupts, and its share of each device's time. Slices never overlap: where clocks
 * disagree by a little, the later one begins when the earlier one ends.
 */
final class VcpuTrack {
  private static final int FIRST_THREAD = 100;

  private final PacketWriter out;
  private final long group;
  private final long track;
  private final long interrupts;
  private final Map<String, Long> devices = new HashMap<>();

  /** Until when the track is filled. */
  private long end = Long.MIN_VALUE;

  /** Until when the vCPU would stay halted if no event came; 0 where it runs. */
  private long haltedUntil;

  private VcpuTrack(PacketWriter out, long group, int thread, String name) throws IOException {
    this.out = out;
    this.group = group;
    this.track = out.thread(thread, name);
    this.interrupts = out.track(track, "interrupts");
  }

  static VcpuTrack of(PacketWriter out, long group, int vcpu) throws IOException {
    return new VcpuTrack(out, group, FIRST_THREAD + vcpu, "vCPU " + vcpu);
  }

  /** For what the trace tells no vCPU of. */
  static VcpuTrack ofUnknown(PacketWriter out, long group) throws IOException {
    return new VcpuTrack(out, group, FIRST_THREAD - 1, "vCPU not known");
  }

  /**
   * Adds an exit: the guest time before it, then the exit itself, as long as its handling took.
   *
   * @param device whose model ran; null where none did
   */
  void exit(EventReader event, String name, String device) throws IOException {
    long time = Math.max(event.time(), end);
    if (event.has(Field.GUEST_TIME)) {
      long from = time - Math.max(0, event.get(Field.GUEST_TIME));
      halted(from);
      out.slice(track, Math.max(end, from), time, "guest", "guest");
    } else {
      halted(time);
    }
    end = time + Stage.handling(event);
    int packet = out.beginEvent(Proto.SLICE_BEGIN, track, time, "exit", name);
    annotate(event, PacketWriter.Annotation.SEQUENCE, Field.SEQUENCE);
    annotate(event, PacketWriter.Annotation.RIP, Field.RIP);
    annotate(event, PacketWriter.Annotation.VALUE, Field.VALUE);
    annotate(event, PacketWriter.Annotation.GPA, Field.GPA);
    annotate(event, PacketWriter.Annotation.GVA, Field.GVA);
    annotate(event, PacketWriter.Annotation.KERNEL_NS, Field.KERNEL_TIME);
    annotate(event, PacketWriter.Annotation.LOOP_NS, Field.LOOP_TIME);
    annotate(event, PacketWriter.Annotation.DISPATCH_NS, Field.DISPATCH_TIME);
    annotate(event, PacketWriter.Annotation.DEVICE_NS, Field.DEVICE_TIME);
    annotate(event, PacketWriter.Annotation.USER_NS, Field.USER_TIME);
    out.endEvent(packet);
    out.endSlice(track, end);
    if (device != null && event.has(Field.DEVICE_TIME)) {
      // Dispatch is before and after the device; only its sum is known, so all of it is before.
      long left = end - Stage.USER.nanos(event);
      out.slice(device(device), left - Stage.DEVICE.nanos(event), left, "device", name);
    }
    if (event.has(Field.IDLE_TIME)) {
      haltedUntil = end + Math.max(0, event.get(Field.IDLE_TIME));
    }
  }

  private void annotate(EventReader event, PacketWriter.Annotation annotation, Field field) {
    if (event.has(field)) {
      out.annotate(annotation, event.get(field));
    }
  }

  /** A device's track: one for each vCPU, because two may be inside the device at once. */
  private long device(String name) throws IOException {
    Long known = devices.get(name);
    if (known == null) {
      known = out.track(group, name);
      devices.put(name, known);
    }
    return known;
  }

  void injection(EventReader event) throws IOException {
    String type = InterruptionType.name((int) event.get(Field.INTERRUPTION_TYPE, 0));
    String name = "vector " + event.get(Field.VECTOR, 0);
    boolean external = event.get(Field.INTERRUPTION_TYPE, 0) == InterruptionType.EXTERNAL_INTERRUPT;
    String shown = external || type == null ? name : name + " " + type;
    out.endEvent(out.beginEvent(Proto.INSTANT, interrupts, event.time(), "interrupt", shown));
  }

  /** Fills the time until {@code next} with the halt that goes before it. */
  private void halted(long next) throws IOException {
    if (haltedUntil != 0) {
      long until = Math.max(end, Math.min(haltedUntil, next));
      out.slice(track, end, until, "halted", "halted");
      end = until;
      haltedUntil = 0;
    }
  }

  void finish() throws IOException {
    halted(haltedUntil);
  }
}
