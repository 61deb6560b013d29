package io.trapscope.cli;

import java.io.PrintStream;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/**
 * A bar on stderr while a trace is read and files of it are written, for whoever sits at a
 * terminal: how far it is and how long it will take at this pace.
 *
 * <pre>
 * [##########..............]  42 %, writing the page, about 12 s left
 * </pre>
 */
final class ReadingProgress implements AutoCloseable {
  private static final int WIDTH = 24;

  private final PrintStream err;

  /** The line on the terminal; null while nothing is shown. */
  private Progress line;

  /** What is being done, and how far it is; replaced as a whole, since another thread shows it. */
  private record State(String what, long start, long done, long all) {}

  private volatile State state = new State("", System.nanoTime(), 0, 1);

  ReadingProgress(PrintStream err) {
    this.err = err;
  }

  /** Something new begins, and is shown until it is over. */
  void begin(String what) {
    state = new State(what, System.nanoTime(), 0, 1);
    if (line == null) {
      line = new Progress(err, Terminals.isTerminal(Terminals.STDERR), this::text);
    }
  }

  /** So much of it is done. */
  void at(long done, long all) {
    State now = state;
    state = new State(now.what, now.start, done, Math.max(1, all));
  }

  String text() {
    State now = state;
    return text(now.what, now.done, now.all, System.nanoTime() - now.start);
  }

  /** The bar of a moment. */
  static String text(String what, long done, long all, long nanos) {
    double share = Math.min(1, (double) done / all);
    int full = (int) (share * WIDTH);
    String bar = "#".repeat(full) + ".".repeat(WIDTH - full);
    String text = String.format(Locale.ROOT, "[%s] %3.0f %%, %s", bar, 100 * share, what);
    // At the very beginning nobody can tell.
    if (share < 0.02) {
      return text;
    }
    long left = Math.round(nanos * (1 - share) / share / TimeUnit.SECONDS.toNanos(1));
    return String.format(Locale.ROOT, "%s, about %,d s left", text, left);
  }

  /**
   * Takes the line away, so that something else can be shown; another {@link #begin} may follow.
   */
  @Override
  public void close() {
    if (line != null) {
      line.close();
      line = null;
    }
  }
}
