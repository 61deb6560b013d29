package io.trapscope.analyzer.symbols;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Kernel images that carry symbols, made as scripts/kallsyms.c of several kernels makes them, but
 * that each token stands for one letter; two of them stand for more.
 */
final class KallsymsImage {
  /** Where the tables of a kernel lie, and what its offsets mean. */
  enum Layout {
    /** Linux 4.20 to 6.3, several processors: per-CPU symbols as they are, others from the top. */
    BEFORE_PERCPU,
    /** The same for one processor: from the base up. */
    BEFORE,
    /** Linux 6.4 on: offsets behind the token index. */
    BEHIND
  }

  static final long BASE = 0xffff_ffff_8100_0000L;

  private final ByteBuffer image = ByteBuffer.allocate(1 << 20).order(ByteOrder.LITTLE_ENDIAN);

  private KallsymsImage() {}

  /**
   * An image with these symbols, each "Tname", at {@code BASE} and every 16 bytes from there.
   *
   * @param bigNames whether the first name has its length in two bytes
   */
  static ByteBuffer of(Layout layout, List<String> symbols, boolean bigNames) {
    KallsymsImage made = new KallsymsImage();
    made.image.position(4096);
    made.write(layout, symbols, bigNames);
    made.image.position(made.image.position() + 4096);
    return made.image.flip();
  }

  private void write(Layout layout, List<String> symbols, boolean bigNames) {
    if (layout != Layout.BEHIND) {
      offsets(layout, symbols.size());
    }
    image.putInt(symbols.size());
    align();
    final int names = image.position();
    int[] markers = new int[(symbols.size() + 255) / 256];
    for (int i = 0; i < symbols.size(); i++) {
      if (i % 256 == 0) {
        markers[i / 256] = image.position() - names;
      }
      byte[] name = tokens(symbols.get(i));
      if (bigNames && name.length >= 0x80) {
        image.put((byte) (0x80 | name.length & 0x7f)).put((byte) (name.length >> 7));
      } else {
        image.put((byte) name.length);
      }
      image.put(name);
    }
    align();
    for (int marker : markers) {
      image.putInt(marker);
    }
    align();
    tokenTable();
    if (layout == Layout.BEHIND) {
      offsets(layout, symbols.size());
    }
  }

  /** Token 1 stands for "serial", token 2 for "_out". */
  private static byte[] tokens(String name) {
    return name.replace("serial", "\001")
        .replace("_out", "\002")
        .getBytes(StandardCharsets.US_ASCII);
  }

  private void tokenTable() {
    final int start = image.position();
    int[] index = new int[256];
    for (int i = 0; i < 256; i++) {
      index[i] = image.position() - start;
      String text = i == 1 ? "serial" : i == 2 ? "_out" : i >= '!' && i < 127 ? "" + (char) i : "";
      image.put(text.getBytes(StandardCharsets.US_ASCII)).put((byte) 0);
    }
    align();
    for (int at : index) {
      image.putShort((short) at);
    }
    align();
  }

  private void offsets(Layout layout, int count) {
    for (int i = 0; i < count; i++) {
      boolean percpu = layout == Layout.BEFORE_PERCPU;
      image.putInt(percpu ? -1 - 16 * i : 16 * i);
    }
    align();
    image.putLong(BASE);
  }

  private void align() {
    image.position(image.position() + 7 & ~7);
  }
}
