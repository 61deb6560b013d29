package io.trapscope.vmm.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class UntilTest {

  @Test
  void parsesEachForm() {
    assertThat(Until.parse("text=a=b").text()).asString().isEqualTo("a=b");
    assertThat(Until.parse("exits=5").exits()).isEqualTo(5);
    assertThat(Until.parse("instructions=7").instructions()).isEqualTo(7);
    assertThat(Until.parse("time=1.5ms").guestNanos()).isEqualTo(1_500_000);
  }

  @ParameterizedTest
  @CsvSource({
    "time=200ms, 200ms of guest time",
    "time=0.5h, 30m of guest time",
    "exits=5, 5 exits",
    "text=#, text '#' appeared"
  })
  void saysWhatEndedTheRunInTheWordsOfTheOption(String condition, String said) {
    assertThat(Until.parse(condition).describe()).isEqualTo(said);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "text=", "exits", "exits=0", "exits=x", "time=5 parsecs", "foo=1"})
  void refusesWhatItDoesNotKnow(String condition) {
    assertThatThrownBy(() -> Until.parse(condition))
        .isInstanceOf(IllegalArgumentException.class)
        .message()
        .doesNotContain("\n");
  }

  @ParameterizedTest
  @CsvSource({"5,PT5S", "2m,PT2M", "250us,PT0.00025S", "1.5h,PT1H30M", "3ns,PT0.000000003S"})
  void parsesDurations(String text, Duration expected) {
    assertThat(Durations.parse(text)).isEqualTo(expected);
  }

  @ParameterizedTest
  @ValueSource(strings = {"5s", "2m", "250us", "90m", "36h", "1001ms", "3ns"})
  void writesDurationsAsTheyAreTyped(String text) {
    assertThat(Durations.format(Durations.parse(text))).isEqualTo(text);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "0", "-1s", "1d", "99999999999999h", "0.1ns", "1e3s"})
  void refusesOtherDurations(String text) {
    assertThatThrownBy(() -> Durations.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("is not a duration");
  }
}
