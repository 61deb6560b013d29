package io.trapscope.cli;

import java.util.Collection;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParseResult;

/**
 * The options that a command line names, as against those that are left at their defaults: one that
 * could do nothing beside the others is refused, not passed over.
 */
record GivenOptions(ParseResult parsed) {
  /** Those of the command that is being executed. */
  static GivenOptions of(CommandSpec spec) {
    return new GivenOptions(spec.commandLine().getParseResult());
  }

  /** Which of these are given. */
  List<String> among(Collection<String> options) {
    return options.stream().filter(parsed::hasMatchedOption).toList();
  }

  /** Whether one of these is. */
  boolean any(String... options) {
    return !among(List.of(options)).isEmpty();
  }
}
