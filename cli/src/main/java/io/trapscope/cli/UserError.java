package io.trapscope.cli;

import java.util.function.Supplier;

/**
 * Something the user can mend. The message is one line, complete in itself, and the process ends
 * with {@link #status}; no stack trace is shown.
 */
final class UserError extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int status;

  private UserError(int status, String message, Throwable cause) {
    super(message, cause);
    this.status = status;
  }

  /** An argument, file or trace that cannot be used: status 2. */
  static UserError badInput(String message) {
    return new UserError(ExitStatus.BAD_INPUT, message, null);
  }

  /** Bad input with what revealed it, for those who ask for details. */
  static UserError badInput(String message, Throwable cause) {
    return new UserError(ExitStatus.BAD_INPUT, message, cause);
  }

  /**
   * What an option's value means.
   *
   * @param option its name, which begins the message where the value is bad input
   */
  static <T> T of(String option, Supplier<T> meaning) {
    try {
      return meaning.get();
    } catch (IllegalArgumentException e) {
      throw badInput(option + ": " + e.getMessage(), e);
    }
  }

  /**
   * A place that cannot be written: the host's lack where it is full or limited, and otherwise the
   * choice of a folder that is absent, forbidden or something else.
   */
  static UserError unwritable(String message, Throwable cause) {
    for (Throwable at = cause; at != null; at = at.getCause()) {
      String reason = String.valueOf(at.getMessage());
      if (reason.contains("No space left")
          || reason.contains("quota exceeded")
          || reason.contains("File too large")) {
        return hostLacks(message, cause);
      }
    }
    return badInput(message, cause);
  }

  /** Something the host does not have or does not allow: status 3. */
  static UserError hostLacks(String message, Throwable cause) {
    return new UserError(ExitStatus.HOST_LACKS, message, cause);
  }

  /** One of {@link ExitStatus}. */
  int status() {
    return status;
  }
}
