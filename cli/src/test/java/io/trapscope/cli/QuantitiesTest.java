package io.trapscope.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.TypeConversionException;

class QuantitiesTest {

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

  @Test
  void whatVmmParsesFailsAsPicocliWantsIt() {
    assertThat(new Quantities.DurationConverter().convert("500ms")).hasMillis(500);
    assertThatThrownBy(() -> new Quantities.DurationConverter().convert("soon"))
        .isInstanceOf(TypeConversionException.class)
        .hasMessageStartingWith("'soon' is not a duration");
    assertThat(new Quantities.UntilConverter().convert("exits=5").exits()).isEqualTo(5);
    assertThatThrownBy(() -> new Quantities.UntilConverter().convert("exits=few"))
        .isInstanceOf(TypeConversionException.class)
        .hasMessageContaining("exits=few");
  }
}
