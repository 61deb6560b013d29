package io.trapscope.vmm.soft.differential;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * An initial state and instructions to run from it. The layout of memory and of the record is that
 * of {@code oracle.c}.
 */
final class TestCase {
  static final long CODE = 0x1000_0000L;
  static final long DATA = 0x2000_0000L;
  static final int PAGE = 4096;
  static final int FX_BYTES = 512;
  static final int WINDOW_BYTES = 768;
  static final int MAX_CODE = 256;
  static final int BYTES = 16 + 16 * 8 + 8 + FX_BYTES + WINDOW_BYTES + MAX_CODE;

  /** RFLAGS bits that a case may start with: CF PF AF ZF SF DF OF, and the fixed 1 and IF. */
  static final long FLAGS = 0xCD7;

  String family = "";

  /** 64 or 32. */
  int mode = 64;

  /** Offset of the code from {@link #CODE}. */
  int codeStart = 0x100;

  final long[] gpr = new long[16];
  long rflags = 0x202;

  /** FXSAVE64 image. */
  byte[] fx = new byte[FX_BYTES];

  /** 256 bytes before and 256 after the border of the data pages, and the last 256. */
  byte[] window = new byte[WINDOW_BYTES];

  List<byte[]> instructions = new ArrayList<>();

  /** What each instruction does to the flags; parallel to {@link #instructions}, or empty. */
  List<FlagEffect> effects = new ArrayList<>();

  /**
   * @param sets flags that are defined after the instruction, whatever they were before
   * @param undefined flags that the SDM leaves open
   */
  record FlagEffect(int sets, int undefined) {}

  /** Whether and where it faults is up to the processor: #GP and #PF are not compared. */
  boolean looseFault;

  /** Some results are approximations: compared with tolerance. */
  boolean approximate;

  TestCase() {
    ByteBuffer image = ByteBuffer.wrap(fx).order(ByteOrder.LITTLE_ENDIAN);
    image.putShort(0, (short) 0x37F);
    image.putInt(24, 0x1F80);
  }

  TestCase copy() {
    TestCase copy = new TestCase();
    copy.family = family;
    copy.mode = mode;
    copy.codeStart = codeStart;
    System.arraycopy(gpr, 0, copy.gpr, 0, 16);
    copy.rflags = rflags;
    copy.fx = fx.clone();
    copy.window = window.clone();
    copy.instructions = new ArrayList<>(instructions);
    copy.effects = new ArrayList<>(effects);
    copy.looseFault = looseFault;
    copy.approximate = approximate;
    return copy;
  }

  /** The same case with one instruction less. */
  TestCase without(int index) {
    TestCase copy = copy();
    copy.instructions.remove(index);
    if (!effects.isEmpty()) {
      copy.effects.remove(index);
    }
    return copy;
  }

  byte[] code() {
    int length = 0;
    for (byte[] i : instructions) {
      length += i.length;
    }
    byte[] code = new byte[length];
    int at = 0;
    for (byte[] i : instructions) {
      System.arraycopy(i, 0, code, at, i.length);
      at += i.length;
    }
    return code;
  }

  /**
   * Flags that are undefined when the case has stopped at {@code rip}. Where that is none of its
   * instructions, nor the INT3 after them, it has changed its own code: all that any leaves open.
   */
  int undefinedFlags(long rip) {
    int undefined = 0;
    int any = 0;
    long at = CODE + codeStart;
    for (int i = 0; i < effects.size() && at != rip; i++) {
      undefined = undefined & ~effects.get(i).sets | effects.get(i).undefined;
      any |= effects.get(i).undefined;
      at += instructions.get(i).length;
    }
    boolean known = effects.size() < instructions.size() || rip == at || rip == at + 1;
    return known ? undefined : any;
  }

  /** The instruction that starts at {@code rip}; empty where none of the case does. */
  byte[] instructionAt(long rip) {
    long at = CODE + codeStart;
    for (byte[] instruction : instructions) {
      if (at == rip) {
        return instruction;
      }
      at += instruction.length;
    }
    return new byte[0];
  }

  /** Appends the record that {@code oracle.c} reads. */
  void write(ByteBuffer to) {
    byte[] code = code();
    to.putInt(mode).putInt(codeStart).putInt(code.length).putInt(0);
    for (long value : gpr) {
      to.putLong(value);
    }
    to.putLong(rflags).put(fx).put(window).put(code).put(new byte[MAX_CODE - code.length]);
  }

  ByteBuffer fxBuffer() {
    return ByteBuffer.wrap(fx).order(ByteOrder.LITTLE_ENDIAN);
  }
}
