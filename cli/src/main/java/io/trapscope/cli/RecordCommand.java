package io.trapscope.cli;

import io.trapscope.vmm.device.ConsoleFilter;
import io.trapscope.vmm.guests.HostKind;
import io.trapscope.vmm.run.TypedInput;
import io.trapscope.vmm.run.Until;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** Runs a guest and records every exit. */
@Command(
    name = "record",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = {
      "Runs a guest and records every VM exit.",
      "The guest's console goes to stdout, the summary to stderr."
    })
final class RecordCommand implements Callable<Integer> {
  /** What a run that writes no trace would pass over. */
  private static final List<String> OF_A_TRACE =
      List.of(
          "-o", "--force", "--keep-files", "--events", "--exclude", "--kernel-buffer", "--stacks");

  static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss");

  @ParentCommand private TrapscopeCommand parent;
  @Spec private CommandSpec spec;
  @Mixin private GuestOptions guest;
  @Mixin private EventOptions events;
  @Mixin private KvmOptions kvm;

  @Option(
      names = "--kernel-events",
      paramLabel = "WHEN",
      defaultValue = "auto",
      converter = OptionValues.KernelEvents.class,
      completionCandidates = OptionValues.KernelEvents.class,
      description =
          "With --accel kvm, record what KVM's tracepoints tell: auto (where the host allows it),"
              + " yes, no (default: ${DEFAULT-VALUE}).")
  private KernelEvents.Wanted kernelEvents;

  @Option(
      names = "--stacks",
      arity = "0..1",
      paramLabel = "DEPTH",
      defaultValue = "0",
      fallbackValue = "64",
      description = {
        "Record with each exit where the guest's code was called from, by its frame pointers, up to"
            + " DEPTH return addresses (1 to 128, 64 where none is named); analyze --folded shows"
            + " them."
      })
  private int stacks;

