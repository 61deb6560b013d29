package io.trapscope.recorder.trace;

/** A trace cannot be made or opened. The message is one line for the user and names the path. */
public final class TraceException extends Exception {
  private static final long serialVersionUID = 1L;

  public TraceException(String message) {
    super(message);
  }

  public TraceException(String message, Throwable cause) {
    super(message, cause);
  }
}
