package io.trapscope.vmm.boot;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** Assembles ACPI machine language: the few terms that our DSDT needs (ACPI 6.4, chapter 20). */
final class Aml {
  private static final int ZERO_OP = 0x00;
  private static final int ONE_OP = 0x01;
  private static final int NAME_OP = 0x08;
  private static final int BYTE_PREFIX = 0x0a;
  private static final int WORD_PREFIX = 0x0b;
  private static final int DWORD_PREFIX = 0x0c;
  private static final int SCOPE_OP = 0x10;
  private static final int BUFFER_OP = 0x11;
  private static final int PACKAGE_OP = 0x12;
  private static final int EXT_OP = 0x5b;
  private static final int DEVICE_OP = 0x82;

  private Aml() {}

  /** Joins terms. */
  static byte[] join(byte[]... parts) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      out.writeBytes(part);
    }
    return out.toByteArray();
  }

  private static byte[] bytes(int... values) {
    byte[] out = new byte[values.length];
    for (int i = 0; i < values.length; i++) {
      out[i] = (byte) values[i];
    }
    return out;
  }

  /** A name string: segments of four characters, {@code \} for the root. */
  private static byte[] nameString(String name) {
    return name.getBytes(StandardCharsets.US_ASCII);
  }

  /** PkgLength of a body (section 20.2.4): its own bytes count. */
  private static byte[] lengthOf(int body) {
    if (body + 1 < 0x40) {
      return bytes(body + 1);
    }
    int bytes = body + 2 < 0x1000 ? 2 : 3;
    int length = body + bytes;
    int lead = bytes - 1 << 6 | length & 15;
    return bytes == 2 ? bytes(lead, length >> 4) : bytes(lead, length >> 4, length >> 12);
  }

  static byte[] integer(long value) {
    if (value == 0) {
      return bytes(ZERO_OP);
    }
    if (value == 1) {
      return bytes(ONE_OP);
    }
    int v = (int) value;
    if (value < 0x100) {
      return bytes(BYTE_PREFIX, v);
    }
    if (value < 0x1_0000) {
      return bytes(WORD_PREFIX, v, v >> 8);
    }
    return bytes(DWORD_PREFIX, v, v >> 8, v >> 16, v >> 24);
  }

  /** {@code Name (name, value)}. */
  static byte[] name(String name, byte[] value) {
    return join(bytes(NAME_OP), nameString(name), value);
  }

  /** {@code Package () {...}}. */
  static byte[] packageOf(byte[]... elements) {
    byte[] body = join(bytes(elements.length), join(elements));
    return join(bytes(PACKAGE_OP), lengthOf(body.length), body);
  }

  /** {@code Buffer () {...}}. */
  static byte[] buffer(byte[] content) {
    byte[] body = join(integer(content.length), content);
    return join(bytes(BUFFER_OP), lengthOf(body.length), body);
  }

  /** {@code Scope (name) {...}}. */
  static byte[] scope(String name, byte[]... terms) {
    byte[] body = join(nameString(name), join(terms));
    return join(bytes(SCOPE_OP), lengthOf(body.length), body);
  }

  /** {@code Device (name) {...}}. */
  static byte[] device(String name, byte[]... terms) {
    byte[] body = join(nameString(name), join(terms));
    return join(bytes(EXT_OP, DEVICE_OP), lengthOf(body.length), body);
  }

  /** {@code EisaId ("PNP0501")}: three letters of 5 bits and four hexadecimal digits. */
  static byte[] eisaId(String id) {
    int letters = id.charAt(0) - '@' << 10 | id.charAt(1) - '@' << 5 | id.charAt(2) - '@';
    int digits = Integer.parseInt(id.substring(3), 16);
    return bytes(DWORD_PREFIX, letters >> 8, letters, digits >> 8, digits);
  }

  /** {@code IO (Decode16, base, base, 1, length)} (section 6.4.2.5). */
  static byte[] io(int base, int length) {
    return bytes(0x47, 1, base, base >> 8, base, base >> 8, 1, length);
  }

  /** {@code IRQNoFlags () {irq}}: edge-triggered, active high (section 6.4.2.1). */
  static byte[] irq(int irq) {
    return bytes(0x22, 1 << irq, 1 << irq >> 8);
  }

  /** {@code WordBusNumber} or {@code WordIO}: a window that the device passes on (6.4.3.5.3). */
  static byte[] wordWindow(int type, int flags, int first, int last) {
    int length = last - first + 1;
    return join(
        bytes(0x88, 0x0d, 0, type, 0x0c, flags, 0, 0, first, first >> 8, last, last >> 8, 0, 0),
        bytes(length, length >> 8));
  }

  /** {@code DWordMemory}: a window, not cacheable, read and write (section 6.4.3.5.2). */
  static byte[] memoryWindow(long first, long last) {
    long length = last - first + 1;
    return join(
        bytes(0x87, 0x17, 0, 0, 0x0c, 1),
        dword(0),
        dword(first),
        dword(last),
        dword(0),
        dword(length));
  }

  private static byte[] dword(long value) {
    int v = (int) value;
    return bytes(v, v >> 8, v >> 16, v >> 24);
  }

  /** {@code ResourceTemplate () {...}} with its end tag. */
  static byte[] resources(byte[]... descriptors) {
    return buffer(join(join(descriptors), bytes(0x79, 0)));
  }
}
