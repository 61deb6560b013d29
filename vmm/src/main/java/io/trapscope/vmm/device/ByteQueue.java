package io.trapscope.vmm.device;

import java.util.Arrays;

/** A first-in first-out queue of bytes that grows as needed and allocates only then. */
final class ByteQueue {
  private byte[] bytes;
  private int head;
  private int size;

  ByteQueue(int capacity) {
    bytes = new byte[capacity];
  }

  int size() {
    return size;
  }

  void clear() {
    head = 0;
    size = 0;
  }

  void add(int value) {
    if (size == bytes.length) {
      byte[] larger = Arrays.copyOfRange(bytes, head, head + 2 * size);
      System.arraycopy(bytes, 0, larger, size - head, head);
      bytes = larger;
      head = 0;
    }
    bytes[(head + size) % bytes.length] = (byte) value;
    size++;
  }

  /** Removes the oldest byte, 0 to 255. Requires one to be there. */
  int remove() {
    int value = bytes[head] & 0xff;
    head = (head + 1) % bytes.length;
    size--;
    return value;
  }
}
