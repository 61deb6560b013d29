package io.trapscope.analyzer.arrow;

import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.ColumnType;
import io.trapscope.analyzer.table.RowBlock;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.util.List;
import org.apache.arrow.memory.ArrowBuf;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.vector.ipc.message.ArrowFieldNode;

/**
 * One column of one batch, written in place: a validity bitmap, values, and for bytes their
 * offsets. Layouts are those of the Arrow columnar format. Buffers stay for the whole file; {@link
 * #clear} returns to them what a batch left, so a null cell's value is 0 in every file.
 */
final class ColumnBuffers implements AutoCloseable {
  private static final int FIRST_HEAP_BYTES = 1 << 16;

  private final BufferAllocator allocator;
  private final boolean variable;
  private final boolean bits;
  private final boolean words;

  /** log2 of the bytes of a value. */
  private final int shift;

  private final ArrowBuf validityBuffer;
  private final ByteBuffer validity;

  /** Values; of a variable column the offsets. */
  private final ArrowBuf valueBuffer;

  private final ByteBuffer values;

  /** The same, where they have 64 bits. */
  private final LongBuffer longs;

  private ArrowBuf heapBuffer;
  private ByteBuffer heap;
  private int heapUsed;
  private int offsetsUpTo;

  /** Validity and, for BOOL, value bits of the 64 rows that are being filled. */
  private long presentWord;

  private long trueWord;
  private int present;

  /** Of a column of words the largest index so far. */
  private long largest;

  ColumnBuffers(Column column, int rows, BufferAllocator allocator) {
    this.allocator = allocator;
    this.variable = column.type() == ColumnType.BYTES;
    this.bits = column.type() == ColumnType.BOOL;
    this.words = column.type() == ColumnType.TEXT;
    int width = variable ? 32 : ArrowTypes.bits(column);
    this.shift = bits ? 0 : Integer.numberOfTrailingZeros(width / 8);
    long bitmapBytes = rows / 8;
    this.validityBuffer = allocator.buffer(bitmapBytes);
    this.validity = view(validityBuffer);
    long valueBytes = bits ? bitmapBytes : ((long) rows << shift) + (variable ? 4 : 0);
    this.valueBuffer = allocator.buffer(valueBytes);
    this.values = view(valueBuffer);
    this.longs = values.asLongBuffer();
    validityBuffer.setZero(0, validityBuffer.capacity());
    valueBuffer.setZero(0, valueBuffer.capacity());
    if (variable) {
      heapBuffer = allocator.buffer(FIRST_HEAP_BYTES);
      heap = view(heapBuffer);
    }
  }

  private static ByteBuffer view(ArrowBuf buffer) {
    return buffer.nioBuffer(0, Math.toIntExact(buffer.capacity())).order(ByteOrder.LITTLE_ENDIAN);
  }

  void number(int row, long value) {
    presentWord |= 1L << row;
    if (bits) {
      trueWord |= (value & 1) << row;
      return;
    }
    if (words) {
      largest = Math.max(largest, value);
    }
    switch (shift) {
      case 0 -> values.put(row, (byte) value);
      case 1 -> values.putShort(row << 1, (short) value);
      case 2 -> values.putInt(row << 2, (int) value);
      default -> values.putLong(row << 3, value);
    }
  }

  void bytes(int row, byte[] source, int from, int length) {
    presentWord |= 1L << row;
    fillOffsets(row);
    if (heap.capacity() - heapUsed < length) {
      growHeap(heapUsed + length);
    }
    heap.put(heapUsed, source, from, length);
    heapUsed += length;
  }

  /**
   * Takes a column of a block, all of whose rows before this one are full words of 64.
   *
   * @param row the first row, a multiple of 64
   */
  void append(int row, RowBlock.Cells cells, int rows) {
    long[] bitmap = cells.present();
    for (int word = 0; word < rows + 63 >> 6; word++) {
      validity.putLong((row >> 3) + (word << 3), bitmap[word]);
      present += Long.bitCount(bitmap[word]);
    }
    if (variable) {
      for (int i = 0; i < rows; i++) {
        if (cells.isPresent(i)) {
          bytes(row + i, cells.heap(), cells.bytesFrom(i), cells.bytesLength(i));
        }
      }
      presentWord = 0; // it is in the bitmap
    } else if (bits) {
      appendBits(row, cells.numbers(), rows);
    } else {
      if (words) {
        for (int i = 0; i < rows; i++) {
          largest = Math.max(largest, cells.numbers()[i]);
        }
      }
      appendNumbers(row, cells.numbers(), rows);
    }
  }

