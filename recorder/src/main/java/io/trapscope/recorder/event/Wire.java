package io.trapscope.recorder.event;

/**
 * How a field lies in a record. All numbers are unsigned and little-endian. A field starts at a
 * multiple of its own width, but of 4 bytes at most: records are multiples of 4 bytes.
 */
public enum Wire {
  /** Half a byte; two in a row share one, the first in the low half. */
  NIBBLE(0, 4),
  U8(1, 8),
  U16(2, 16),
  U32(4, 32),
  U64(8, 64),
  /** 32 bits that count from the batch's base time or base instruction count; see TraceFormat. */
  SINCE_BASE(4, 64),
  /**
   * Bytes, up to {@link EventWriter#MAX_DATA} of them. They take no room among the other fields:
   * the record ends with the bytes, padding, and their number as 16 bits, together a multiple of 4.
   */
  BYTES(0, 0),
  /** Takes no room: follows from the batch or from another field. */
  DERIVED(0, 64);

  private final int bytes;
  private final int bits;

  Wire(int bytes, int bits) {
    this.bytes = bytes;
    this.bits = bits;
  }

  /** Bytes in the fixed part of a record; 0 for half a byte and for nothing. */
  public int bytes() {
    return bytes;
  }

  /** Bits of the value that {@link EventReader#get} returns; 0 for bytes. */
  public int bits() {
    return bits;
  }
}
