package io.trapscope.vmm.soft.differential;

import java.io.IOException;
import java.util.Arrays;

/** Makes a failing case small: fewer instructions, then as much of its state 0 as possible. */
final class Shrinker {

  /** Whether a case still fails. */
  @FunctionalInterface
  interface Failing {
    boolean test(TestCase candidate) throws IOException;
  }

  private final Failing failing;

  Shrinker(Failing failing) {
    this.failing = failing;
  }

  TestCase shrink(TestCase test) throws IOException {
    TestCase best = dropInstructions(test);
    best = plainRegisters(best);
    return plainImage(best);
  }

  private TestCase dropInstructions(TestCase test) throws IOException {
    TestCase best = test;
    for (int i = 0; i < best.instructions.size() && best.instructions.size() > 1; ) {
      TestCase candidate = best.without(i);
      if (failing.test(candidate)) {
        best = candidate;
        i = 0;
      } else {
        i++;
      }
    }
    return best;
  }

  private TestCase plainRegisters(TestCase test) throws IOException {
    TestCase best = test;
    for (int i = 0; i < 16; i++) {
      TestCase candidate = best.copy();
      candidate.gpr[i] = 0;
      best = failing.test(candidate) ? candidate : best;
    }
    for (long flag = 1; flag <= 0x800; flag <<= 1) {
      TestCase candidate = best.copy();
      candidate.rflags &= ~flag | 0x202;
      best = failing.test(candidate) ? candidate : best;
    }
    return best;
  }

  private TestCase plainImage(TestCase test) throws IOException {
    TestCase best = test;
    TestCase plain = new TestCase();
    int[] starts = {0, 2, 4, 8, 24};
    int[] ends = {2, 4, 5, 24, 28};
    for (int i = 0; i < starts.length; i++) {
      TestCase candidate = best.copy();
      System.arraycopy(plain.fx, starts[i], candidate.fx, starts[i], ends[i] - starts[i]);
      best = failing.test(candidate) ? candidate : best;
    }
    for (int at = 32; at < 416; at += 8) {
      TestCase candidate = best.copy();
      Arrays.fill(candidate.fx, at, at + 8, (byte) 0);
      best = failing.test(candidate) ? candidate : best;
    }
    for (int at = 0; at < TestCase.WINDOW_BYTES; at += 8) {
      TestCase candidate = best.copy();
      Arrays.fill(candidate.window, at, at + 8, (byte) 0);
      best = failing.test(candidate) ? candidate : best;
    }
    return best;
  }
}
