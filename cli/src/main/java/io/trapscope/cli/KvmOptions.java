package io.trapscope.cli;

import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.tracepoint.EventSelection;
import io.trapscope.vmm.host.LibC;
import io.trapscope.vmm.hypervisor.HostOptions;
import io.trapscope.vmm.hypervisor.IrqChip;
import io.trapscope.vmm.hypervisor.MemoryOptions;
import io.trapscope.vmm.hypervisor.MemoryOptions.Dirty;
import io.trapscope.vmm.hypervisor.MemoryOptions.Pages;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** The options for machines on KVM. */
final class KvmOptions {
  /** KVM_SET_TSC_KHZ takes 32 bits. */
  private static final long HIGHEST_TSC_KHZ = 0xffff_ffffL;

  /** How first touches of guest memory are seen. */
  enum Faults {
    NONE,
    UFFD
  }

  @Option(
      names = "--faults",
      paramLabel = "HOW",
      defaultValue = "none",
      converter = OptionValues.Faults.class,
      completionCandidates = OptionValues.Faults.class,
      description =
          "With --accel kvm, record each first touch of a page of guest memory: uffd (through"
              + " userfaultfd), none (default: ${DEFAULT-VALUE}).")
  private Faults faults;

  @Option(
      names = "--dirty",
      paramLabel = "HOW",
      arity = "0..1",
      defaultValue = "none",
      fallbackValue = "auto",
      converter = OptionValues.Dirty.class,
      completionCandidates = OptionValues.Dirty.class,
      description =
          "With --accel kvm, record which pages the guest writes, every tenth of a second: log"
              + " (KVM's dirty log), ring (its dirty rings, which tell the vCPU), auto (the ring"
              + " where the processor helps KVM, else the log), none (default: none; auto where no"
              + " HOW is given).")
  private Dirty dirty;

  @Option(
      names = "--prefault",
      description = "With --accel kvm, back and map all guest memory before the guest runs.")
  private boolean prefault;

  @Option(
      names = "--huge-pages",
      paramLabel = "KIND",
      defaultValue = "default",
      converter = OptionValues.Pages.class,
      completionCandidates = OptionValues.Pages.class,
      description =
          "With --accel kvm, the host's pages behind guest memory: transparent, 2M or 1G (reserved"
              + " ones), default (as the host likes).")
  private Pages pages;

  @Option(
      names = "--irqchip",
      paramLabel = "WHERE",
      converter = OptionValues.IrqChips.class,
      completionCandidates = OptionValues.IrqChips.class,
      description =
          "With --accel kvm, where the interrupt controllers are: kernel, split (local APICs in the"
              + " kernel), user (all exits of theirs are seen), auto (default: auto, which is kernel"
              + " where KVM has them).")
  private IrqChip irqchip;

  @Option(
      names = "--tsc-khz",
      paramLabel = "KHZ",
      description = {
        "With --accel kvm, the rate of the guest's time-stamp counter; where the processor cannot scale"
            + " it only the host's own."
      })
  private Long tscKhz;

  @Option(
      names = "--pin",
      paramLabel = "VCPU:CPU",
      split = ",",
      converter = PinConverter.class,
      description = "With --accel kvm, keep a vCPU's thread on a CPU of the host: 0:2,1:3.")
  private List<Pin> pins = List.of();

  /** A vCPU and its CPU of the host. */
  record Pin(int vcpu, int cpu) {}

  /**
   * What the options ask for.
   *
   * @param cpus number of vCPUs
   * @param memoryBytes guest memory
   * @throws UserError where they do not go together, or with this back end
   */
  HostOptions plan(BackEnd backEnd, int cpus, long memoryBytes) {
    MemoryOptions memory = new MemoryOptions(faults == Faults.UFFD, dirty, prefault, pages);
    if (!backEnd.name().equals("kvm")) {
      boolean any = irqchip != null || tscKhz != null || !pins.isEmpty();
      if (any || !memory.equals(MemoryOptions.DEFAULT)) {
        throw UserError.badInput(
            "--faults, --dirty, --prefault, --huge-pages, --irqchip, --tsc-khz and --pin go with"
                + " --accel kvm; soft shows every exit and every EPT fault without them");
      }
      return HostOptions.DEFAULT;
    }
    if (memory.faults() && (prefault || pages != Pages.DEFAULT)) {
      throw UserError.badInput(
          "--prefault and --huge-pages would leave --faults nothing to see: choose one of them");
    }
    if (pages.shift() > 0 && memoryBytes % (1L << pages.shift()) != 0) {
      throw UserError.badInput(
          "--huge-pages: guest memory has to be a multiple of such a page; --memory 1G is one");
    }
    if (tscKhz != null && (tscKhz < 1 || tscKhz > HIGHEST_TSC_KHZ)) {
      throw UserError.badInput("--tsc-khz: 1 to " + HIGHEST_TSC_KHZ + ", not " + tscKhz);
    }
    return new HostOptions(
        memory, irqchip == null ? IrqChip.AUTO : irqchip, tscKhz == null ? 0 : tscKhz, pins(cpus));
  }

  /** Those of the options given that do nothing but record. */
  List<String> watching() {
    List<String> given = new ArrayList<>();
    if (faults != Faults.NONE) {
      given.add("--faults");
    }
    if (dirty != Dirty.NONE) {
      given.add("--dirty");
    }
    return given;
  }

  /**
   * Checks that what is watched is recorded too.
   *
   * @throws UserError where it is not among the events selected
   */
  void checkRecorded(EventSelection selection) {
    checkRecorded("--faults", faults != Faults.NONE, EventType.EPT_FAULT, selection);
    checkRecorded("--dirty", dirty != Dirty.NONE, EventType.DIRTY, selection);
  }

  private static void checkRecorded(
      String option, boolean given, EventType type, EventSelection selection) {
    if (given && !selection.types().contains(type)) {
      throw UserError.badInput(
          option
              + " records "
              + EventSelection.word(type)
              + " events, which --events or --exclude leaves out");
    }
  }

  private Map<Integer, Integer> pins(int cpus) {
    Map<Integer, Integer> result = new TreeMap<>();
    for (Pin pin : pins) {
      if (pin.vcpu() >= cpus) {
        throw UserError.badInput("--pin: there is no vCPU " + pin.vcpu() + " of " + cpus);
      }
      if (!LibC.mayUse(pin.cpu())) {
        throw UserError.badInput(
            "--pin: CPU " + pin.cpu() + " is not among those that this process may use");
      }
      if (result.put(pin.vcpu(), pin.cpu()) != null) {
        throw UserError.badInput("--pin: vCPU " + pin.vcpu() + " has two CPUs");
      }
    }
    return result;
  }

  /** For {@code VCPU:CPU}. */
  static final class PinConverter implements ITypeConverter<Pin> {
    @Override
    public Pin convert(String text) {
      if (!text.matches("\\d{1,4}:\\d{1,4}")) {
        throw new TypeConversionException("'" + text + "' is not VCPU:CPU, such as 0:2");
      }
      int colon = text.indexOf(':');
      return new Pin(
          Integer.parseInt(text.substring(0, colon)), Integer.parseInt(text.substring(colon + 1)));
    }
  }
}
