package io.trapscope.vmm.run;

/** Console input as it is typed: any thread offers bytes, the loop of vCPU 0 takes them. */
public final class TypedInput implements ConsoleInput {
  private byte[] bytes = new byte[256];
  private int start;
  private int end;
  private boolean closed;
  private Runnable wake = () -> {};

  /** Read at every entry; set with the bytes, under the lock. */
  private volatile boolean waiting;

  /** Adds bytes; the guest gets them as soon as it can. */
  public void offer(byte[] from, int offset, int length) {
    if (length == 0) {
      return;
    }
    Runnable waker;
    synchronized (this) {
      if (end + length > bytes.length) {
        byte[] larger = new byte[Math.max(bytes.length, 2 * (end - start + length))];
        System.arraycopy(bytes, start, larger, 0, end - start);
        bytes = larger;
        end -= start;
        start = 0;
      }
      System.arraycopy(from, offset, bytes, end, length);
      end += length;
      waiting = true;
      waker = wake;
    }
    waker.run();
  }

  /** Nothing more will come: a guest that only waits for input ends its run. */
  public void close() {
    Runnable waker;
    synchronized (this) {
      closed = true;
      waker = wake;
    }
    waker.run();
  }

  @Override
  public boolean isWaiting(long guestNanos) {
    return waiting;
  }

  @Override
  public long wakesAt() {
    return waiting ? 0 : Long.MAX_VALUE;
  }

  @Override
  public synchronized boolean isOpen() {
    return !closed || waiting;
  }

  @Override
  public synchronized void onChange(Runnable action) {
    wake = action;
  }

  @Override
  public synchronized int peek(byte[] to) {
    int count = Math.min(to.length, end - start);
    System.arraycopy(bytes, start, to, 0, count);
    return count;
  }

  @Override
  public synchronized void take(int count) {
    start += count;
    if (start == end) {
      start = 0;
      end = 0;
      waiting = false;
    }
  }
}
