package io.trapscope.cli;

import io.trapscope.cli.host.HostProcesses;
import io.trapscope.recorder.capture.HostRecorder;
import io.trapscope.recorder.event.Counter;
import io.trapscope.recorder.event.RunEnd;
import io.trapscope.recorder.trace.TraceEnd;
import io.trapscope.recorder.trace.TraceException;
import io.trapscope.recorder.trace.TraceHeader;
import io.trapscope.recorder.trace.TraceHeader.VcpuThread;
import io.trapscope.recorder.trace.TraceWriter;
import io.trapscope.recorder.tracepoint.EventSelection;
import io.trapscope.recorder.tracepoint.Tracepoint;
import io.trapscope.vmm.guests.HostKind;
import io.trapscope.vmm.kvm.KvmProbe;
import io.trapscope.vmm.perf.HostTracing;
import io.trapscope.vmm.perf.KernelTracing;
import io.trapscope.vmm.perf.TracepointRing;
import io.trapscope.vmm.run.Durations;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** Records guests of other VMMs, through KVM's tracepoints. */
@Command(
    name = "attach",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = {
      "Records the KVM guests of a VMM that runs already, or will: QEMU, Firecracker, any.",
      "The guests run on undisturbed. Needs root, or perf_event_paranoid -1 and a readable tracefs.",
      "Ends with Ctrl-C, after --duration, or when every process of --pid has ended."
    })
final class AttachCommand implements Callable<Integer> {
  private static final long LOOK_NANOS = 5_000_000;
  private static final long ALIVE_NANOS = 100_000_000;

  @ParentCommand private TrapscopeCommand parent;
  @Spec private CommandSpec spec;
  @Mixin private EventOptions events;

  @ArgGroup(multiplicity = "1")
  private Whose whose;

  /** Exactly one of these. */
  private static final class Whose {
    @Option(
        names = "--pid",
        paramLabel = "PID",
        split = ",",
        description = "The VMM's process, or any of its threads; may be repeated.")
    private List<Integer> pids = new ArrayList<>();

    @Option(
        names = "--comm",
        paramLabel = "NAME",
        split = ",",
        description = "Every process of that name, also those that start later; may be repeated.")
    private List<String> names = new ArrayList<>();

    @Option(names = "--all-vms", description = "Every VM of this host.")
    private boolean all;
  }

