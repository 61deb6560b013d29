package io.trapscope.recorder.event;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.recorder.event.Counter.Kind;
import io.trapscope.recorder.event.Counter.Unit;
import java.util.List;
import org.junit.jupiter.api.Test;

class CounterTest {
  private static Counter counter(Kind kind, Long... values) {
    return new Counter("vcpu-1", "n", kind, Unit.SECONDS, 10, -9, 0, List.of(values));
  }

  @Test
  void whatOnlyGrowsChangesByTheDifference() {
    assertThat(counter(Kind.CUMULATIVE, 70L).since(counter(Kind.CUMULATIVE, 50L)).values())
        .containsExactly(20L);
    assertThat(
            counter(Kind.LOG_HISTOGRAM, 5L, 0L, 9L)
                .since(counter(Kind.LOG_HISTOGRAM, 5L, 0L))
                .values())
        .containsExactly(0L, 0L, 9L);
  }

  @Test
  void whatGoesUpAndDownIsAsItIs() {
    assertThat(counter(Kind.INSTANT, 3L).since(counter(Kind.INSTANT, 50L)).total()).isEqualTo(3);
    assertThat(counter(Kind.PEAK, 60L).since(counter(Kind.PEAK, 50L)).total()).isEqualTo(60);
  }

  @Test
  void zerosAtTheEndOfAHistogramAreLeftOut() {
    assertThat(counter(Kind.LOG_HISTOGRAM, 1L, 2L, 0L, 0L).values()).containsExactly(1L, 2L);
    assertThat(counter(Kind.LOG_HISTOGRAM, 0L, 0L).values()).containsExactly(0L);
    assertThat(counter(Kind.LOG_HISTOGRAM, 1L, 2L, 0L).total()).isEqualTo(3);
  }

  @Test
  void aCounterThatWasNotThereBeforeIsTakenWhole() {
    List<Counter> end = List.of(Counter.count("vm", "a", 7), Counter.count("vcpu-0", "a", 9));
    assertThat(Counter.change(List.of(Counter.count("vm", "a", 3)), end))
        .extracting(Counter::total)
        .containsExactly(4L, 9L);
  }
}
