package io.trapscope.analyzer.report;

import io.trapscope.analyzer.tally.Site;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Registers that a column calls the same, as those of one device are: one of them stands for all,
 * so that rows by that column alone are one row.
 */
final class RegisterNames {
  /** The two numbers that a key makes of a site; those of all sites without a name are one. */
  private record Register(long type, long number) {
    static Register at(long[] values, int at) {
      return new Register(values[at], values[at + 1]);
    }

    /** Which of two stands for both: whatever their order, the same. */
    static Register lesser(Register a, Register b) {
      int order = Long.compare(a.type, b.type);
      return order < 0 || order == 0 && Long.compareUnsigned(a.number, b.number) <= 0 ? a : b;
    }
  }

  private static final Register NOTHING = new Register(HotspotKey.NONE, 0);

  private final Map<Register, Register> replacements;

  private RegisterNames(Map<Register, Register> replacements) {
    this.replacements = replacements;
  }

  /**
   * Of the registers of these sites those that are called the same.
   *
   * @param key the column that shows the name
   */
  static RegisterNames of(HotspotKey key, List<Site> sites, TraceFacts facts) {
    Map<Register, String> names = new HashMap<>();
    long[] values = new long[2];
    for (Site site : sites) {
      key.read(site, facts.symbols(), values, 0);
      names.computeIfAbsent(
          Register.at(values, 0), absent -> String.valueOf(key.text(values, 0, facts)));
    }
    Map<String, Register> first =
        names.entrySet().stream()
            .collect(Collectors.toMap(Map.Entry::getValue, Map.Entry::getKey, Register::lesser));
    // What has no name is no register of that column.
    first.put(String.valueOf((Object) null), NOTHING);
    Map<Register, Register> replacements = new HashMap<>();
    names.forEach((register, name) -> replacements.put(register, first.get(name)));
    return new RegisterNames(replacements);
  }

  /** Puts the register that stands for all of its name in the place of this one. */
  void replace(long[] values, int at) {
    Register register = replacements.get(Register.at(values, at));
    values[at] = register.type;
    values[at + 1] = register.number;
  }
}
