package io.trapscope.cli;

import io.trapscope.vmm.hypervisor.MemoryOptions;
import io.trapscope.vmm.hypervisor.MemoryOptions.Pages;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** The options for machines on KVM. */
final class KvmOptions {
  /** How first touches of guest memory are seen. */
  enum Faults {
    NONE,
    UFFD
  }

  @Option(
      names = "--faults",
      paramLabel = "HOW",
      defaultValue = "none",
      description =
          "With --accel kvm, record each first touch of a page of guest memory: uffd (through"
              + " userfaultfd), none (default: ${DEFAULT-VALUE}).")
  private Faults faults;

  @Option(
      names = "--dirty",
      description =
          "With --accel kvm, record which pages the guest writes, every tenth of a second (KVM's"
              + " dirty log).")
  private boolean dirty;

  @Option(
      names = "--prefault",
      description = "With --accel kvm, back and map all guest memory before the guest runs.")
  private boolean prefault;

  @Option(
      names = "--huge-pages",
      paramLabel = "KIND",
      defaultValue = "default",
      converter = PagesConverter.class,
      description =
          "With --accel kvm, the host's pages behind guest memory: transparent, 2M or 1G (reserved"
              + " ones), default (as the host likes).")
  private Pages pages;

  /**
   * What the options ask for.
   *
   * @throws UserError where they do not go together, or with this back end
   */
  KvmPlan plan(BackEnd backEnd) {
    MemoryOptions memory = new MemoryOptions(faults == Faults.UFFD, dirty, prefault, pages);
    KvmPlan plan = new KvmPlan(memory);
    if (!backEnd.name().equals("kvm") && !plan.equals(KvmPlan.DEFAULT)) {
      throw UserError.badInput(
          "--faults, --dirty, --prefault and --huge-pages go with --accel kvm; soft shows every"
              + " EPT fault without them");
    }
    if (memory.faults() && (prefault || pages != Pages.DEFAULT)) {
      throw UserError.badInput(
          "--prefault and --huge-pages would leave --faults nothing to see: choose one of them");
    }
    return plan;
  }

  /** For {@link Pages}, some of whose names start with digits. */
  static final class PagesConverter implements ITypeConverter<Pages> {
    @Override
    public Pages convert(String text) {
      return switch (text) {
        case "default" -> Pages.DEFAULT;
        case "transparent" -> Pages.TRANSPARENT;
        case "2M" -> Pages.HUGE_2M;
        case "1G" -> Pages.HUGE_1G;
        default ->
            throw new TypeConversionException(
                "'" + text + "' is none of default, transparent, 2M, 1G");
      };
    }
  }
}
