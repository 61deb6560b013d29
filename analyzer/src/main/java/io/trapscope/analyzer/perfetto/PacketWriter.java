package io.trapscope.analyzer.perfetto;

import io.trapscope.analyzer.table.PartFile;
import io.trapscope.recorder.trace.TraceHeader;
import java.io.IOException;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/**
 * The packets of one Perfetto trace, on one sequence. Words that repeat are sent once and then by
 * number ("interned"); there is room for {@link #MOST_NAMES} of them. Times are the trace's own, on
 * the monotonic clock, which the first packet ties to the wall clock.
 */
final class PacketWriter {
  /** What a slice may say besides its name. */
  enum Annotation {
    SEQUENCE(false),
    RIP(true),
    VALUE(true),
    GPA(true),
    GVA(true),
    KERNEL_NS(false),
    LOOP_NS(false),
    DISPATCH_NS(false),
    DEVICE_NS(false),
    USER_NS(false);

    private final boolean hexadecimal;

    Annotation(boolean hexadecimal) {
      this.hexadecimal = hexadecimal;
    }
  }

  private static final int SEQUENCE = 1;
  private static final int PROCESS = 1;
  private static final int MOST_NAMES = 1 << 16;
  private static final int BUFFER_BYTES = 1 << 18;

  private final PartFile file;
  private final ProtoBuffer out = new ProtoBuffer();
  private final Map<String, Integer> names = new HashMap<>();
  private final Map<String, Integer> categories = new HashMap<>();
  private long tracks;
  private long packets;

  /** Starts with the clocks and the words of annotations. */
  PacketWriter(PartFile file, TraceHeader.Clocks clocks) throws IOException {
    this.file = file;
    int packet = out.begin(Proto.TRACE_PACKET);
    int snapshot = out.begin(Proto.PACKET_CLOCK_SNAPSHOT);
    clock(Proto.CLOCK_MONOTONIC, clocks.monotonicNanos());
    clock(Proto.CLOCK_REALTIME, clocks.epochNanos());
    out.put(Proto.SNAPSHOT_PRIMARY, Proto.CLOCK_MONOTONIC);
    out.end(snapshot);
    out.put(Proto.PACKET_SEQUENCE_ID, SEQUENCE);
    out.put(Proto.PACKET_SEQUENCE_FLAGS, Proto.STATE_CLEARED);
    int defaults = out.begin(Proto.PACKET_DEFAULTS);
    out.put(Proto.DEFAULTS_TIMESTAMP_CLOCK, Proto.CLOCK_MONOTONIC);
    out.end(defaults);
    int interned = out.begin(Proto.PACKET_INTERNED_DATA);
    for (Annotation annotation : Annotation.values()) {
      entry(
          Proto.INTERNED_ANNOTATION_NAMES,
          annotation.ordinal() + 1,
          annotation.name().toLowerCase(Locale.ROOT));
    }
    out.end(interned);
    end(packet);
  }

  private void clock(int id, long nanos) {
    int clock = out.begin(Proto.SNAPSHOT_CLOCKS);
    out.put(Proto.CLOCK_ID, id).put(Proto.CLOCK_TIMESTAMP, nanos);
    out.end(clock);
  }

  /** A group of tracks: the guest as a process. Returns its id. */
  long process(String name) throws IOException {
    int packet = beginTrack();
    int process = out.begin(Proto.TRACK_PROCESS);
    out.put(Proto.PROCESS_PID, PROCESS).put(Proto.PROCESS_NAME, name);
    out.end(process);
    return endTrack(packet);
  }

  /** A track of nested slices: a vCPU as a thread. Returns its id. */
  long thread(int number, String name) throws IOException {
    int packet = beginTrack();
    int thread = out.begin(Proto.TRACK_THREAD);
    out.put(Proto.THREAD_PID, PROCESS).put(Proto.THREAD_TID, number);
    out.put(Proto.THREAD_NAME, name);
    out.end(thread);
    return endTrack(packet);
  }

  /** A track below another one. Tracks of one parent and name are shown as one. */
  long track(long parent, String name) throws IOException {
    int packet = beginTrack();
    out.put(Proto.TRACK_NAME, name).put(Proto.TRACK_PARENT, parent);
    return endTrack(packet);
  }

  /** A track of numbers; {@code unit} is one of CounterDescriptor.Unit. */
  long counter(long parent, String name, int unit) throws IOException {
    int packet = beginTrack();
    out.put(Proto.TRACK_NAME, name).put(Proto.TRACK_PARENT, parent);
    int counter = out.begin(Proto.TRACK_COUNTER);
    out.put(Proto.COUNTER_UNIT, unit);
    out.end(counter);
    return endTrack(packet);
  }

