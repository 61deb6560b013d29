package io.trapscope.vmm.boot;

/** An image cannot be booted on this machine. The message is one line for the user. */
public class BootException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public BootException(String message) {
    super(message);
  }

  public BootException(String message, Throwable cause) {
    super(message, cause);
  }
}
