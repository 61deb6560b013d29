package io.trapscope.cli;

import io.trapscope.recorder.event.Counter;
import io.trapscope.recorder.event.LossCause;
import io.trapscope.recorder.trace.TraceEnd;
import io.trapscope.recorder.trace.TraceException;
import io.trapscope.recorder.trace.TraceHeader;
import io.trapscope.recorder.trace.TraceWriter;
import io.trapscope.vmm.pc.Board;
import io.trapscope.vmm.pc.PcBoard;
import io.trapscope.vmm.run.ConsoleInput;
import io.trapscope.vmm.run.Machine;
import io.trapscope.vmm.run.MachineConfig;
import io.trapscope.vmm.run.RunResult;
import io.trapscope.vmm.run.Sinks;
import java.io.OutputStream;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Runs a guest, records it, and stops it when a signal comes. */
final class Recording {
  private static final long MOST_MEMORY = 256L << 30;

  private final PrintStream err;
  private final BackEnd backEnd;
  private final RecordPlan plan;

  /** Live figures for the progress line; null before the run and where nothing is recorded. */
  private volatile TraceWriter writer;

  /** The machine while it runs. */
  private volatile Machine running;

  /** Whether the guest has run. */
  private volatile boolean ended;

  private final long start = System.nanoTime();

  Recording(PrintStream err, BackEnd backEnd, RecordPlan plan) {
    this.err = err;
    this.backEnd = backEnd;
    this.plan = plan;
  }

  /**
   * Runs the guest to its end.
   *
   * @param console where the guest's console output goes
   * @param input bytes for the guest's console; null for none
   * @param progress whether to show the progress line
   * @throws UserError where the machine or the trace cannot be made
   */
  Recorded run(OutputStream console, ConsoleInput input, boolean progress) {
    Board board = new PcBoard();
    try (Progress line = new Progress(err, progress, this::progressLine);
        KernelEvents kernel = kernelEvents()) {
      MachineConfig config = config(board, line.before(console), input, kernel);
      try (Machine machine = new Machine(config)) {
        running = machine;
        TraceHeader header =
            RecordingHeader.of(backEnd, plan, machine, board, kernel, input != null);
        return plan.directory() == null
            ? runOnly(machine, header)
            : record(machine, header, kernel);
      }
    }
  }

  /** None where nothing is recorded. */
  private KernelEvents kernelEvents() {
    EventPlan events = plan.events();
    return KernelEvents.choose(
        plan.directory() == null ? KernelEvents.Wanted.NO : events.kernel(),
        backEnd.kind(),
        events.selection(),
        events.bufferBytes());
  }

  private static Recorded runOnly(Machine machine, TraceHeader header) {
    StopOnSignal signals = new StopOnSignal(machine::stop);
    try {
      return new Recorded(header, machine.run(Sinks.NONE), null, "");
    } finally {
      signals.close();
    }
  }

  private MachineConfig config(
      Board board, OutputStream console, ConsoleInput input, KernelEvents kernel) {
    return machine(board)
        .tracing(kernel.tracing())
        .consoleOutput(console)
        .consoleInput(input)
        .realTime(plan.realTime())
        .messages(err::println)
        .timeout(plan.timeout())
        .watchdog(plan.watchdog())
        .build();
  }

  /** The machine that the plan asks for, without what connects it to the world. */
  MachineConfig.Builder machine(Board board) {
    if (plan.memoryBytes() > MOST_MEMORY) {
      throw UserError.badInput("--memory: a guest can have 256G at most");
    }
    try {
      return MachineConfig.builder(backEnd.hypervisor(), plan.guest().boot())
          .memory(plan.memoryBytes())
          .cpus(plan.cpus())
          .cpuModel(plan.cpuModel())
          .host(plan.host())
          .board(() -> board)
          .consoleFilter(plan.filter())
          .until(plan.until())
          .events(plan.events().selection().types())
          .stacks(plan.events().stacks());
    } catch (IllegalArgumentException e) {
      throw UserError.badInput(e.getMessage(), e);
    }
  }

  private Recorded record(Machine machine, TraceHeader header, KernelEvents kernel) {
    try (TraceWriter trace = TraceWriter.create(plan.directory(), plan.force(), header)) {
      writer = trace;
      CompletableFuture<Void> hashes = CompletableFuture.runAsync(() -> addHashes(trace, header));
      // From here on a signal ends the run; before, there is nothing yet that it could spoil.
      StopOnSignal signals = new StopOnSignal(machine::stop);
      try {
        RunResult result = run(machine, trace, hashes);
        List<Counter> counters = new ArrayList<>(machine.vm().counters());
        if (kernel.tracing() != null) {
          counters.addAll(kernel.tracing().counters());
        }
        return finish(trace, header, result, counters);
      } finally {
        signals.close();
      }
    } catch (TraceException e) {
      throw UserError.unwritable(e.getMessage(), e);
    }
  }

  private RunResult run(Machine machine, TraceWriter trace, CompletableFuture<Void> hashes) {
    try {
      return machine.run(
          Sinks.of(
              trace::vcpu,
              trace.other(),
              (vcpu, count) -> trace.addLost(trace.vcpu(vcpu), count, LossCause.OVERRUN)));
    } finally {
      ended = true;
      hashes.join(); // a finished trace is complete
    }
  }

  private void addHashes(TraceWriter trace, TraceHeader header) {
    try {
      // A bundled guest has no files.
      KeptFiles kept =
          plan.guest().bundled()
              ? KeptFiles.NONE
              : new KeptFiles(plan.directory(), plan.keptBytes(), err::println);
      trace.describe(header.withImages(plan.guest().images().hashed(() -> ended, kept)));
    } catch (UserError | TraceException e) {
      err.println("trapscope: the trace lacks the hashes of its images: " + e.getMessage());
    }
  }

  private static Recorded finish(
      TraceWriter trace, TraceHeader header, RunResult result, List<Counter> counters) {
    String failure = trace.failure();
    try {
      TraceEnd end = trace.finish(result.end(), result.detail(), result.text(), counters);
      return new Recorded(header, result, end, failure);
    } catch (TraceException e) {
      return new Recorded(header, result, null, e.getMessage());
    }
  }

  /** Ends the run, from any thread. */
  void stop() {
    Machine machine = running;
    if (machine != null) {
      machine.stop();
    }
  }

  /** One line about how far the run is. */
  String progressLine() {
    double seconds = (System.nanoTime() - start) / (double) TimeUnit.SECONDS.toNanos(1);
    TraceWriter trace = writer;
    if (trace == null) {
      return String.format(Locale.ROOT, "%s: running, %.1f s", plan.guest().name(), seconds);
    }
    long lost = trace.lost();
    return String.format(
        Locale.ROOT,
        "%s: %,d events, %,.0f a second, %.1f s%s",
        plan.guest().name(),
        trace.events(),
        trace.events() / seconds,
        seconds,
        lost == 0 ? "" : String.format(Locale.ROOT, ", %,d LOST", lost));
  }
}
