package io.trapscope.vmm.hypervisor;

/**
 * The host lacks or refused something that running a guest needs. The message is one line for the
 * user.
 */
public class HypervisorException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public HypervisorException(String message) {
    super(message);
  }

  public HypervisorException(String message, Throwable cause) {
    super(message, cause);
  }
}
