package io.trapscope.vmm.soft.differential;

import java.nio.ByteBuffer;

/** What a case ended with; the record of {@code oracle.c}. */
final class TestResult {
  static final int BYTES = 8 + 3 * 8 + 16 * 8 + TestCase.FX_BYTES + TestCase.WINDOW_BYTES + 8;

  /** The case was stopped because it did not end by itself. */
  static final int TIMEOUT = 255;

  int vector;
  int error;
  long cr2;
  long rip;
  long rflags;
  final long[] gpr = new long[16];
  final byte[] fx = new byte[TestCase.FX_BYTES];
  final byte[] window = new byte[TestCase.WINDOW_BYTES];
  long rest;

  static TestResult read(ByteBuffer from) {
    TestResult result = new TestResult();
    result.vector = from.getInt();
    result.error = from.getInt();
    result.cr2 = from.getLong();
    result.rip = from.getLong();
    result.rflags = from.getLong();
    for (int i = 0; i < 16; i++) {
      result.gpr[i] = from.getLong();
    }
    from.get(result.fx).get(result.window);
    result.rest = from.getLong();
    return result;
  }

  void write(ByteBuffer to) {
    to.putInt(vector).putInt(error).putLong(cr2).putLong(rip).putLong(rflags);
    for (long value : gpr) {
      to.putLong(value);
    }
    to.put(fx).put(window).putLong(rest);
  }
}