  @Option(
      names = "--accel",
      defaultValue = "auto",
      paramLabel = "NAME",
      converter = OptionValues.Accels.class,
      completionCandidates = OptionValues.Accels.class,
      description = "What runs the guest: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private Accel accel;

  @Option(
      names = "--memory",
      defaultValue = "256M",
      paramLabel = "SIZE",
      converter = Quantities.SizeConverter.class,
      description = "Guest RAM (default: ${DEFAULT-VALUE}).")
  private long memory;

  @Option(
      names = "--cpus",
      defaultValue = "1",
      paramLabel = "N",
      description = "Number of vCPUs (default: ${DEFAULT-VALUE}).")
  private int cpus;

  @Option(
      names = "--cpu",
      paramLabel = "MODEL",
      completionCandidates = BackEnd.CpuModels.class,
      description =
          "Processor that the guest is shown in CPUID: ${COMPLETION-CANDIDATES}; KVM shows of it what"
              + " the host has. host (all of that) and compat (default's part of it) are for KVM only.")
  private String cpu;

  @Option(
      names = "--until",
      paramLabel = "CONDITION",
      converter = Quantities.UntilConverter.class,
      description = "End the run at " + Until.FORMS + " of guest time.")
  private Until until;

  @Option(
      names = "--timeout",
      paramLabel = "DURATION",
      converter = Quantities.DurationConverter.class,
      description = "End the run after this much host time: 500ms, 10s, 5m.")
  private Duration timeout;

  @Option(
      names = "--watchdog",
      paramLabel = "DURATION",
      converter = Quantities.DurationConverter.class,
      description = "End the run of a guest that computes this long without an exit.")
  private Duration watchdog;

  @Option(
      names = "--console-filter",
      paramLabel = "NAME",
      defaultValue = "none",
      converter = OptionValues.ConsoleFilters.class,
      completionCandidates = OptionValues.ConsoleFilters.class,
      description = "Change console output: ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private ConsoleFilter filter;

  @Option(
      names = "--realtime",
      negatable = true,
      description =
          "Whether a halted guest waits as long on the host's clock as on its own (default: where"
              + " stdin is a terminal); otherwise its clock jumps to the next timer.")
  private Boolean realTimeWanted;

  @Option(names = "--no-record", description = "Run only; write no trace.")
  private boolean noRecord;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "DIR",
      description = "The trace's directory (default: trapscope-GUEST-TIME).")
  private Path output;

  @Option(names = "--force", description = "Replace a trace that is there already.")
  private boolean force;

  @Option(
      names = "--keep-files",
      paramLabel = "SIZE",
      defaultValue = "32M",
      converter = Quantities.SizeConverter.class,
      description =
          "Keep copies in the trace of the guest's files up to this size: symbols and replays come"
              + " from them, on any host (default: ${DEFAULT-VALUE}; 0: none).")
  private long keptBytes;

  @Option(
      names = "--json",
      description = "Print the summary as JSON on stdout, and the guest's console on stderr.")
  private boolean json;

  @Override
  public Integer call() {
    if (noRecord) {
      checkNothingIsRecorded();
    }
    try (BackEnd backEnd = BackEnd.choose(accel)) {
      checkTogether(backEnd);
      RecordPlan plan = plan(backEnd, GuestFiles.AS_NAMED);
      Recording recording = new Recording(parent.err(), backEnd, plan);
      boolean progress = Terminals.isTerminal(Terminals.STDERR);
      Recorded recorded = run(recording, plan.guest().bundled(), progress);
      RecordSummary summary = new RecordSummary(plan, recorded);
      if (json) {
        summary.printJson(parent.out());
      } else {
        parent.out().flush();
        summary.printText(parent.err());
      }
      return recorded.status();
    }
  }

  private void checkNothingIsRecorded() {
    List<String> idle = new ArrayList<>(GivenOptions.of(spec).among(OF_A_TRACE));
    if (kernelEvents == KernelEvents.Wanted.YES) {
      idle.add("--kernel-events");
    }
    idle.addAll(kvm.watching());
    if (!idle.isEmpty()) {
      throw UserError.badInput(
          "--no-record writes no trace: leave out " + String.join(" and ", idle));
    }
  }

  /**
   * Options that would be passed over where the guest runs. A replay, which has the options of a
   * recording, does without these checks: what was recorded can be replayed.
   */
  private void checkTogether(BackEnd backEnd) {
    boolean onKvm = backEnd.kind() != HostKind.SOFT;
    if (onKvm && until != null && until.instructions() >= 0) {
      throw UserError.badInput(
          "--until instructions=N goes with --accel soft: KVM counts no instructions");
    }
    if (onKvm && Boolean.FALSE.equals(realTimeWanted)) {
      throw UserError.badInput(
          "--no-realtime goes with --accel soft: on KVM a guest's clock is the host's");
    }
    if (!onKvm || kernelEvents == KernelEvents.Wanted.NO) {
      List<String> idle = new ArrayList<>();
      if (GivenOptions.of(spec).any("--kernel-buffer")) {
        idle.add("--kernel-buffer");
      }
      events.selection().others().forEach(name -> idle.add("--events " + name));
      if (!idle.isEmpty()) {
        throw UserError.badInput(
            (onKvm ? "--kernel-events no" : "soft")
                + " reads none of the kernel's tracepoints: leave out "
                + String.join(" and ", idle));
      }
    }
    kvm.checkRecorded(events.selection());
  }

  /** Bundled guests read no input, so stdin is left to whoever else wants it. */
  private Recorded run(Recording recording, boolean bundled, boolean progress) {
    ConsoleStream console = new ConsoleStream(json ? parent.err() : parent.out());
    if (bundled) {
      return recording.run(console, null, progress);
    }
    TypedInput input = new TypedInput();
    try (ConsoleKeyboard keyboard = new ConsoleKeyboard(input, recording, parent.err())) {
      keyboard.start();
      // On one terminal with the guest's console a progress line would be in the way of typing.
      return recording.run(console, input, progress && !keyboard.isTerminal());
    }
  }

  /**
   * The run that the options ask for, its guest read.
   *
   * @param files where the guest's files are
   */
  RecordPlan plan(BackEnd backEnd, GuestFiles files) {
    GuestChoice choice = guest.choose(backEnd.kind(), files);
    boolean realTime =
        realTimeWanted == null
            ? !choice.bundled() && Terminals.isTerminal(Terminals.STDIN)
            : realTimeWanted;
    return new RecordPlan(
        choice,
        memory,
        cpus,
        backEnd.cpuModel(cpu),
        until,
        timeout,
        watchdog,
        filter,
        realTime,
        directory(choice),
        force,
        keptBytes,
        parent.words(),
        new EventPlan(events.selection(), kernelEvents, events.buffer(), stacks),
        kvm.plan(backEnd, cpus, memory));
  }

  private Path directory(GuestChoice choice) {
    if (noRecord) {
      return null;
    }
    if (output != null) {
      return output;
    }
    String safe = choice.name().replaceAll("[^A-Za-z0-9._-]", "_");
    return Path.of("trapscope-" + safe + "-" + LocalDateTime.now().format(TIME));
  }
}
