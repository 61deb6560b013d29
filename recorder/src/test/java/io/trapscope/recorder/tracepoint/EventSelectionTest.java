package io.trapscope.recorder.tracepoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trapscope.recorder.event.EventLog;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.event.FilteringSink;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class EventSelectionTest {
  private static EventSelection of(String events, String exclude) {
    return EventSelection.of(words(events), words(exclude));
  }

  private static List<String> words(String text) {
    return text.isEmpty() ? List.of() : List.of(text.split(","));
  }

  @Test
  void unlessAskedEverythingButInterpretedInstructions() {
    EventSelection selection = of("", "");
    assertThat(selection.isDefault()).isTrue();
    assertThat(selection.types()).containsExactlyInAnyOrder(EventType.values());
    assertThat(selection.tracepoints())
        .hasSize(KvmTracepoint.values().length - 1)
        .doesNotContain(KvmTracepoint.EMULATE);
  }

  @Test
  void aTypeBringsTheTracepointsThatItNeeds() {
    EventSelection selection = of("msr,IRQ_LINE", "");
    assertThat(selection.types())
        .contains(EventType.MSR, EventType.IRQ_LINE, EventType.END, EventType.GAP)
        .doesNotContain(EventType.PIO, EventType.EXIT, EventType.MMU);
    assertThat(selection.tracepoints())
        .containsExactlyInAnyOrder(
            KvmTracepoint.EXIT,
            KvmTracepoint.ENTRY,
            KvmTracepoint.USERSPACE_EXIT,
            KvmTracepoint.MSR,
            KvmTracepoint.SET_IRQ);
  }

  @Test
  void groupsAndSingleTracepoints() {
    assertThat(of("interrupts", "").tracepoints())
        .allMatch(point -> point.group() == KvmTracepoint.Group.INTERRUPTS)
        .hasSize(5);
    assertThat(of("exits", "").types()).contains(EventType.HLT, EventType.EXCEPTION);
    assertThat(of("emulation", "").tracepoints()).containsExactly(KvmTracepoint.EMULATE);
    assertThat(of("kvm_exit", "").types()).contains(EventType.PIO, EventType.CR_ACCESS);
    assertThat(of("kvmmmu:fast_page_fault", "").tracepoints())
        .containsExactly(KvmTracepoint.FAST_PAGE_FAULT);
    EventSelection text = of("kvm_fpu,sched:sched_switch", "");
    assertThat(text.others()).containsExactly("kvm:kvm_fpu", "sched:sched_switch");
    assertThat(text.types()).contains(EventType.TRACEPOINT);
    assertThat(text.tracepoints()).isEmpty();
  }

  @Test
  void whatIsLeftOut() {
    EventSelection selection = of("", "pio,mmu");
    assertThat(selection.types()).doesNotContain(EventType.PIO, EventType.MMU);
    assertThat(selection.tracepoints())
        .doesNotContain(KvmTracepoint.PIO, KvmTracepoint.SET_SPTE)
        .contains(KvmTracepoint.EXIT, KvmTracepoint.MSR);
    EventSelection onlyTracepoint = of("", "kvm_pio");
    assertThat(onlyTracepoint.types()).contains(EventType.PIO);
    assertThat(onlyTracepoint.tracepoints()).doesNotContain(KvmTracepoint.PIO);
    EventSelection noExits = of("", "exits");
    assertThat(noExits.types()).noneMatch(EventType::isExit).contains(EventType.INJECTION);
    assertThat(noExits.tracepoints()).noneMatch(p -> p.group() == KvmTracepoint.Group.EXITS);
    // Other exits remain, so what frames them does.
    assertThat(of("", "exit").tracepoints()).contains(KvmTracepoint.EXIT, KvmTracepoint.ENTRY);
    assertThat(of("", "hlt").types()).contains(EventType.END, EventType.CONSOLE_OUTPUT);
  }

  @Test
  void aWordThatMeansNothing() {
    for (String word : List.of("nonsense", "end", "", "gap", "kvm:", ":pio")) {
      assertThatThrownBy(() -> EventSelection.of(List.of(word), List.of()))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageStartingWith("no event is called '" + word + "'; there are exits, ")
          .hasMessageNotContaining("\n");
    }
    assertThat(EventSelection.words()).doesNotHaveDuplicates().contains("pio", "mmu", "halt");
  }

  @Test
  void aSinkPassesWhatWasSelected() {
    EventLog log = new EventLog(0, 4096);
    FilteringSink sink = new FilteringSink(log, Set.of(EventType.HLT));
    for (EventType type : List.of(EventType.PIO, EventType.HLT, EventType.PIO)) {
      sink.claim(type).put(Field.TIME, 5);
      sink.commit();
    }
    List<EventType> seen = new ArrayList<>();
    log.forEach(event -> seen.add(event.type()));
    assertThat(seen).containsExactly(EventType.HLT);
  }
}
