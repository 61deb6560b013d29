package io.trapscope.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;

/**
 * The guest's console on one of our own streams. A console that cannot be written must not end the
 * run, so failures are the IOExceptions that the machine takes note of.
 */
final class ConsoleStream extends OutputStream {
  private final PrintStream out;

  ConsoleStream(PrintStream out) {
    this.out = out;
  }

  @Override
  public void write(int b) throws IOException {
    try {
      out.write(b);
    } catch (StandardOutput.Closed | UserError e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  @Override
  public void flush() throws IOException {
    try {
      out.flush();
    } catch (StandardOutput.Closed | UserError e) {
      throw new IOException(e.getMessage(), e);
    }
  }
}
