package io.trapscope.cli;

import io.trapscope.vmm.boot.BootException;
import io.trapscope.vmm.fetch.FetchException;
import io.trapscope.vmm.hypervisor.HypervisorException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.ExecutionException;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * Entry of the command. Turns whatever a subcommand throws into one line on stderr and an exit
 * status; a stack trace appears only where {@value #DEBUG} is set in the environment.
 */
public final class Main {
  /** Environment variable that adds stack traces to error lines. */
  static final String DEBUG = "TRAPSCOPE_DEBUG";

  private static final int LEAST_HELP_WIDTH = 80;

  private Main() {}

  /** Runs the command and ends the process with its status. */
  public static void main(String[] args) {
    PrintStream out = StandardOutput.open();
    System.setOut(out);
    int status = run(args, out, System.err);
    StopOnSignal.finished(status);
    System.exit(status);
  }

  /** Runs the command and returns its exit status; what it prints goes to the two streams. */
  static int run(String[] args, PrintStream out, PrintStream err) {
    CommandLine command = TrapscopeCommand.parser(out, err, List.of(args));
    command.setOut(new PrintWriter(out, false, StandardCharsets.UTF_8));
    command.setErr(new PrintWriter(err, true, StandardCharsets.UTF_8));
    command.setParameterExceptionHandler((e, arguments) -> usageError(e, err));
    command.setExecutionStrategy(Main::execute);
    command.setExecutionExceptionHandler((e, failed, parsed) -> failure(e, failed, err));
    try {
      int status = command.execute(args);
      command.getOut().flush();
      out.flush();
      return status;
    } catch (StandardOutput.Closed e) {
      return ExitStatus.DONE;
    } catch (UserError e) {
      return failure(e, command, err);
    } catch (OutOfMemoryError e) {
      err.println(
          "trapscope: out of memory: give the guest less, or the JVM more with"
              + " TRAPSCOPE_JAVA_OPTS=-Xmx...");
      return ExitStatus.HOST_LACKS;
    }
  }

  /** Runs what was parsed, or prints a help: where that cannot be written no command has failed. */
  private static int execute(ParseResult parsed) {
    try {
      if (parsed.asCommandLineList().stream().anyMatch(CommandLine::isUsageHelpRequested)) {
        // The parser's own way to find the width complains where there is no /dev/tty.
        int width = Math.max(Terminals.width(), LEAST_HELP_WIDTH);
        parsed.commandSpec().commandLine().setUsageHelpWidth(width);
      }
      return new CommandLine.RunLast().execute(parsed);
    } catch (StandardOutput.Closed | UserError e) {
      ParseResult last = parsed;
      while (last.hasSubcommand()) {
        last = last.subcommand();
      }
      throw new ExecutionException(last.commandSpec().commandLine(), e.getMessage(), e);
    }
  }

  private static int usageError(ParameterException e, PrintStream err) {
    String name = e.getCommandLine().getCommandSpec().qualifiedName();
    err.println(name + ": " + usage(e) + " (try: " + name + " --help)");
    debug(e, err);
    return ExitStatus.BAD_INPUT;
  }

  /** What is wrong with the command line, without the parser's own terms. */
  private static String usage(ParameterException e) {
    if (e instanceof UnmatchedArgumentException unmatched) {
      boolean command = e.getCommandLine().getParent() == null;
      String what = unmatched.isUnknownOption() ? "option" : command ? "command" : "argument";
      return "unknown " + what + " " + unmatched.getUnmatched().get(0);
    }
    return oneLine(e).replaceFirst("^Error: ", "");
  }

  private static int failure(Exception e, CommandLine failed, PrintStream err) {
    if (e instanceof StandardOutput.Closed) {
      return ExitStatus.DONE;
    }
    String name = failed.getCommandSpec().qualifiedName();
    int status;
    if (e instanceof UserError user) {
      status = user.status();
      err.println(name + ": " + oneLine(e));
    } else if (e instanceof BootException) {
      status = ExitStatus.BAD_INPUT;
      err.println(name + ": " + oneLine(e));
    } else if (e instanceof HypervisorException || e instanceof FetchException) {
      status = ExitStatus.HOST_LACKS;
      err.println(name + ": " + oneLine(e));
    } else {
      status = ExitStatus.INTERNAL;
      err.println(name + ": internal error: " + oneLine(e) + " (" + DEBUG + "=1 shows details)");
    }
    debug(e, err);
    return status;
  }

  private static void debug(Exception e, PrintStream err) {
    if (System.getenv(DEBUG) != null) {
      e.printStackTrace(err);
    }
  }

  private static String oneLine(Exception e) {
    String message = e.getMessage() == null ? e.getClass().getName() : e.getMessage();
    return message.strip().replaceAll("\\s*\\R\\s*", " ");
  }
}
