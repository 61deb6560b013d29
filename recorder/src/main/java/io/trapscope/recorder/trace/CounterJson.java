package io.trapscope.recorder.trace;

import io.trapscope.recorder.event.Counter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Counters in a trace's header and footer. */
final class CounterJson {
  private CounterJson() {}

  static List<Object> trees(List<Counter> counters) {
    List<Object> trees = new ArrayList<>();
    for (Counter counter : counters) {
      Map<String, Object> tree = new LinkedHashMap<>();
      tree.put("of", counter.of());
      tree.put("name", counter.name());
      tree.put("kind", counter.kind().name().toLowerCase(Locale.ROOT));
      if (counter.unit() != Counter.Unit.NONE) {
        tree.put("unit", counter.unit().name().toLowerCase(Locale.ROOT));
      }
      if (counter.exponent() != 0) {
        tree.put("base", counter.base());
        tree.put("exponent", counter.exponent());
      }
      if (counter.bucketSize() != 0) {
        tree.put("bucket_size", counter.bucketSize());
      }
      tree.put("values", counter.values());
      trees.add(tree);
    }
    return trees;
  }

  /** Counters of a kind or unit that this version does not know are left out. */
  static List<Counter> parse(List<Json.Reader> trees) throws IOException {
    List<Counter> counters = new ArrayList<>();
    for (Json.Reader tree : trees) {
      Counter.Kind kind = constant(Counter.Kind.values(), tree.text("kind"));
      Counter.Unit unit = constant(Counter.Unit.values(), tree.text("unit"));
      List<Long> values = tree.numbers("values");
      if (kind != null && !values.isEmpty()) {
        counters.add(
            new Counter(
                tree.text("of"),
                tree.text("name"),
                kind,
                unit == null ? Counter.Unit.NONE : unit,
                tree.number("base") == 2 ? 2 : 10,
                (int) tree.number("exponent"),
                tree.number("bucket_size"),
                values));
      }
    }
    return counters;
  }

  private static <E extends Enum<E>> E constant(E[] all, String name) {
    for (E constant : all) {
      if (constant.name().equalsIgnoreCase(name)) {
        return constant;
      }
    }
    return null;
  }
}
