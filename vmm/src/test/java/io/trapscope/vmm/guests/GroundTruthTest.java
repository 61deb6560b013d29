package io.trapscope.vmm.guests;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.recorder.event.EventLog;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.EventWriter;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.event.Field;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class GroundTruthTest {
  private static final String HEADER =
      "row,section,event,direction,size,first,last,items,soft,kvm,kvm_pvm,about\n";

  private final EventLog log = new EventLog(0, 1 << 16);

  private void port(int port, int size, boolean write, int count) {
    EventWriter event = log.claim(EventType.PIO);
    event
        .put(Field.TIME, 1)
        .put(Field.REASON, ExitReason.IO_INSTRUCTION.code())
        .put(Field.PORT, port)
        .put(Field.SIZE, size)
        .put(Field.DIRECTION, write)
        .put(Field.COUNT, count);
    log.commit();
  }

  private GroundTruth compare(String rows) {
    GroundTruth truth = GroundTruth.parse(HEADER + rows);
    log.forEach(truth::accept);
    return truth;
  }

  @Test
  void equalCountsMakeNoDifference() {
    port(0x600, 1, true, 1);
    port(0x600, 1, true, 1);
    port(0x601, 2, false, 5);
    GroundTruth truth =
        compare(
            """
            out,1,PIO,WRITE,1,0x600,0x60f,2,2,2,2,x
            in,1,PIO,READ,2,0x600,0x60f,5,1,any,skip,x
            """);
    assertThat(truth.differences(HostKind.SOFT)).isEmpty();
    assertThat(truth.differences(HostKind.KVM)).isEmpty();
    assertThat(truth.differences(HostKind.KVM_PVM)).containsExactly("in: 1 exits, not 0");
    assertThat(truth.notCovered(HostKind.KVM_PVM))
        .containsExactly("in: the guest cannot do it on this host");
    assertThat(truth.selected(HostKind.KVM_PVM)).isEqualTo(~2L);
  }

  @Test
  void everyKindOfDifferenceIsNamed() {
    port(0x600, 1, true, 1);
    port(0x600, 1, false, 4);
    port(0x700, 4, true, 1);
    GroundTruth truth =
        compare(
            """
            out,1,PIO,WRITE,1,0x600,0x60f,,2,2,2,x
            in,1,PIO,READ,1,0x600,0x60f,5,1,1,1,x
            """);
    assertThat(truth.differences(HostKind.SOFT))
        .containsExactly(
            "out: 1 exits, not 2",
            "in: 4 items, not 5",
            "not in the table: PIO WRITE 0x700, 1 times");
  }

  /** A mix-up of two kinds must show: rows of one event type differ in their exits or items. */
  @ParameterizedTest
  @EnumSource
  void countsOfOneEventTypeDiffer(HostKind host) {
    Map<EventType, Set<String>> seen = new HashMap<>();
    for (GroundTruth.Row row : GroundTruth.load().rows()) {
      String cell = row.cells().get(host);
      if (row.section() == 0 || row.section() == 7 || !cell.matches("\\d+")) {
        continue;
      }
      boolean distinct =
          seen.computeIfAbsent(row.type(), type -> new HashSet<>()).add(cell + "/" + row.items());
      assertThat(distinct).as(row.name()).isTrue();
    }
  }
}
