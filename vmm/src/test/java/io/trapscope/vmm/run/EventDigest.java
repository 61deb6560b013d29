package io.trapscope.vmm.run;

import io.trapscope.recorder.event.EventLayout;
import io.trapscope.recorder.event.EventLog;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.EventWriter;
import io.trapscope.recorder.event.ExitSink;
import io.trapscope.recorder.event.Field;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/** A sink that keeps one number an event, made of every field but those of the host's clock. */
final class EventDigest implements ExitSink {
  private static final Set<Field> WALL_CLOCK =
      EnumSet.of(
          Field.TIME,
          Field.GUEST_TIME,
          Field.LOOP_TIME,
          Field.DISPATCH_TIME,
          Field.DEVICE_TIME,
          Field.IDLE_TIME,
          Field.SEQUENCE);

  private final EventLog one = new EventLog(0, 1 << 14);
  private long[] digests = new long[1024];
  private int count;

  @Override
  public EventWriter claim(EventType type) {
    return one.claim(type);
  }

  @Override
  public void commit() {
    one.commit();
    one.forEach(this::add);
    one.clear();
  }

  private void add(EventReader event) {
    long digest = event.type().id();
    for (Field field : EventLayout.of(event.type()).fields()) {
      if (!WALL_CLOCK.contains(field) && event.has(field)) {
        long value =
            field == Field.DATA ? Arrays.hashCode(event.getBytes(field)) : event.get(field);
        digest = (digest * 31 + field.id()) * 0x9e3779b97f4a7c15L + value;
      }
    }
    if (count == digests.length) {
      digests = Arrays.copyOf(digests, 2 * count);
    }
    digests[count++] = digest;
  }

  /** One number an event, in order. */
  List<Long> events() {
    List<Long> list = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      list.add(digests[i]);
    }
    return list;
  }

  /** A vCPU's stream and the other one, both digested. */
  static final class Pair implements Sinks {
    final EventDigest vcpu = new EventDigest();
    final EventDigest other = new EventDigest();

    @Override
    public ExitSink vcpu(int index) {
      return vcpu;
    }

    @Override
    public ExitSink other() {
      return other;
    }
  }
}
