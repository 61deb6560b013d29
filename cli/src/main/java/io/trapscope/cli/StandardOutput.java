package io.trapscope.cli;

import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/**
 * Standard output that tells when it cannot write. {@link PrintStream} swallows errors, so a full
 * disk would look like success and {@code dump | head} would run to the trace's end; here the first
 * ends in a {@link UserError} and the second in {@link Closed}.
 */
final class StandardOutput extends OutputStream {

  /** The reader of our output has gone. Ends the command quietly, as done. */
  static final class Closed extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Closed(IOException cause) {
      super(cause.getMessage(), cause);
    }
  }

  /**
   * Prints for a command that has more to do: where the reader has gone, what is left to print goes
   * nowhere, and the command goes on.
   */
  static void untilClosed(Runnable printing) {
    try {
      printing.run();
    } catch (Closed e) {
      // Whoever has gone has seen enough; files and the exit status are still wanted.
    }
  }

  private final OutputStream target;

  /** Set by the first failure, which is the one reported; what comes after goes nowhere. */
  private boolean failed;

  StandardOutput(OutputStream target) {
    this.target = target;
  }

  /** The process's standard output, buffered, UTF-8; the caller flushes it. */
  static PrintStream open() {
    OutputStream raw = new StandardOutput(new FileOutputStream(FileDescriptor.out));
    return new PrintStream(new BufferedOutputStream(raw, 1 << 16), false, StandardCharsets.UTF_8);
  }

  @Override
  public void write(int b) {
    write(new byte[] {(byte) b}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int offset, int length) {
    if (failed) {
      return;
    }
    try {
      target.write(bytes, offset, length);
    } catch (IOException e) {
      failed = true;
      if (String.valueOf(e.getMessage()).contains("Broken pipe")) {
        throw new Closed(e);
      }
      throw UserError.hostLacks("cannot write to standard output: " + e.getMessage(), e);
    }
  }
}
