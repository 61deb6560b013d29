package io.trapscope.vmm.soft.differential;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;

/**
 * A case and its result as one line of text. What is not named is 0, or the default of {@link
 * TestCase}; on the right of the arrow, what is not named is as before.
 *
 * <pre>
 *   64 start=100 code=48f7f1 rax=7 rcx=2 =&gt; vector=3 rip=4 rax=3 rdx=1
 *
 *   flags fcw fsw ftw mxcsr   in hexadecimal, as all numbers
 *   st0=3fff:8000000000000000  xmm1=HIGH:LOW
 *   mem100=0102               bytes from offset 0x100 of the 768 bytes of windows
 *   rip                       relative to the first byte of the code
 *   undefined                 flags that are not compared
 * </pre>
 */
final class CaseText {
  private static final List<String> GPR =
      List.of(
          "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12",
          "r13", "r14", "r15");
  private static final HexFormat HEX = HexFormat.of();

  /** A case with what the host made of it. */
  record Recorded(TestCase test, TestResult expected) {}

  private CaseText() {}

  // ---- writing -------------------------------------------------------------------------------

  static String format(TestCase test, TestResult result) {
    StringBuilder text = new StringBuilder();
    text.append(test.mode).append(" code=");
    for (int i = 0; i < test.instructions.size(); i++) {
      text.append(i == 0 ? "" : "|").append(HEX.formatHex(test.instructions.get(i)));
    }
    TestCase plain = new TestCase();
    put(text, "start", test.codeStart, plain.codeStart);
    state(text, test.gpr, test.rflags, test.fx, test.window, plain);
    text.append(" =>");
    put(text, "vector", result.vector, -1);
    put(text, "error", result.error, 0);
    put(text, "cr2", result.vector == 14 ? result.cr2 : 0, 0);
    put(text, "rip", result.rip - TestCase.CODE - test.codeStart, -1);
    put(text, "undefined", test.undefinedFlags(result.rip), 0);
    long flags = result.rflags & ~0x10000L;
    state(text, result.gpr, flags, result.fx, result.window, test);
    return text.toString();
  }

  private static void put(StringBuilder text, String name, long value, long normal) {
    if (value != normal) {
      text.append(' ').append(name).append('=').append(Long.toHexString(value));
    }
  }

  private static void state(
      StringBuilder text, long[] gpr, long rflags, byte[] fx, byte[] window, TestCase before) {
    for (int i = 0; i < 16; i++) {
      put(text, GPR.get(i), gpr[i], before.gpr[i]);
    }
    put(text, "flags", rflags, before.rflags);
    ByteBuffer now = ByteBuffer.wrap(fx).order(ByteOrder.LITTLE_ENDIAN);
    ByteBuffer then = before.fxBuffer();
    put(text, "fcw", now.getShort(0) & 0xFFFF, then.getShort(0) & 0xFFFF);
    put(text, "fsw", now.getShort(2) & 0xFFFF, then.getShort(2) & 0xFFFF);
    put(text, "ftw", now.get(4) & 0xFF, then.get(4) & 0xFF);
    put(text, "mxcsr", now.getInt(24), then.getInt(24));
    for (int i = 0; i < 24; i++) {
      int at = 32 + 16 * i;
      long low = now.getLong(at);
      long high = i < 8 ? now.getShort(at + 8) & 0xFFFF : now.getLong(at + 8);
      long lowBefore = then.getLong(at);
      long highBefore = i < 8 ? then.getShort(at + 8) & 0xFFFF : then.getLong(at + 8);
      if (low != lowBefore || high != highBefore) {
        String name = i < 8 ? "st" + i : "xmm" + (i - 8);
        text.append(String.format(" %s=%x:%x", name, high, low));
      }
    }
    memory(text, window, before.window);
  }

