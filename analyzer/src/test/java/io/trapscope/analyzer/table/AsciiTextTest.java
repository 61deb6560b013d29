package io.trapscope.analyzer.table;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;

/** Spells numbers as the JDK does. */
class AsciiTextTest {
  /** Times of the years 1970 to 2262. */
  private static final long LAST = Long.MAX_VALUE;

  private static String spelled(Consumer<AsciiText> by) {
    AsciiText text = new AsciiText(1);
    text.put('<');
    by.accept(text);
    text.put('>');
    String all = StandardCharsets.US_ASCII.decode(text.drain()).toString();
    assertThat(text.length()).isZero();
    return all.substring(1, all.length() - 1);
  }

  @Property
  void numbers(@ForAll long value) {
    assertThat(spelled(text -> text.unsigned(value))).isEqualTo(Long.toUnsignedString(value));
    assertThat(spelled(text -> text.signed(value))).isEqualTo(Long.toString(value));
    assertThat(spelled(text -> text.hexadecimal(value))).isEqualTo(Long.toHexString(value));
  }

  @Property
  void numbersOf32Bits(@ForAll @LongRange(max = 0xffff_ffffL) long value) {
    assertThat(spelled(text -> text.unsigned(value))).isEqualTo(Long.toString(value));
  }

  @Example
  void numbersAroundEachPowerOfTen() {
    for (int power = 0; power < 20; power++) {
      for (int next = -1; next <= 1; next++) {
        long value = BigInteger.TEN.pow(power).add(BigInteger.valueOf(next)).longValue();
        assertThat(spelled(text -> text.unsigned(value))).isEqualTo(Long.toUnsignedString(value));
      }
    }
  }

  @Property
  void times(@ForAll @LongRange(max = LAST) long nanos) {
    assertThat(spelled(text -> text.timestamp(nanos))).isEqualTo(CellText.timestamp(nanos));
    assertThat(spelled(text -> text.fraction(nanos)))
        .isEqualTo(String.format("%09d", nanos % 1_000_000_000));
  }
}