  private void appendBits(int row, long[] numbers, int rows) {
    for (int first = 0; first < rows; first += 64) {
      long word = 0;
      for (int i = first; i < Math.min(rows, first + 64); i++) {
        word |= (numbers[i] & 1) << i;
      }
      values.putLong((row + first) >> 3, word);
    }
  }

  private void appendNumbers(int row, long[] numbers, int rows) {
    switch (shift) {
      case 0 -> {
        byte[] narrow = new byte[rows];
        for (int i = 0; i < rows; i++) {
          narrow[i] = (byte) numbers[i];
        }
        values.put(row, narrow);
      }
      case 1 -> {
        short[] narrow = new short[rows];
        for (int i = 0; i < rows; i++) {
          narrow[i] = (short) numbers[i];
        }
        values
            .slice(row << 1, rows << 1)
            .order(ByteOrder.LITTLE_ENDIAN)
            .asShortBuffer()
            .put(narrow);
      }
      case 2 -> {
        int[] narrow = new int[rows];
        for (int i = 0; i < rows; i++) {
          narrow[i] = (int) numbers[i];
        }
        values.slice(row << 2, rows << 2).order(ByteOrder.LITTLE_ENDIAN).asIntBuffer().put(narrow);
      }
      default -> longs.put(row, numbers, 0, rows);
    }
  }

  /** Cells up to {@code row} that were not set are empty: their offsets are where the heap ends. */
  private void fillOffsets(int row) {
    while (offsetsUpTo <= row) {
      values.putInt(offsetsUpTo++ << 2, heapUsed);
    }
  }

  private void growHeap(int needed) {
    long size = Long.highestOneBit(Math.max(needed, FIRST_HEAP_BYTES)) * 2;
    ArrowBuf larger = allocator.buffer(Math.min(size, Integer.MAX_VALUE));
    larger.setBytes(0, heapBuffer, 0, heapUsed);
    heapBuffer.close();
    heapBuffer = larger;
    heap = view(larger);
  }

  /** The largest index in a column of words, of the batch's rows; -1 where every cell is null. */
  int largest() {
    return present == 0 ? -1 : (int) largest;
  }

  /** Bytes that a batch's variable part holds so far. */
  int heapBytes() {
    return heapUsed;
  }

  /** Stores the bits of the 64 rows from {@code firstRow} on, a multiple of 64. */
  void endWord(int firstRow) {
    if (presentWord == 0) {
      return;
    }
    validity.putLong(firstRow >> 3, presentWord);
    present += Long.bitCount(presentWord);
    presentWord = 0;
    if (bits) {
      values.putLong(firstRow >> 3, trueWord);
      trueWord = 0;
    }
  }

  /** Adds this column's node and buffers for a batch of {@code rows} rows. */
  void unload(int rows, List<ArrowFieldNode> nodes, List<ArrowBuf> buffers) {
    nodes.add(new ArrowFieldNode(rows, rows - present));
    buffers.add(filled(validityBuffer, bitmapBytes(rows)));
    if (variable) {
      fillOffsets(rows);
      buffers.add(filled(valueBuffer, (rows + 1L) << 2));
      buffers.add(filled(heapBuffer, heapUsed));
    } else {
      buffers.add(filled(valueBuffer, bits ? bitmapBytes(rows) : (long) rows << shift));
    }
  }

  private static long bitmapBytes(int rows) {
    return (rows + 7) / 8;
  }

  private static ArrowBuf filled(ArrowBuf buffer, long bytes) {
    return buffer.readerIndex(0).writerIndex(bytes);
  }

  /** Makes ready for the next batch. */
  void clear() {
    if (present > 0) {
      validityBuffer.setZero(0, validityBuffer.capacity());
      valueBuffer.setZero(0, valueBuffer.capacity());
    } else if (variable) {
      valueBuffer.setZero(0, valueBuffer.capacity());
    }
    present = 0;
    largest = 0;
    heapUsed = 0;
    offsetsUpTo = 0;
  }

  @Override
  public void close() {
    validityBuffer.close();
    valueBuffer.close();
    if (heapBuffer != null) {
      heapBuffer.close();
    }
  }
}
