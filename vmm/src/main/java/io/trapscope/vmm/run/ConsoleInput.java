package io.trapscope.vmm.run;

/**
 * Bytes on their way to the guest's console. The loop of vCPU 0 takes them before an entry, so that
 * a guest gets input at a point that the trace can name, and a replay can give it again there.
 */
public interface ConsoleInput {

  /** Whether bytes wait for a guest whose clock shows this time. Asked before every entry. */
  boolean isWaiting(long guestNanos);

  /**
   * When a halted guest goes on because bytes wait: a time of its clock, also one that has passed;
   * {@code Long.MAX_VALUE} where none wait.
   */
  long wakesAt();

  /** Whether anything can still come. */
  boolean isOpen();

  /** Copies up to {@code to.length} waiting bytes without taking them, and returns how many. */
  int peek(byte[] to);

  /** Takes the first {@code count} waiting bytes. */
  void take(int count);

  /** Sets what is called, from any thread, when bytes came or none will come any more. */
  void onChange(Runnable action);
}