  private int trackMessage;

  private int beginTrack() {
    int packet = out.begin(Proto.TRACE_PACKET);
    trackMessage = out.begin(Proto.PACKET_TRACK_DESCRIPTOR);
    tracks++;
    out.put(Proto.TRACK_UUID, tracks);
    return packet;
  }

  private long endTrack(int packet) throws IOException {
    out.end(trackMessage);
    out.put(Proto.PACKET_SEQUENCE_ID, SEQUENCE);
    end(packet);
    return tracks;
  }

  private int eventMessage;

  /**
   * Begins a packet with an event that has a name and a category; annotations may follow, then
   * {@link #endEvent}.
   */
  int beginEvent(int type, long track, long time, String category, String name) {
    int packet = packet(time);
    intern(category, name);
    eventMessage = out.begin(Proto.PACKET_TRACK_EVENT);
    out.put(Proto.EVENT_TYPE, type).put(Proto.EVENT_TRACK_UUID, track);
    out.put(Proto.EVENT_CATEGORY_IIDS, categories.get(category));
    Integer iid = names.get(name);
    if (iid == null) {
      out.put(Proto.EVENT_NAME, name);
    } else {
      out.put(Proto.EVENT_NAME_IID, iid);
    }
    return packet;
  }

  void annotate(Annotation annotation, long value) {
    int message = out.begin(Proto.EVENT_DEBUG_ANNOTATIONS);
    out.put(Proto.ANNOTATION_NAME_IID, annotation.ordinal() + 1);
    int kind = annotation.hexadecimal ? Proto.ANNOTATION_POINTER : Proto.ANNOTATION_UINT;
    out.put(kind, value);
    out.end(message);
  }

  void endEvent(int packet) throws IOException {
    out.end(eventMessage);
    end(packet);
  }

  /** Ends the innermost slice of a track. */
  void endSlice(long track, long time) throws IOException {
    int packet = packet(time);
    int event = out.begin(Proto.PACKET_TRACK_EVENT);
    out.put(Proto.EVENT_TYPE, Proto.SLICE_END).put(Proto.EVENT_TRACK_UUID, track);
    out.end(event);
    end(packet);
  }

  /** A slice that says nothing but its name. */
  void slice(long track, long from, long to, String category, String name) throws IOException {
    endEvent(beginEvent(Proto.SLICE_BEGIN, track, from, category, name));
    endSlice(track, to);
  }

  /** A counter's value from this time on. */
  void count(long track, long time, long value) throws IOException {
    int packet = packet(time);
    int event = out.begin(Proto.PACKET_TRACK_EVENT);
    out.put(Proto.EVENT_TYPE, Proto.COUNTER).put(Proto.EVENT_TRACK_UUID, track);
    out.put(Proto.EVENT_COUNTER_VALUE, value);
    out.end(event);
    end(packet);
  }

  private int packet(long time) {
    int packet = out.begin(Proto.TRACE_PACKET);
    out.put(Proto.PACKET_TIMESTAMP, time);
    out.put(Proto.PACKET_SEQUENCE_ID, SEQUENCE);
    out.put(Proto.PACKET_SEQUENCE_FLAGS, Proto.NEEDS_STATE);
    return packet;
  }

  private void intern(String category, String name) {
    boolean newCategory = !categories.containsKey(category);
    boolean newName = !names.containsKey(name) && names.size() < MOST_NAMES;
    if (!newCategory && !newName) {
      return;
    }
    int interned = out.begin(Proto.PACKET_INTERNED_DATA);
    if (newCategory) {
      categories.put(category, categories.size() + 1);
      entry(Proto.INTERNED_CATEGORIES, categories.size(), category);
    }
    if (newName) {
      names.put(name, names.size() + 1);
      entry(Proto.INTERNED_EVENT_NAMES, names.size(), name);
    }
    out.end(interned);
  }

  private void entry(int field, int iid, String name) {
    int entry = out.begin(field);
    out.put(Proto.ENTRY_IID, iid).put(Proto.ENTRY_NAME, name);
    out.end(entry);
  }

  private void end(int packet) throws IOException {
    out.end(packet);
    packets++;
    if (out.size() >= BUFFER_BYTES) {
      flush();
    }
  }

  /** Writes what waits. */
  void flush() throws IOException {
    file.write(out.drain());
  }

  /** Packets so far. */
  long packets() {
    return packets;
  }
}
