package io.trapscope.cli;

import io.trapscope.analyzer.pipeline.Analysis;
import io.trapscope.analyzer.pipeline.Results;
import io.trapscope.analyzer.pipeline.TableFormat;
import io.trapscope.analyzer.report.Reports;
import io.trapscope.recorder.trace.TraceReader;
import io.trapscope.vmm.device.ConsoleFilter;
import io.trapscope.vmm.fetch.DebianCloudGuest;
import io.trapscope.vmm.fetch.FetchException;
import io.trapscope.vmm.guests.Guests;
import io.trapscope.vmm.hypervisor.HostOptions;
import io.trapscope.vmm.kvm.KvmProbe;
import io.trapscope.vmm.run.ConsoleInput;
import io.trapscope.vmm.run.TypedInput;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** Shows the whole path on the bundled guests. */
@Command(
    name = "demo",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = {
      "Runs the bundled guests on every back end that works here, records them, and shows what the"
          + " traces say.",
      "Needs no root, no KVM and no network; with a network and Debian's apt-get it fetches a real"
          + " kernel too and boots it."
    })
final class DemoCommand implements Callable<Integer> {
  private static final DateTimeFormatter TIME = DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss");
  private static final long MEMORY = 256L << 20;
  private static final Duration LONGEST = Duration.ofMinutes(3);
  private static final Duration FETCH_LIMIT = Duration.ofSeconds(30);

  @ParentCommand private TrapscopeCommand parent;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "DIR",
      description = "Folder for the traces (default: trapscope-demo-TIME).")
  private Path output;

  private final List<Path> pages = new ArrayList<>();
  private int worst = ExitStatus.DONE;

  @Override
  public Integer call() {
    Path folder =
        output == null ? Path.of("trapscope-demo-" + LocalDateTime.now().format(TIME)) : output;
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw UserError.unwritable("cannot make " + folder + " (-o names another folder)", e);
    }
    PrintStream out = parent.out();
    KvmProbe kvm = KvmProbe.probe();
    out.println("The processor in Java (soft) works everywhere. " + kvm.explanation() + ".");
    runAll(Accel.SOFT, folder);
    if (kvm.usable()) {
      runAll(Accel.KVM, folder);
    }
    runDebian(folder);
    out.println();
    showWhatNext(folder);
    out.flush();
    return worst;
  }

  private void showWhatNext(Path folder) {
    PrintStream out = parent.out();
    out.println("Traces and tables are in " + folder + ". Look at a page in a browser:");
    pages.forEach(page -> out.println("  file://" + page.toAbsolutePath().normalize()));
    Path last = pages.get(pages.size() - 1).getParent();
    out.println("To look closer:");
    out.println("  trapscope info " + last);
    out.println("  trapscope dump " + last + " --limit 20");
    out.println("  trapscope analyze " + last + " --by target,direction,location --top 10");
    out.println("  trapscope analyze " + last + " --perfetto demo.pftrace   # for ui.perfetto.dev");
    out.println("  notebooks/run " + last.resolve(AnalyzeCommand.DIRECTORY) + "   # needs Python");
  }

  private void runAll(Accel accel, Path folder) {
    for (Guests guest : List.of(Guests.HELLO, Guests.TRANSLATE, Guests.EXITS)) {
      Path trace = folder.resolve(OptionValues.word(accel) + "-" + guest.title());
      title(guest.title() + " on " + OptionValues.word(accel) + ": " + guest.summary());
      try (BackEnd backEnd = BackEnd.choose(accel)) {
        run(backEnd, GuestOptions.bundled(guest, "", backEnd.kind()), null, trace);
      }
      analyze(trace, guest == Guests.EXITS && accel == Accel.SOFT);
    }
  }

  /** A real operating system, where it is here or can be had within a minute. */
  private void runDebian(Path folder) {
    title("debian-cloud on soft: Debian's stock cloud kernel with busybox");
    DebianCloudGuest debian = DebianCloudGuest.inUsersCache(FETCH_LIMIT);
    try {
      DebianCloudGuest.Fetched fetched =
          debian.cached().orElseGet(() -> debian.fetch(parent.out()::println));
      Path trace = folder.resolve("soft-" + DebianCloudGuest.NAME);
      try (BackEnd backEnd = BackEnd.choose(Accel.SOFT)) {
        TypedInput typed = new TypedInput();
        byte[] line = "uname -a; exit\n".getBytes(StandardCharsets.US_ASCII);
        typed.offer(line, 0, line.length);
        typed.close();
        run(
            backEnd,
            GuestOptions.debianCloud(fetched.kernel(), fetched.initrd(), ""),
            typed,
            trace);
      }
      analyze(trace, true);
    } catch (FetchException e) {
      parent.out().println("left out: it could not be fetched: " + e.getMessage());
    }
  }

  private void title(String text) {
    parent.out().println();
    parent.out().println("== " + text);
    parent.out().flush();
  }

  private void run(BackEnd backEnd, GuestChoice choice, ConsoleInput input, Path trace) {
    PrintStream out = parent.out();
    List<String> sameAs =
        List.of("trapscope", "record", "--accel", backEnd.name(), "--guest", choice.name());
    RecordPlan plan =
        new RecordPlan(
            choice,
            MEMORY,
            1,
            backEnd.cpuModel(null),
            null,
            LONGEST,
            null,
            ConsoleFilter.NONE,
            false,
            trace,
            false,
            0,
            sameAs,
            EventPlan.DEFAULT,
            HostOptions.DEFAULT);
    Recorded recorded = new Recording(out, backEnd, plan).run(new ConsoleStream(out), input, false);
    out.flush();
    new RecordSummary(plan, recorded).printText(out);
    note(recorded.status());
  }

  /** Writes the Arrow files; where there is something to see, shows the tables and makes a page. */
  private void analyze(Path trace, boolean show) {
    TraceReader reader = Traces.open(trace);
    Results results =
        Analysis.run(reader, Reports.all(), Runtime.getRuntime().availableProcessors());
    try {
      results.write(trace.resolve(AnalyzeCommand.DIRECTORY), TableFormat.ARROW);
      if (show) {
        Path page = trace.resolve("report.html");
        results.writeHtml(page);
        pages.add(page);
      }
      if (show) {
        parent.out().println();
        results.writeText(
            new PrintWriter(parent.out(), false, StandardCharsets.UTF_8), Terminals.width());
      }
    } catch (IOException e) {
      throw UserError.unwritable(e.getMessage(), e);
    }
    note(results.isComplete() ? ExitStatus.DONE : ExitStatus.INCOMPLETE);
  }

  private void note(int status) {
    worst = Math.max(worst, status);
  }
}
