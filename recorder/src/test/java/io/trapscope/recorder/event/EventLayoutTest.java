package io.trapscope.recorder.event;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class EventLayoutTest {

  /**
   * Traces are kept for ever, so no line of this list may change; lines are only ever added. To add
   * some, append what the failure prints as new.
   */
  @Test
  void everyOffsetOfEveryTypeIsTheRecordedOne() throws IOException {
    String recorded;
    try (InputStream in = getClass().getResourceAsStream("event-layout.txt")) {
      recorded = new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
    assertThat(render()).isEqualTo(recorded);
  }

  private static String render() {
    StringBuilder out = new StringBuilder();
    for (EventType type : EventType.values()) {
      EventLayout layout = EventLayout.of(type);
      out.append(String.format("%d %s since %d\n", type.id(), type, type.since()));
      for (Field field : layout.fields()) {
        out.append(
            String.format(
                "  %d %s %s since %d offset %d shift %d bit %d\n",
                field.id(),
                field.column(),
                field.wire(),
                field.since(),
                layout.offset(field),
                layout.shift(field),
                layout.presenceBit(field)));
      }
    }
    return out.toString();
  }

  @Test
  void portAccessFitsSixtyBytes() {
    assertThat(EventLayout.of(EventType.PIO).baseBytes()).isEqualTo(60);
  }

  @Test
  void idsAndColumnNamesAreUniqueAndNoSinceIsBeyondTheSchemaVersion() {
    Set<Integer> ids = new HashSet<>();
    Set<String> columns = new HashSet<>();
    for (Field field : Field.values()) {
      assertThat(ids.add(field.id())).as("id of %s", field).isTrue();
      assertThat(columns.add(field.column())).as("column of %s", field).isTrue();
      assertThat(field.since()).isBetween(1, EventReference.VERSION);
      assertThat(field.meaning()).isNotBlank();
    }
    ids.clear();
    for (EventType type : EventType.values()) {
      assertThat(ids.add(type.id())).as("id of %s", type).isTrue();
      assertThat(type.since()).isBetween(1, EventReference.VERSION);
      assertThat(EventType.of(type.id())).isSameAs(type);
      assertThat(type.details())
          .doesNotHaveDuplicates()
          .doesNotContainAnyElementsOf(EventType.COMMON);
    }
  }

  @Test
  void wiresHaveTheNumbersThatSlotsUse() {
    assertThat(EventLayout.NIBBLE).isEqualTo(Wire.NIBBLE.ordinal());
    assertThat(EventLayout.U8).isEqualTo(Wire.U8.ordinal());
    assertThat(EventLayout.U16).isEqualTo(Wire.U16.ordinal());
    assertThat(EventLayout.U32).isEqualTo(Wire.U32.ordinal());
    assertThat(EventLayout.U64).isEqualTo(Wire.U64.ordinal());
    assertThat(EventLayout.SINCE_BASE).isEqualTo(Wire.SINCE_BASE.ordinal());
    assertThat(EventLayout.BYTES).isEqualTo(Wire.BYTES.ordinal());
    assertThat(EventLayout.DERIVED).isEqualTo(Wire.DERIVED.ordinal());
  }

  @Test
  void noTwoFieldsShareBits() {
    for (EventType type : EventType.values()) {
      EventLayout layout = EventLayout.of(type);
      boolean[] taken = new boolean[layout.fixedBytes() * 2];
      Arrays.fill(taken, 0, EventLayout.HEAD_BYTES * 2, true);
      Set<Integer> bits = new HashSet<>();
      for (Field field : layout.fields()) {
        if (layout.presenceBit(field) >= 0) {
          assertThat(bits.add(layout.presenceBit(field))).as("%s %s", type, field).isTrue();
        }
        if (layout.offset(field) < 0) {
          continue;
        }
        int nibbles = Math.max(1, field.wire().bytes() * 2);
        int first = layout.offset(field) * 2 + layout.shift(field) / 4;
        for (int i = first; i < first + nibbles; i++) {
          assertThat(taken[i]).as("%s %s", type, field).isFalse();
          taken[i] = true;
        }
      }
    }
  }

  @Test
  void everyTypeAndFieldIsUsedAndInTheReference() {
    Set<Field> used = new HashSet<>(EventType.COMMON);
    String reference = EventReference.markdown();
    for (EventType type : EventType.values()) {
      used.addAll(type.details());
      assertThat(reference).contains("## " + type.id() + " " + type.name() + ": ");
    }
    assertThat(used).containsExactlyInAnyOrder(Field.values());
    for (Field field : Field.values()) {
      assertThat(reference).contains("| " + field.id() + " | `" + field.column() + "` |");
    }
  }
}
