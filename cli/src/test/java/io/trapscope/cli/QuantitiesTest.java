package io.trapscope.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

class QuantitiesTest {

  @ParameterizedTest
  @CsvSource({
    "2s, PT2S",
    "500ms, PT0.5S",
    "1.5h, PT1H30M",
    "3m, PT3M",
    "7us, PT0.000007S",
    "9ns, PT0.000000009S",
    "0s, PT0S"
  })
  void durations(String text, Duration expected) {
    assertThat(Quantities.duration(text)).isEqualTo(expected);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "2", "s", "-1s", "2 s", "1e3s", "0.1ns", "99999999999999h", "2x"})
  void notDurations(String text) {
    assertThatThrownBy(() -> Quantities.duration(text))
        .isInstanceOf(TypeConversionException.class)
        .hasMessageStartingWith("'" + text + "' is not a duration");
  }

  @ParameterizedTest
  @CsvSource({
    "256M, 268435456",
    "1G, 1073741824",
    "64k, 65536",
    "4096, 4096",
    "1.5g, 1610612736",
    "16MiB, 16777216",
    "16MB, 16777216",
    "12b, 12"
  })
  void sizes(String text, long expected) {
    assertThat(Quantities.size(text)).isEqualTo(expected);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "M", "-1M", "256 M", "0.1", "99999999T", "1kk", "12ib"})
  void notSizes(String text) {
    assertThatThrownBy(() -> Quantities.size(text))
        .isInstanceOf(TypeConversionException.class)
        .hasMessageStartingWith("'" + text + "' is not a size");
  }

  @ParameterizedTest
  @CsvSource({"0x1000, 4096", "4096, 4096", "0, 0", "0xffffffffffffffff, -1", "0XfF, 255"})
  void addresses(String text, long expected) {
    assertThat(Quantities.address(text)).isEqualTo(expected);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "0x", "x", "-1", "0x10000000000000000", "1000h"})
  void notAddresses(String text) {
    assertThatThrownBy(() -> Quantities.address(text))
        .isInstanceOf(TypeConversionException.class)
        .hasMessageStartingWith("'" + text + "' is not an address");
  }

  @ParameterizedTest
  @CsvSource({"1000, 1000", "1_000_000, 1000000", "2M, 2000000", "1.5k, 1500"})
  void counts(String text, long expected) {
    assertThat(Quantities.count(text)).isEqualTo(expected);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "0", "-5", "1.5", "many", "0x10"})
  void notCounts(String text) {
    assertThatThrownBy(() -> Quantities.count(text))
        .isInstanceOf(TypeConversionException.class)
        .hasMessageStartingWith("'" + text + "' is not a count");
  }
}
