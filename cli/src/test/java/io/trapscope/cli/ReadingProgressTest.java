package io.trapscope.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ReadingProgressTest {
  @Test
  void saysHowFarItIsAndHowLongItTakes() {
    assertThat(ReadingProgress.text("writing the page", 5, 12, 10_000_000_000L))
        .isEqualTo("[##########..............]  42 %, writing the page, about 14 s left");
    assertThat(ReadingProgress.text("reading the trace", 0, 1, 1))
        .isEqualTo("[........................]   0 %, reading the trace");
    assertThat(ReadingProgress.text("reading the trace", 9, 8, 1_000_000_000L))
        .isEqualTo("[########################] 100 %, reading the trace, about 0 s left");
  }
}
