package io.trapscope.vmm.kvm;

/** Waiting for a thread of this package. */
final class Threads {
  private Threads() {}

  /**
   * Waits until it has ended, whatever happens meanwhile; an interruption is kept for the caller.
   */
  static void awaitEnd(Thread thread) {
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
