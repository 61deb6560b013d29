package io.trapscope.vmm.fetch;

/** A guest could not be fetched. The message is one line for the user. */
public class FetchException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public FetchException(String message) {
    super(message);
  }

  public FetchException(String message, Throwable cause) {
    super(message, cause);
  }
}
