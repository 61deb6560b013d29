package io.trapscope.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.util.function.Supplier;

/**
 * A line on stderr that is rewritten twice a second while a guest runs. Where the guest's console
 * shows on the same terminal the line is taken away before the guest writes, and comes back only
 * when the guest has ended its own line.
 *
 * <p>This is not a progress bar: nobody knows how long a guest will run.
 */
final class Progress implements AutoCloseable {
  private static final long PERIOD_MILLIS = 500;
  private static final String ERASE_LINE = "\r\033[K";

  private final PrintStream err;
  private final Supplier<String> text;
  private final Thread thread;
  private boolean shown;
  private boolean insideGuestLine;
  private boolean closed;

  /**
   * Starts showing.
   *
   * @param visible whether stderr is a terminal; where not, nothing is ever shown
   * @param text the line, asked for from another thread
   */
  Progress(PrintStream err, boolean visible, Supplier<String> text) {
    this.err = err;
    this.text = text;
    this.thread = new Thread(this::show, "progress");
    thread.setDaemon(true);
    if (visible) {
      thread.start();
    }
  }

  private void show() {
    try {
      while (true) {
        Thread.sleep(PERIOD_MILLIS);
        synchronized (this) {
          if (closed) {
            return;
          }
          if (!insideGuestLine) {
            err.print(ERASE_LINE + text.get());
            err.flush();
            shown = true;
          }
        }
      }
    } catch (InterruptedException e) {
      // Closed.
    }
  }

  /** The guest's console, which takes the line away before it writes to {@code out}. */
  OutputStream before(OutputStream out) {
    return new OutputStream() {
      @Override
      public void write(int b) throws IOException {
        synchronized (Progress.this) {
          erase();
          insideGuestLine = b != '\n';
          out.write(b);
        }
      }

      @Override
      public void flush() throws IOException {
        out.flush();
      }
    };
  }

  private void erase() {
    if (shown) {
      err.print(ERASE_LINE);
      err.flush();
      shown = false;
    }
  }

  /** Takes the line away for good. */
  @Override
  public void close() {
    synchronized (this) {
      closed = true;
      erase();
    }
    thread.interrupt();
  }
}
