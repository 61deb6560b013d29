package io.trapscope.recorder.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class EventRecordTest {
  private static final long BASE_TIME = 5_000_000_000L;
  private static final long BASE_INSTRUCTIONS = 1L << 40;

  private final ByteBuffer buffer = ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN);
  private final EventWriter writer = new EventWriter();
  private final EventReader reader = new EventReader();

  @Test
  void whatIsPutIsReadBackAndWhatIsNotIsNotCaptured() {
    long seed = new Random().nextLong();
    Random random = new Random(seed);
    for (int round = 0; round < 2000; round++) {
      for (EventType type : EventType.values()) {
        Map<Field, Object> expected = new EnumMap<>(Field.class);
        writer.begin(type);
        for (Field field : EventLayout.of(type).fields()) {
          boolean put = field == Field.TIME || random.nextBoolean();
          if (put && field.wire() != Wire.DERIVED) {
            expected.put(field, putRandom(field, random));
          }
        }
        writer.writeTo(buffer.asIntBuffer(), 0, round, BASE_TIME, BASE_INSTRUCTIONS);
        read(round);
        assertThat(reader.type()).isSameAs(type);
        for (Field field : Field.values()) {
          if (field.wire() == Wire.DERIVED) {
            continue;
          }
          assertThat(reader.has(field))
              .as("seed %d, %s %s", seed, type, field)
              .isEqualTo(expected.containsKey(field));
          if (expected.get(field) instanceof byte[]) {
            assertThat(reader.getBytes(field)).isEqualTo((byte[]) expected.get(field));
          } else if (expected.containsKey(field)) {
            assertThat(reader.get(field))
                .as("seed %d, %s %s", seed, type, field)
                .isEqualTo(expected.get(field));
          }
        }
      }
    }
    assertThat(writer.clamped()).isZero();
  }

  private Object putRandom(Field field, Random random) {
    if (field.wire() == Wire.BYTES) {
      byte[] bytes = new byte[random.nextInt(40)];
      random.nextBytes(bytes);
      writer.putBytes(field, bytes, 0, bytes.length);
      return bytes;
    }
    long value = random.nextLong();
    if (field.wire() == Wire.SINCE_BASE) {
      value = (value & 0xffff_ffffL) + (field == Field.TIME ? BASE_TIME : BASE_INSTRUCTIONS);
    } else if (field.wire() == Wire.NIBBLE) {
      value &= 0xf;
    } else if (field.wire().bits() < 64) {
      value &= (1L << field.wire().bits()) - 1;
    }
    writer.put(field, value);
    return value;
  }

  private void read(long sequence) {
    reader.batch(buffer, 3, BASE_TIME, BASE_INSTRUCTIONS);
    int head = EventReader.head(buffer, 0);
    assertThat(EventReader.isMarked(head, sequence)).isTrue();
    assertThat(EventReader.isMarked(head, sequence + 1)).isFalse();
    assertThat(EventReader.length(head)).isEqualTo(writer.length());
    assertThat(reader.record(0, head, sequence)).isTrue();
  }

  @Test
  void zeroIsNotTheSameAsNotCaptured() {
    writer.begin(EventType.PIO).put(Field.TIME, BASE_TIME).put(Field.VALUE, 0).put(Field.CPL, 0);
    writer.writeTo(buffer.asIntBuffer(), 0, 0, BASE_TIME, 0);
    read(0);
    assertThat(reader.has(Field.VALUE)).isTrue();
    assertThat(reader.get(Field.VALUE)).isZero();
    assertThat(reader.has(Field.CPL)).isTrue();
    assertThat(reader.has(Field.RIP)).isFalse();
    assertThat(reader.get(Field.RIP, 7)).isEqualTo(7);
    assertThat(reader.reasonCode()).isEqualTo(-1);
    assertThatThrownBy(() -> reader.get(Field.RIP)).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> reader.get(Field.GPA)).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void derivedFieldsFollowFromBatchAndQualification() {
    writer.begin(EventType.EPT_FAULT).put(Field.TIME, BASE_TIME).put(Field.QUALIFICATION, 0x18a);
    writer.writeTo(buffer.asIntBuffer(), 0, 77, BASE_TIME, 0);
    read(77);
    assertThat(reader.get(Field.SEQUENCE)).isEqualTo(77);
    assertThat(reader.get(Field.VCPU)).isEqualTo(3);
    assertThat(reader.get(Field.ACCESS)).isEqualTo(ExitQualification.EPT_WRITE);
    assertThat(Field.ACCESS.render(reader.get(Field.ACCESS))).isEqualTo("WRITE");
    reader.batch(buffer, EventReader.NO_VCPU, BASE_TIME, 0);
    assertThat(reader.has(Field.VCPU)).isFalse();
  }

  @Test
  void measuredValuesThatDoNotFitAreStoredAsTheNearestAndCounted() {
    writer
        .begin(EventType.PIO)
        .put(Field.TIME, BASE_TIME)
        .put(Field.LOOP_TIME, -5)
        .put(Field.DEVICE_TIME, 1L << 40)
        .put(Field.COUNT, 70_000)
        .put(Field.PORT, 0x1_03f8);
    assertThat(writer.clamped()).isEqualTo(3);
    writer.writeTo(buffer.asIntBuffer(), 0, 0, BASE_TIME, 0);
    read(0);
    assertThat(reader.get(Field.LOOP_TIME)).isZero();
    assertThat(reader.get(Field.DEVICE_TIME)).isEqualTo(0xffff_ffffL);
    assertThat(reader.get(Field.COUNT)).isEqualTo(0xffff);
    assertThat(reader.get(Field.PORT)).isEqualTo(0x3f8);
  }

  @Test
  void aFieldThatTheTypeDoesNotHaveIsRefused() {
    writer.begin(EventType.PIO);
    assertThatThrownBy(() -> writer.put(Field.GPA, 1)).isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> writer.put(Field.SEQUENCE, 1))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> writer.put(Field.DATA, 1))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void anAbandonedEventLeavesNothingBehind() {
    EventLog log = new EventLog(0, 4096);
    log.claim(EventType.PIO).put(Field.TIME, 10).put(Field.VALUE, -1).put(Field.RIP, -1);
    log.claim(EventType.HLT).put(Field.TIME, 20);
    log.commit();
    log.claim(EventType.PIO).put(Field.TIME, 30).putBytes(Field.DATA, new byte[] {1, 2, 3}, 0, 3);
    log.commit();
    List<String> seen = new ArrayList<>();
    log.forEach(e -> seen.add(e.type() + "@" + e.time() + (e.has(Field.RIP) ? " rip" : "")));
    assertThat(seen).containsExactly("HLT@20", "PIO@30");
  }

  /** A reader stays inside a record whose length and data count lie, and finds nothing there. */
  @Test
  void shortAndLyingRecordsAreReadWithinTheirBounds() {
    writer
        .begin(EventType.TRANSLATION)
        .put(Field.TIME, BASE_TIME)
        .put(Field.VALUE, 1772334)
        .putBytes(Field.DATA, new byte[24], 0, 24);
    writer.writeTo(buffer.asIntBuffer(), 0, 0, BASE_TIME, 0);
    reader.batch(buffer, 0, BASE_TIME, 0);
    int head = EventReader.head(buffer, 0);
    int shorter = head & 0xffff | EventReader.MIN_RECORD / 4 << 16;
    reader.record(0, shorter, 0);
    assertThat(reader.has(Field.VALUE)).isFalse();
    assertThat(reader.get(Field.TIME)).isEqualTo(BASE_TIME);
    assertThat(reader.bytes(Field.DATA)).isZero();
    buffer.putShort(EventReader.length(head) - 2, (short) 0xffff);
    reader.record(0, head, 0);
    assertThat(reader.bytes(Field.DATA)).isZero();
    assertThat(reader.getBytes(Field.DATA)).isEmpty();
  }

  @Test
  void unknownTypesAreNamedUnknownNotGuessed() {
    buffer.putInt(0, 250 | 0x80 << 8 | 15 << 16);
    reader.batch(buffer, 0, 0, 0);
    assertThat(reader.record(0, EventReader.head(buffer, 0), 0)).isFalse();
  }

  @Test
  void codesHaveNames() {
    assertThat(Field.REASON.render(30)).isEqualTo("IO_INSTRUCTION");
    assertThat(Field.KVM_EXIT.render(KvmExit.MEMORY_FAULT)).isEqualTo("MEMORY_FAULT");
    assertThat(Field.KVM_EXIT.render(KvmExit.NOTIFY)).isEqualTo("NOTIFY");
    assertThat(Field.KVM_EXIT.render(KvmExit.SYSTEM_EVENT)).isEqualTo("SYSTEM_EVENT");
    assertThat(Field.KVM_EXIT.render(200)).isEqualTo("200");
    assertThat(Field.MODE.render(5)).isEqualTo("LONG");
    assertThat(Field.DIRECTION.render(1)).isEqualTo("WRITE");
    assertThat(Field.INTERRUPTION_TYPE.render(3)).isEqualTo("HARDWARE_EXCEPTION");
    assertThat(Field.END.render(RunEnd.DEBUG_EXIT.code())).isEqualTo("DEBUG_EXIT");
    assertThat(Field.GPA.render(0x1000)).isEqualTo("0x1000");
    assertThat(Field.GUEST_TIME.column()).isEqualTo("guest_ns");
  }
}
