package io.trapscope.cli;

import io.trapscope.cli.host.HostCheck;
import io.trapscope.cli.host.HostChecks;
import io.trapscope.cli.host.PythonChecks;
import io.trapscope.recorder.tracepoint.EventSelection;
import io.trapscope.vmm.host.LibC;
import io.trapscope.vmm.hypervisor.HypervisorException;
import io.trapscope.vmm.kvm.KvmProbe;
import io.trapscope.vmm.perf.KernelTracing;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Says what this host allows, and what it would take to get the rest. */
@Command(
    name = "doctor",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    description = "Says what this host allows, and what it would take to get the rest.")
final class DoctorCommand implements Callable<Integer> {
  @Option(names = "--json", description = "Print JSON instead of text.")
  private boolean json;

  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    List<HostCheck> checks = new ArrayList<>(new HostChecks(Path.of("/")).all(Path.of("")));
    checks.add(2, kvm(KvmProbe.probe()));
    checks.add(1, nativeCalls());
    checks.add(tracepoints());
    checks.add(faults());
    checks.add(PythonChecks.python());
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      printJson(out, checks);
    } else {
      printText(out, checks);
    }
    return ExitStatus.DONE;
  }

  /** How this process calls the kernel. */
  private static HostCheck nativeCalls() {
    try {
      return HostCheck.ok("calls", LibC.binding());
    } catch (LinkageError e) {
      return HostCheck.missing(
          "calls", "the C library cannot be called: " + e.getMessage(), "Linux on x86-64");
    }
  }

  /** Whether KVM's tracepoints, the source of exits that the kernel handles itself, can be read. */
  private static HostCheck tracepoints() {
    try (KernelTracing tracing =
        KernelTracing.prepare(EventSelection.DEFAULT.tracepoints(), Set.of(), 0)) {
      return HostCheck.ok(
          "tracepoints", tracing.names().size() + " tracepoints of KVM can be recorded");
    } catch (HypervisorException e) {
      return HostCheck.missing("tracepoints", e.getMessage(), "");
    } catch (LinkageError e) {
      return HostCheck.missing("tracepoints", "the host cannot be asked", "Linux on x86-64");
    }
  }

  /** Whether {@code --faults uffd} can work. */
  private static HostCheck faults() {
    try {
      KvmProbe.checkFaults();
      return HostCheck.ok("faults", "first touches of guest memory can be watched on KVM");
    } catch (HypervisorException e) {
      return HostCheck.missing("faults", e.getMessage(), "");
    } catch (LinkageError e) {
      return HostCheck.missing("faults", "the host cannot be asked", "Linux on x86-64");
    }
  }

  private static HostCheck kvm(KvmProbe probe) {
    if (!probe.usable()) {
      return HostCheck.missing("kvm", probe.reason(), probe.remedy());
    }
    String found = probe.reason() + "; API " + probe.apiVersion();
    return probe.preferred()
        ? HostCheck.ok("kvm", found)
        : HostCheck.limited("kvm", found, probe.remedy());
  }

  private static void printText(PrintWriter out, List<HostCheck> checks) {
    for (HostCheck check : checks) {
      out.printf("%-12s %-8s %s%n", check.name(), word(check), check.found());
      if (!check.remedy().isEmpty()) {
        out.printf("%-12s %-8s   to get it: %s%n", "", "", check.remedy());
      }
    }
  }

  private static void printJson(PrintWriter out, List<HostCheck> checks) {
    Json.print(
        out,
        json -> {
          json.writeStartArray();
          for (HostCheck check : checks) {
            json.writeStartObject();
            json.writeStringField("name", check.name());
            json.writeStringField("state", word(check));
            json.writeStringField("found", check.found());
            if (!check.remedy().isEmpty()) {
              json.writeStringField("remedy", check.remedy());
            }
            json.writeEndObject();
          }
          json.writeEndArray();
        });
  }

  private static String word(HostCheck check) {
    return check.state().name().toLowerCase(Locale.ROOT);
  }
}
