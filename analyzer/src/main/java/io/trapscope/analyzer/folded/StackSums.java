package io.trapscope.analyzer.folded;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.function.BiConsumer;

/**
 * Number of exits and weight of each distinct stack. Bounded: where there are more than {@link
 * #LIMIT}, all stacks lose the outer half of their callers, and those that are then alike are added
 * up.
 */
final class StackSums {
  /** Most distinct stacks. */
  static final int LIMIT = 1 << 16;

  /**
   * What a weight is kept for.
   *
   * @param reason code of the exit
   * @param user whether the guest ran in user mode
   * @param addresses the RIP, then return addresses, innermost first
   */
  record Stack(int reason, boolean user, long[] addresses) {
    @Override
    public boolean equals(Object other) {
      return other instanceof Stack stack
          && reason == stack.reason
          && user == stack.user
          && Arrays.equals(addresses, stack.addresses);
    }

    @Override
    public int hashCode() {
      return 31 * (31 * Arrays.hashCode(addresses) + reason) + (user ? 1 : 0);
    }

    Stack innermost(int count) {
      return count >= addresses.length
          ? this
          : new Stack(reason, user, Arrays.copyOf(addresses, count));
    }
  }

  /** Exits, and what they weigh together. */
  record Sum(long exits, long weight) {
    Sum plus(Sum other) {
      return new Sum(exits + other.exits, weight + other.weight);
    }
  }

  private final int limit;
  private Map<Stack, Sum> sums = new HashMap<>();
  private int depth = Integer.MAX_VALUE;

  StackSums() {
    this(LIMIT);
  }

  /** For tests: with another limit. */
  StackSums(int limit) {
    this.limit = limit;
  }

  void add(Stack stack, long weight) {
    sums.merge(stack.innermost(depth), new Sum(1, weight), Sum::plus);
    while (sums.size() > limit && depth > 0) {
      int longest = sums.keySet().stream().mapToInt(each -> each.addresses.length).max().orElse(0);
      depth = longest / 2;
      Map<Stack, Sum> old = sums;
      sums = new HashMap<>();
      old.forEach((each, sum) -> sums.merge(each.innermost(depth), sum, Sum::plus));
    }
  }

  /** Addresses that are kept of a stack; more than any has where none was cut. */
  int depth() {
    return depth;
  }

  void forEach(BiConsumer<Stack, Sum> action) {
    sums.forEach(action);
  }
}
