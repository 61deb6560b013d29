package io.trapscope.analyzer.symbols;

import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * By how much a kernel runs away from the addresses it is linked to (KASLR), found from where it
 * exits: every exit of a port access, a CPUID and so on has an instruction of that kind at its RIP,
 * and only with the right offset do all of them.
 *
 * @param offset what to take off a RIP
 * @param places distinct places that were looked at
 * @param fitting those that fit with this offset
 * @param next those that fit with the next best one
 */
record KernelOffset(long offset, int places, int fitting, int next) {
  /** Nothing is known. */
  static final KernelOffset NONE = new KernelOffset(0, 0, 0, 0);

  /** A kernel starts at a multiple of this: the least CONFIG_PHYSICAL_ALIGN of x86-64. */
  private static final long ALIGN = 2 << 20;

  /** Fewer places that fit prove nothing. */
  private static final int LEAST_FITTING = 3;

  /**
   * The offset with which most places fit. Of several equally good ones the one next to 0.
   *
   * @param table the kernel's symbols as it is linked
   * @param places distinct ones
   */
  static KernelOffset find(SymbolTable table, List<ExitPlace> places) {
    Map<Long, Integer> votes = new HashMap<>();
    for (ExitPlace place : places) {
      long lowest = alignUp(place.rip() - table.last());
      for (long offset = lowest; place.rip() - offset >= table.first(); offset += ALIGN) {
        if (table.fits(place.rip() - offset, place.instruction())) {
          votes.merge(offset, 1, Integer::sum);
        }
      }
    }
    List<Map.Entry<Long, Integer>> best =
        votes.entrySet().stream()
            .sorted(
                Comparator.comparingInt((Map.Entry<Long, Integer> e) -> -e.getValue())
                    .thenComparing(e -> Math.abs(e.getKey())))
            .limit(2)
            .toList();
    if (best.isEmpty()) {
      return new KernelOffset(0, places.size(), 0, 0);
    }
    int next = best.size() < 2 ? 0 : best.get(1).getValue();
    return new KernelOffset(best.get(0).getKey(), places.size(), best.get(0).getValue(), next);
  }

  private static long alignUp(long value) {
    return value + ALIGN - 1 & -ALIGN;
  }

  /**
   * Whether the offset is proven: enough places fit, most of all, and twice as many as with any
   * other; or it is the one to be expected, and everything fits.
   */
  boolean isSure() {
    boolean expected = offset == 0 && fitting == places && fitting > 0;
    return fitting >= 2 * next
        && fitting >= places - fitting
        && (fitting >= LEAST_FITTING || expected);
  }

  /**
   * One clause: the offset, what fits with it, and how much better than with anything else.
   *
   * @param what must be at a place that fits
   */
  String note(String what) {
    if (places == 0) {
      return "kernel offset taken to be 0: no exit tells it";
    }
    String found =
        isSure()
            ? "kernel offset " + (offset < 0 ? "-0x" : "0x") + Long.toHexString(Math.abs(offset))
            : "kernel offset taken to be 0, for none is sure";
    return String.format(
        Locale.ROOT,
        "%s: %,d of %,d places fit, having %s; with the next best %,d",
        found,
        fitting,
        places,
        what,
        next);
  }
}
