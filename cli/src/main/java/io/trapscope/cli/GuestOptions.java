package io.trapscope.cli;

import io.trapscope.vmm.boot.BootModule;
import io.trapscope.vmm.boot.FlatLoader;
import io.trapscope.vmm.boot.KernelEntry;
import io.trapscope.vmm.boot.KernelLoader;
import io.trapscope.vmm.fetch.DebianCloudGuest;
import io.trapscope.vmm.guests.Guests;
import io.trapscope.vmm.guests.HostKind;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The options that say what to run. Exactly one of guest, kernel and flat. */
final class GuestOptions {
  private static final Duration FETCH_LIMIT = Duration.ofMinutes(10);

  @Option(
      names = "--guest",
      paramLabel = "NAME",
      description = "A guest by name; 'trapscope guests' lists them.")
  private String guest;

  @Option(
      names = "--kernel",
      paramLabel = "FILE",
      description =
          "A kernel, recognized by its content: bzImage, ELF (PVH, 64-bit), Multiboot; also"
              + " compressed.")
  private Path kernel;

  @Option(
      names = "--initrd",
      paramLabel = "FILE",
      description = "RAM disk for the kernel, given to it as it is.")
  private Path initrd;

  @Option(
      names = "--module",
      paramLabel = "'FILE [TEXT]'",
      description =
          "A further file for a Multiboot or PVH kernel, with what the kernel is told of it; may be"
              + " given several times.")
  private List<String> modules = List.of();

  @Option(
      names = "--kernel-entry",
      paramLabel = "NAME",
      defaultValue = "auto",
      converter = OptionValues.KernelEntries.class,
      completionCandidates = OptionValues.KernelEntries.class,
      description = "Which entry of the kernel: ${COMPLETION-CANDIDATES} (default: auto).")
  private KernelEntry kernelEntry;

  @Option(
      names = "--flat",
      paramLabel = "FILE",
      description = "An image without a format; needs --load, --entry and --mode.")
  private Path flat;

  @Option(
      names = "--load",
      paramLabel = "GPA",
      converter = Quantities.AddressConverter.class,
      description = "Guest-physical address where the flat image goes.")
  private Long load;

  @Option(
      names = "--entry",
      paramLabel = "GPA",
      converter = Quantities.AddressConverter.class,
      description = "Guest-physical address of its first instruction.")
  private Long entry;

  @Option(
      names = "--mode",
      paramLabel = "MODE",
      converter = OptionValues.Modes.class,
      completionCandidates = OptionValues.Modes.class,
      description = "Mode it starts in: ${COMPLETION-CANDIDATES}.")
  private FlatLoader.Mode mode;

  @Option(
      names = "--append",
      paramLabel = "TEXT",
      defaultValue = "",
      description = "Command line for the guest.")
  private String append;

  /**
   * Reads the guest's files.
   *
   * @param host where it will run
   * @param files where they are
   * @throws UserError where the options do not name one guest, or a file cannot be read
   */
  GuestChoice choose(HostKind host, GuestFiles files) {
    int named = (guest == null ? 0 : 1) + (kernel == null ? 0 : 1) + (flat == null ? 0 : 1);
    if (named != 1) {
      throw UserError.badInput("name one guest: --guest NAME, --kernel FILE or --flat FILE");
    }
    if (flat == null && (load != null || entry != null || mode != null)) {
      throw UserError.badInput("--load, --entry and --mode go with --flat");
    }
    boolean more = initrd != null || !modules.isEmpty() || kernelEntry != KernelEntry.AUTO;
    if (kernel == null && more) {
      throw UserError.badInput("--initrd, --module and --kernel-entry go with --kernel");
    }
    if (kernel != null) {
      return kernel(files);
    }
    return flat == null ? named(host, files) : flat(files.find("flat", flat).orElseThrow());
  }

  private GuestChoice kernel(GuestFiles files) {
    Path file = files.find("kernel", kernel).orElseThrow();
    GuestImages images = new GuestImages().add("kernel", file);
    List<BootModule> beside = new ArrayList<>();
    if (initrd != null) {
      Path initrdFile = files.find("initrd", initrd).orElseThrow();
      beside.add(new BootModule(initrdFile, initrd.toString()));
      images.add("initrd", initrdFile);
    }
    for (String module : modules) {
      Path moduleFile = files.find("module", Path.of(module.split(" ", 2)[0])).orElseThrow();
      beside.add(new BootModule(moduleFile, module));
      images.add("module", moduleFile);
    }
    return new GuestChoice(
        String.valueOf(kernel.getFileName()),
        KernelLoader.open(new BootModule(file, kernel.toString()), beside, append, kernelEntry),
        images,
        false);
  }

  private GuestChoice named(HostKind host, GuestFiles files) {
    if (guest.equals(DebianCloudGuest.NAME)) {
      return debianCloud(files);
    }
    try {
      return bundled(Guests.named(guest), append, host);
    } catch (IllegalArgumentException e) {
      throw UserError.badInput(e.getMessage(), e);
    }
  }

  private GuestChoice debianCloud(GuestFiles files) {
    Optional<Path> keptKernel = files.find("kernel", null);
    Optional<Path> keptInitrd = files.find("initrd", null);
    if (keptKernel.isPresent() && keptInitrd.isPresent()) {
      return debianCloud(keptKernel.get(), keptInitrd.get(), append);
    }
    DebianCloudGuest.Fetched fetched =
        DebianCloudGuest.inUsersCache(FETCH_LIMIT)
            .cached()
            .orElseThrow(
                () ->
                    UserError.badInput(
                        guest + " is not here yet; run: trapscope guests fetch " + guest));
    return debianCloud(fetched.kernel(), fetched.initrd(), append);
  }

  /** Debian's cloud kernel, fetched. */
  static GuestChoice debianCloud(Path kernel, Path initrd, String append) {
    String commandLine = (DebianCloudGuest.COMMAND_LINE + " " + append).strip();
    return new GuestChoice(
        DebianCloudGuest.NAME,
        KernelLoader.open(kernel, List.of(BootModule.of(initrd)), commandLine, KernelEntry.AUTO),
        new GuestImages().add("kernel", kernel).add("initrd", initrd),
        false);
  }

  /** A bundled guest. */
  static GuestChoice bundled(Guests guest, String append, HostKind host) {
    GuestImages image = new GuestImages().add("guest", "bundled:" + guest.title(), guest.image());
    return new GuestChoice(guest.title(), guest.boot(append, host), image, true);
  }

  private GuestChoice flat(Path file) {
    if (load == null || entry == null || mode == null) {
      throw UserError.badInput("--flat needs --load, --entry and --mode");
    }
    byte[] bytes = GuestImages.read(file);
    String name = String.valueOf(file.getFileName());
    return new GuestChoice(
        name,
        new FlatLoader(name, bytes, load, entry, mode, append),
        new GuestImages().add("flat", file.toString(), bytes),
        false);
  }
}
