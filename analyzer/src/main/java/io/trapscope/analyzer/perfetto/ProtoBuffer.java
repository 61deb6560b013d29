package io.trapscope.analyzer.perfetto;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Messages in the protobuf wire format (protobuf.dev, "Encoding"): a tag, then a varint, eight
 * bytes, or a length and that many bytes. The buffer is reused; nothing is allocated a message.
 */
final class ProtoBuffer {
  private static final int VARINT = 0;
  private static final int FIXED64 = 1;
  private static final int BYTES = 2;
  private static final int TYPE_BITS = 3;
  private static final int LONGEST_VARINT = 10;

  private byte[] bytes = new byte[1 << 16];
  private int end;

  int size() {
    return end;
  }

  /** What was put since the last call, to be written before the next put. */
  ByteBuffer drain() {
    ByteBuffer all = ByteBuffer.wrap(bytes, 0, end);
    end = 0;
    return all;
  }

  /** A field of an integer, enum or flag; negative numbers take ten bytes. */
  ProtoBuffer put(int field, long value) {
    tag(field, VARINT);
    varint(value);
    return this;
  }

  ProtoBuffer putDouble(int field, double value) {
    tag(field, FIXED64);
    room(Long.BYTES);
    long bits = Double.doubleToRawLongBits(value);
    for (int i = 0; i < Long.BYTES; i++) {
      bytes[end++] = (byte) (bits >>> (Byte.SIZE * i));
    }
    return this;
  }

  ProtoBuffer put(int field, String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    tag(field, BYTES);
    varint(utf8.length);
    room(utf8.length);
    System.arraycopy(utf8, 0, bytes, end, utf8.length);
    end += utf8.length;
    return this;
  }

  /** Begins a message in a field; returns what {@link #end} wants. */
  int begin(int field) {
    tag(field, BYTES);
    return end;
  }

  /** Ends a message: its length goes before it. */
  void end(int begin) {
    int length = end - begin;
    int shift = 1;
    for (int rest = length >>> 7; rest != 0; rest >>>= 7) {
      shift++;
    }
    room(shift);
    System.arraycopy(bytes, begin, bytes, begin + shift, length);
    end = begin;
    varint(length);
    end += length;
  }

  private void tag(int field, int type) {
    varint((long) field << TYPE_BITS | type);
  }

  private void varint(long value) {
    room(LONGEST_VARINT);
    long rest = value;
    while ((rest & ~0x7fL) != 0) {
      bytes[end++] = (byte) (rest & 0x7f | 0x80);
      rest >>>= 7;
    }
    bytes[end++] = (byte) rest;
  }

  private void room(int needed) {
    if (bytes.length - end < needed) {
      bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, end + needed));
    }
  }
}
