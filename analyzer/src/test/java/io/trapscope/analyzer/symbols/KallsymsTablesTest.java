package io.trapscope.analyzer.symbols;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.analyzer.symbols.KallsymsImage.Layout;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class KallsymsTablesTest {
  private static List<String> symbols(String first) {
    List<String> symbols = new ArrayList<>(List.of(first, "tio_serial_out", "Dsome_data"));
    for (int i = symbols.size(); i < 700; i++) {
      symbols.add("tfunction_" + i);
    }
    return symbols;
  }

  @ParameterizedTest
  @EnumSource(Layout.class)
  void readsTheTablesWhereverTheyLie(Layout layout) {
    ByteBuffer image = KallsymsImage.of(layout, symbols("T_stext"), false);
    List<Symbol> found = KallsymsTables.read(image).orElseThrow();
    assertThat(found).hasSize(699); // without some_data
    assertThat(found.subList(0, 3))
        .containsExactly(
            new Symbol(KallsymsImage.BASE, "_stext"),
            new Symbol(KallsymsImage.BASE + 16, "io_serial_out"),
            new Symbol(KallsymsImage.BASE + 48, "function_3"));
    assertThat(found.get(698)).isEqualTo(new Symbol(KallsymsImage.BASE + 16 * 699, "function_699"));
  }

  @Test
  void readsNamesOfMoreThan127Tokens() {
    String name = String.join("", Collections.nCopies(200, "x"));
    ByteBuffer image = KallsymsImage.of(Layout.BEFORE_PERCPU, symbols("T" + name), true);
    assertThat(KallsymsTables.read(image).orElseThrow().get(0).name()).isEqualTo(name);
  }

  /** Any byte of the tables changed: what is found is right, but for that byte, or nothing is. */
  @Test
  void damagedTablesAreNoTables() {
    ByteBuffer image = KallsymsImage.of(Layout.BEHIND, symbols("T_stext"), false);
    int size = KallsymsTables.read(image).orElseThrow().size();
    for (int at = 4096; at < image.limit() - 4096; at += 13) {
      byte old = image.get(at);
      image.put(at, (byte) ~old);
      Optional<List<Symbol>> found = KallsymsTables.read(image);
      found.ifPresent(some -> assertThat(some.size()).isBetween(size - 1, size + 1));
      image.put(at, old);
    }
  }

  @Test
  void anImageWithoutThemHasNone() {
    assertThat(KallsymsTables.read(ByteBuffer.allocate(4096))).isEmpty();
    assertThat(KallsymsTables.read(ByteBuffer.allocate(0))).isEmpty();
  }
}
