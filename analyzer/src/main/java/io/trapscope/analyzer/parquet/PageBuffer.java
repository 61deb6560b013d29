package io.trapscope.analyzer.parquet;

import java.util.Arrays;

/**
 * The bytes of a page while it is put together: little-endian numbers and Parquet's hybrid of
 * run-length and bit-packed integers (parquet-format, "Encodings.md", "Run Length Encoding /
 * Bit-Packing Hybrid").
 */
final class PageBuffer {
  private static final int GROUP = 8;

  private byte[] bytes = new byte[1 << 16];
  private int end;

  byte[] bytes() {
    return bytes;
  }

  int size() {
    return end;
  }

  void clear() {
    end = 0;
  }

  void putByte(int value) {
    room(1);
    bytes[end++] = (byte) value;
  }

  void putInt(int value) {
    room(Integer.BYTES);
    setInt(end, value);
    end += Integer.BYTES;
  }

  void putLong(long value) {
    putInt((int) value);
    putInt((int) (value >>> Integer.SIZE));
  }

  /** Overwrites four bytes that were put before. */
  void setInt(int at, int value) {
    for (int i = 0; i < Integer.BYTES; i++) {
      bytes[at + i] = (byte) (value >>> (Byte.SIZE * i));
    }
  }

  void put(byte[] source, int from, int length) {
    room(length);
    System.arraycopy(source, from, bytes, end, length);
    end += length;
  }

  /** {@code count} times one value that takes {@code width} bits. */
  void putRun(int count, int value, int width) {
    putVarint(count << 1);
    for (int shift = 0; shift < width; shift += Byte.SIZE) {
      putByte(value >>> shift);
    }
  }

  /** Values of one bit each, 64 a word, lowest first. */
  void putBits(long[] words, int count) {
    int groups = (count + GROUP - 1) / GROUP;
    putVarint(groups << 1 | 1);
    for (int group = 0; group < groups; group++) {
      putByte((int) (words[group >> 3] >>> ((group & 7) * Byte.SIZE)));
    }
  }

  /** Values below 2^width: runs of eight or more as such, the rest bit-packed. */
  void putHybrid(long[] values, int count, int width) {
    int at = 0;
    while (at < count) {
      int run = runLength(values, at, count);
      if (run >= GROUP) {
        putRun(run, (int) values[at], width);
        at += run;
        continue;
      }
      int first = at;
      do {
        at += GROUP;
      } while (at < count && runLength(values, at, count) < GROUP);
      putPacked(values, first, Math.min(at, count), width);
    }
  }

  private static int runLength(long[] values, int from, int to) {
    int at = from + 1;
    while (at < to && values[at] == values[from]) {
      at++;
    }
    return at - from;
  }

  /** Whole groups of eight from {@code from} on; the last one is filled up with zeros. */
  private void putPacked(long[] values, int from, int to, int width) {
    int groups = (to - from + GROUP - 1) / GROUP;
    putVarint(groups << 1 | 1);
    long pending = 0;
    int bits = 0;
    for (int i = from; i < from + groups * GROUP; i++) {
      pending |= (i < to ? values[i] : 0) << bits;
      bits += width;
      while (bits >= Byte.SIZE) {
        putByte((int) pending);
        pending >>>= Byte.SIZE;
        bits -= Byte.SIZE;
      }
    }
  }

  private void putVarint(int value) {
    int rest = value;
    while ((rest & ~0x7f) != 0) {
      putByte(rest & 0x7f | 0x80);
      rest >>>= 7;
    }
    putByte(rest);
  }

  private void room(int needed) {
    if (bytes.length - end < needed) {
      bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, end + needed));
    }
  }
}