  private static void memory(StringBuilder text, byte[] now, byte[] before) {
    for (int at = 0; at < now.length; at++) {
      if (now[at] != before[at]) {
        int end = at;
        while (end < now.length && now[end] != before[end]) {
          end++;
        }
        text.append(String.format(" mem%x=%s", at, HEX.formatHex(now, at, end)));
        at = end;
      }
    }
  }

  // ---- reading -------------------------------------------------------------------------------

  static Recorded parse(String line) {
    String[] sides = line.split(" => ");
    TestCase test = new TestCase();
    String[] words = sides[0].trim().split("\\s+");
    test.mode = Integer.parseInt(words[0]);
    for (int i = 1; i < words.length; i++) {
      setInitial(test, name(words[i]), value(words[i]));
    }
    TestResult result = new TestResult();
    System.arraycopy(test.gpr, 0, result.gpr, 0, 16);
    System.arraycopy(test.fx, 0, result.fx, 0, test.fx.length);
    System.arraycopy(test.window, 0, result.window, 0, test.window.length);
    result.rflags = test.rflags;
    for (String word : sides[1].trim().split("\\s+")) {
      setExpected(test, result, name(word), value(word));
    }
    return new Recorded(test, result);
  }

  private static String name(String word) {
    return word.substring(0, word.indexOf('='));
  }

  private static String value(String word) {
    return word.substring(word.indexOf('=') + 1);
  }

  private static long number(String hex) {
    return Long.parseUnsignedLong(hex, 16);
  }

  private static void setInitial(TestCase test, String name, String value) {
    if (name.equals("code")) {
      for (String instruction : value.split("\\|")) {
        test.instructions.add(HEX.parseHex(instruction));
      }
    } else if (name.equals("start")) {
      test.codeStart = (int) number(value);
    } else if (name.equals("flags")) {
      test.rflags = number(value);
    } else {
      setState(test.gpr, test.fx, test.window, name, value);
    }
  }

  private static void setExpected(TestCase test, TestResult result, String name, String value) {
    switch (name) {
      case "vector" -> result.vector = (int) number(value);
      case "error" -> result.error = (int) number(value);
      case "cr2" -> result.cr2 = number(value);
      case "rip" -> result.rip = TestCase.CODE + test.codeStart + number(value);
      case "undefined" -> {
        test.effects = new ArrayList<>();
        test.effects.add(new TestCase.FlagEffect(0, (int) number(value)));
      }
      case "flags" -> result.rflags = number(value);
      default -> setState(result.gpr, result.fx, result.window, name, value);
    }
  }

  private static void setState(long[] gpr, byte[] fx, byte[] window, String name, String value) {
    ByteBuffer image = ByteBuffer.wrap(fx).order(ByteOrder.LITTLE_ENDIAN);
    if (GPR.contains(name)) {
      gpr[GPR.indexOf(name)] = number(value);
      return;
    }
    switch (name) {
      case "fcw" -> image.putShort(0, (short) number(value));
      case "fsw" -> image.putShort(2, (short) number(value));
      case "ftw" -> image.put(4, (byte) number(value));
      case "mxcsr" -> image.putInt(24, (int) number(value));
      default -> {
        if (name.startsWith("mem")) {
          byte[] bytes = HEX.parseHex(value);
          System.arraycopy(bytes, 0, window, (int) number(name.substring(3)), bytes.length);
        } else {
          setRegister(image, name.toLowerCase(Locale.ROOT), value);
        }
      }
    }
  }

  private static void setRegister(ByteBuffer image, String name, String value) {
    boolean vector = name.startsWith("xmm");
    int n = Integer.parseInt(name.substring(vector ? 3 : 2));
    int at = vector ? 160 + 16 * n : 32 + 16 * n;
    String[] parts = value.split(":");
    image.putLong(at, number(parts[1]));
    if (vector) {
      image.putLong(at + 8, number(parts[0]));
    } else {
      image.putShort(at + 8, (short) number(parts[0]));
    }
  }
}