  @Option(
      names = "--duration",
      paramLabel = "DURATION",
      converter = Quantities.DurationConverter.class,
      description = "End after this much time: 500ms, 10s, 5m.")
  private Duration duration;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "DIR",
      description = "The trace's directory (default: trapscope-attach-TIME).")
  private Path output;

  @Option(names = "--force", description = "Replace a trace that is there already.")
  private boolean force;

  @Option(names = "--json", description = "Print the summary as JSON on stdout.")
  private boolean json;

  private volatile boolean stopped;

  @Override
  public Integer call() {
    Path directory =
        output == null
            ? Path.of("trapscope-attach-" + LocalDateTime.now().format(RecordCommand.TIME))
            : output;
    EventSelection selection = events.selection();
    if (selection.hasNoTracepoints()) {
      throw UserError.badInput(KernelEvents.NONE_LEFT);
    }
    HostProcesses processes = processes();
    try (KernelTracing tracing = KernelEvents.prepare(selection, events.buffer());
        HostTracing host = new HostTracing(tracing, events.buffer())) {
      TraceHeader header = header(tracing, selection);
      try (TraceWriter trace = TraceWriter.create(directory, force, header)) {
        HostRecorder recorder = new HostRecorder(trace, header, processes, selection.types());
        StopOnSignal signals = new StopOnSignal(() -> stopped = true);
        try {
          RunEnd how = record(host, reader(recorder), processes);
          recorder.finish();
          List<Counter> counters = new ArrayList<>(host.counters());
          counters.addAll(recorder.counters());
          if (recorder.hidden() > 0) {
            counters.add(Counter.count("attach", "vcpu_records_passed_over", recorder.hidden()));
          }
          TraceEnd end = trace.finish(how, 0, text(how), counters);
          String failure = recorder.failure().isEmpty() ? trace.failure() : recorder.failure();
          return summarize(directory, recorder, end, failure);
        } finally {
          signals.close();
        }
      }
    } catch (TraceException e) {
      throw UserError.unwritable(e.getMessage(), e);
    }
  }

  private HostProcesses processes() {
    if (whose.names.contains("")) {
      throw UserError.badInput("--comm: '' names no process");
    }
    HostProcesses all = new HostProcesses(Path.of("/proc"), Set.of(), Set.of());
    Set<Integer> pids = new LinkedHashSet<>();
    for (int number : whose.pids) {
      int pid = number > 0 ? all.processOf(number) : -1;
      if (pid < 0) {
        throw UserError.badInput("there is no process " + number);
      }
      pids.add(pid);
    }
    whose.pids = List.copyOf(pids);
    return new HostProcesses(Path.of("/proc"), pids, Set.copyOf(whose.names));
  }

  private TraceHeader header(KernelTracing tracing, EventSelection selection) {
    KvmProbe probe = KvmProbe.probe();
    HostKind host = HostKind.of("kvm", probe.isParavirtual());
    TraceHeader.Builder header =
        RecordingHeader.ofHost(parent.words()).backEnd("kvm", "attached").cpus(0);
    KernelEvents.of(tracing).describeAttached(header, host, selection);
    return header.build();
  }

  private static TracepointRing.Reader reader(HostRecorder recorder) {
    return new TracepointRing.Reader() {
      @Override
      public void record(
          Tracepoint tracepoint, ByteBuffer raw, int at, int length, long nanos, int pid, int tid) {
        recorder.record(tracepoint, raw, at, length, nanos, pid, tid);
      }

      @Override
      public void lost(long count, long nanos) {
        recorder.lost(count, nanos);
      }
    };
  }

  private RunEnd record(HostTracing host, TracepointRing.Reader reader, HostProcesses processes) {
    host.enable();
    // Who starts this in the background waits for the line: from here on nothing is missed.
    parent.err().println("trapscope attach: recording; Ctrl-C ends it");
    if (!processes.haveVm()) {
      parent.err().println("trapscope attach: waiting: " + whoHasNoVm(processes));
    }
    long end = duration == null ? Long.MAX_VALUE : System.nanoTime() + duration.toNanos();
    long nextAlive = 0;
    RunEnd how = null;
    while (how == null) {
      LockSupport.parkNanos(LOOK_NANOS);
      host.drain(reader);
      long now = System.nanoTime();
      if (stopped || now - end >= 0) {
        how = RunEnd.DETACHED;
      } else if (!whose.pids.isEmpty() && now >= nextAlive) {
        nextAlive = now + ALIVE_NANOS;
        how = whose.pids.stream().anyMatch(processes::isAlive) ? null : RunEnd.VMM_ENDED;
      }
    }
    host.finish(reader);
    return how;
  }

  private String whoHasNoVm(HostProcesses processes) {
    if (!whose.pids.isEmpty()) {
      return whose.pids.stream()
          .map(pid -> "process " + pid + " (" + processes.process(pid) + ") has no VM yet")
          .collect(Collectors.joining(", "));
    }
    return whose.all
        ? "this host has no VM yet"
        : "no process called " + String.join(" or ", whose.names) + " has a VM yet";
  }

  private String text(RunEnd how) {
    if (how == RunEnd.VMM_ENDED) {
      return "the VMM has ended";
    }
    return stopped ? "stopped by a signal" : "after " + Durations.format(duration);
  }

  private int summarize(Path directory, HostRecorder recorder, TraceEnd end, String failure) {
    if (json) {
      printJson(directory, recorder, end, failure);
    } else {
      printText(directory, recorder, end, failure);
    }
    boolean whole = end.lost() == 0 && failure.isEmpty();
    return whole ? ExitStatus.DONE : ExitStatus.INCOMPLETE;
  }

  private void printText(Path directory, HostRecorder recorder, TraceEnd end, String failure) {
    PrintStream err = parent.err();
    if (recorder.vcpus().isEmpty()) {
      row(err, "vcpus", "none of what was asked for ran a vCPU");
    }
    for (VcpuThread vcpu : recorder.vcpus()) {
      err.println(Facts.row(vcpu));
    }
    row(err, "end", end.text());
    row(
        err,
        "trace",
        String.format(
            Locale.ROOT, "%s: %,d events, %,d bytes", directory, end.events(), end.bytes()));
    row(
        err,
        "lost",
        end.lost() == 0
            ? "nothing"
            : String.format(
                Locale.ROOT,
                "%,d records%s",
                end.lost(),
                failure.isEmpty() ? "; a larger --kernel-buffer helps" : ""));
    if (recorder.hidden() > 0) {
      row(
          err,
          "hidden",
          String.format(
              Locale.ROOT,
              "%,d records of vCPUs were passed over: their process had ended before it could be"
                  + " named (--all-vms takes it), or is outside of this PID namespace (attach there)",
              recorder.hidden()));
    }
    if (!failure.isEmpty()) {
      row(err, "failure", failure);
    }
  }

  private static void row(PrintStream out, String name, String text) {
    out.println(Facts.row(name, text));
  }

  private void printJson(Path directory, HostRecorder recorder, TraceEnd end, String failure) {
    Json.print(
        spec.commandLine().getOut(),
        out -> {
          out.writeStartObject();
          out.writeStringField("trace", directory.toString());
          out.writeStringField("end", end.how().name());
          out.writeNumberField("events", end.events());
          out.writeNumberField("bytes", end.bytes());
          out.writeNumberField("lost", end.lost());
          out.writeNumberField("hidden", recorder.hidden());
          if (!failure.isEmpty()) {
            out.writeStringField("failure", failure);
          }
          out.writeArrayFieldStart("vcpus");
          for (VcpuThread vcpu : recorder.vcpus()) {
            out.writeStartObject();
            out.writeNumberField("stream", vcpu.stream());
            out.writeNumberField("vcpu", vcpu.vcpu());
            out.writeNumberField("pid", vcpu.pid());
            out.writeStringField("process", vcpu.process());
            out.writeNumberField("tid", vcpu.tid());
            out.writeStringField("thread", vcpu.thread());
            out.writeEndObject();
          }
          out.writeEndArray();
          out.writeObjectFieldStart("tracepoints");
          for (Counter counter : recorder.counters()) {
            out.writeNumberField(counter.name(), counter.total());
          }
          out.writeEndObject();
          out.writeEndObject();
        });
  }
}
