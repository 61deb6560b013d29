package io.trapscope.cli;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * Turns SIGINT, SIGTERM and SIGHUP into a request to stop, and lets the command end as it would
 * have: trace closed, summary printed, its own exit status.
 *
 * <p>On such a signal the JVM runs its shutdown hooks and would then end with 128 + the signal's
 * number. The hook here asks the work to stop, waits until {@link #finished} tells the status, and
 * halts the JVM with it.
 */
final class StopOnSignal {
  private static final long PATIENCE_SECONDS = 60;
  private static final CountDownLatch FINISHED = new CountDownLatch(1);
  private static volatile int status;

  private final Thread hook;

  /**
   * Watches for signals until {@link #close}.
   *
   * @param stop called at most once, from another thread
   */
  StopOnSignal(Runnable stop) {
    hook = new Thread(() -> stopAndWait(stop), "stop-on-signal");
    Runtime.getRuntime().addShutdownHook(hook);
  }

  private static void stopAndWait(Runnable stop) {
    stop.run();
    try {
      if (FINISHED.await(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        Runtime.getRuntime().halt(status);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    System.err.println("trapscope: did not stop within " + PATIENCE_SECONDS + " s of the signal");
    Runtime.getRuntime().halt(ExitStatus.INTERNAL);
  }

  /** Tells the status with which the process would end now, after everything was printed. */
  static void finished(int exitStatus) {
    status = exitStatus;
    FINISHED.countDown();
  }

  /** Signals end the process as usual again. */
  void close() {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // A signal came: the hook is running and waits for finished().
    }
  }
}
