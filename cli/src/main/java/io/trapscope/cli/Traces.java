package io.trapscope.cli;

import io.trapscope.recorder.trace.TraceException;
import io.trapscope.recorder.trace.TraceReader;
import java.nio.file.Path;

/** Opens traces for the subcommands that read them. */
final class Traces {
  private Traces() {}

  /**
   * Opens a trace.
   *
   * @throws UserError where there is none or it cannot be read
   */
  static TraceReader open(Path directory) {
    try {
      return TraceReader.open(directory);
    } catch (TraceException e) {
      throw UserError.badInput(e.getMessage(), e);
    }
  }
}
