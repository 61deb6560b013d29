package io.trapscope.cli;

import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Prints the completion script. One script serves both bash and zsh. */
@Command(
    name = "completion",
    mixinStandardHelpOptions = true,
    description = "Prints a completion script for bash and zsh: source <(trapscope completion)")
final class CompletionCommand implements Callable<Integer> {
  private static final Pattern VALUES =
      Pattern.compile("(?<=_option_args=\\()(\"[A-Z_]+\" ?)+(?=\\))");

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    PrintWriter out = spec.commandLine().getOut();
    out.print(inLowerCase(AutoComplete.bash("trapscope", spec.root().commandLine())));
    out.flush();
    return ExitStatus.DONE;
  }

  /** Values of options that are constants of ours, as users write them. */
  private static String inLowerCase(String script) {
    return VALUES.matcher(script).replaceAll(values -> values.group().toLowerCase(Locale.ROOT));
  }
}
