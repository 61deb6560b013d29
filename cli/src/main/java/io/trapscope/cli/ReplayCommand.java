package io.trapscope.cli;

import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.trace.TraceHeader;
import io.trapscope.recorder.trace.TraceReader;
import io.trapscope.replay.ConsolePlayer;
import io.trapscope.replay.Divergence;
import io.trapscope.replay.ReplaySession;
import io.trapscope.vmm.pc.PcBoard;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Spec;

/** Runs a recording again, or plays its console. */
@Command(
    name = "replay",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = {
      "Runs a recorded guest again and compares every event with the trace, or plays its console.",
      "Exit status 5 says that the replay went another way; stderr says where. Status 4 says that",
      "there is no difference as far as the trace goes, and that it is incomplete."
    })
final class ReplayCommand implements Callable<Integer> {
  @ParentCommand private TrapscopeCommand parent;
  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "TRACE", description = "The trace's directory.")
  private Path trace;

  @ArgGroup(multiplicity = "1")
  private What what;

  /** What to do with the recording. */
  static final class What {
    @Option(
        names = "--verify",
        required = true,
        description = "Run the guest again and compare; needs a recording of --accel soft.")
    private boolean verify;

    @Option(
        names = "--console",
        required = true,
        description = "Write the guest's console to stdout as it came.")
    private boolean console;
  }

  @Option(
      names = "--speed",
      paramLabel = "X",
      defaultValue = "1",
      description = "With --console: play X times as fast (default: ${DEFAULT-VALUE}).")
  private double speed;

  @Option(
      names = "--max-idle",
      paramLabel = "DURATION",
      defaultValue = "1s",
      converter = Quantities.DurationConverter.class,
      description = "With --console: never pause longer (default: ${DEFAULT-VALUE}).")
  private Duration maxIdle;

  @Override
  public Integer call() throws InterruptedException {
    if (!what.console && GivenOptions.of(spec).any("--speed", "--max-idle")) {
      throw UserError.badInput("--speed and --max-idle go with --console");
    }
    TraceReader reader = Traces.open(trace);
    return what.console ? play(reader) : verify(reader);
  }

  private int play(TraceReader reader) throws InterruptedException {
    if (!(speed > 0)) {
      throw UserError.badInput("--speed must be above 0");
    }
    ConsolePlayer player = new ConsolePlayer(speed, maxIdle, TimeUnit.NANOSECONDS::sleep);
    try {
      player.play(reader, parent.out());
    } catch (IOException e) {
      throw UserError.unwritable("cannot write the console: " + e.getMessage(), e);
    }
    boolean incomplete = reader.anomalies().isIncomplete() || player.anomalies().isIncomplete();
    return incomplete ? ExitStatus.INCOMPLETE : ExitStatus.DONE;
  }

  private int verify(TraceReader reader) {
    TraceHeader header = reader.header();
    if (!header.backEnd().name().equals("soft")) {
      throw UserError.badInput(
          trace
              + " was recorded on "
              + header.backEnd().name()
              + ", which counts no instructions: only a recording of --accel soft runs again"
              + " exactly (--console plays any)");
    }
    try (BackEnd backEnd = BackEnd.choose(Accel.SOFT)) {
      RecordPlan plan = recordedPlan(reader, backEnd);
      checkImages(header, plan);
      Recording recording = new Recording(parent.err(), backEnd, plan);
      ReplaySession session = new ReplaySession(reader, recording.machine(new PcBoard()));
      boolean hadInput = Boolean.parseBoolean(header.notes().get(RecordingHeader.CONSOLE_INPUT));
      boolean everyEvent =
          plan.events().selection().types().containsAll(EnumSet.allOf(EventType.class));
      return report(session.verify(hadInput, everyEvent));
    }
  }

  /** The trace's own command line says how its machine was made. */
  private RecordPlan recordedPlan(TraceReader reader, BackEnd backEnd) {
    TraceHeader header = reader.header();
    List<String> words = header.commandLine();
    String folder = header.notes().get(RecordingHeader.FOLDER);
    if (words.size() < 2 || folder == null) {
      throw UserError.badInput(trace + ": its header does not say how it was recorded");
    }
    List<String> arguments = words.subList(1, words.size());
    try {
      ParseResult parsed =
          TrapscopeCommand.parser(parent.out(), parent.err(), arguments)
              .parseArgs(arguments.toArray(String[]::new));
      if (parsed.hasSubcommand()
          && parsed.subcommand().commandSpec().userObject() instanceof RecordCommand recorded) {
        return recorded.plan(backEnd, GuestFiles.of(reader, Path.of(folder)));
      }
    } catch (ParameterException e) {
      throw UserError.badInput(
          trace + ": this version does not understand how it was recorded: " + e.getMessage(), e);
    }
    throw UserError.badInput(trace + " was not made by 'trapscope record'");
  }

  private void checkImages(TraceHeader header, RecordPlan plan) {
    List<TraceHeader.Image> now = plan.guest().images().hashed();
    for (TraceHeader.Image then : header.images()) {
      boolean same =
          then.sha256().isEmpty() // the recording was cut off before its files were hashed
              || now.stream()
                  .anyMatch(
                      image ->
                          image.role().equals(then.role()) && image.sha256().equals(then.sha256()));
      if (!same) {
        throw UserError.badInput(
            then.path()
                + " is not the "
                + then.role()
                + " that was recorded: its SHA-256 was "
                + then.sha256());
      }
    }
  }

  private int report(ReplaySession.Outcome outcome) {
    Divergence divergence = outcome.divergence();
    if (divergence == null) {
      parent
          .out()
          .println(
              String.format(
                  Locale.ROOT,
                  "%,d events verified, no difference; %,d instructions%s",
                  outcome.verified(),
                  outcome.result().instructions(),
                  outcome.lacking() == null ? "" : "; the trace has no " + outcome.lacking()));
    }
    outcome.anomalies().warnings().forEach(text -> parent.err().println("warning: " + text));
    if (divergence != null) {
      parent.err().println("trapscope replay: diverged at " + divergence.describe());
      return ExitStatus.DIVERGED;
    }
    return outcome.anomalies().isIncomplete() ? ExitStatus.INCOMPLETE : ExitStatus.DONE;
  }
}
