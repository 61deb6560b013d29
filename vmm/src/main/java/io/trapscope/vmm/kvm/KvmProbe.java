package io.trapscope.vmm.kvm;

import io.trapscope.vmm.host.LibC;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Whether KVM can be used on this host, how fast it can be, and what it would take where it cannot.
 * Works on any operating system, with or without {@code /dev/kvm}.
 *
 * @param status whether {@code KvmHypervisor} would open, and if not, the kind of obstacle
 * @param acceleration what runs the guest's instructions
 * @param apiVersion what KVM_GET_API_VERSION said, or -1 where it could not be asked
 * @param capabilities KVM's answers to KVM_CHECK_EXTENSION by name (0: not there); empty where it
 *     could not be asked
 * @param reason one clause: why {@code status} and {@code acceleration} are what they are
 * @param remedy one clause: what would improve matters; empty where nothing needs to
 */
public record KvmProbe(
    Status status,
    Acceleration acceleration,
    int apiVersion,
    Map<String, Integer> capabilities,
    String reason,
    String remedy) {

  /** Whether KVM can be used. */
  public enum Status {
    USABLE,
    /** Not Linux on x86-64. */
    WRONG_PLATFORM,
    /** No {@code /dev/kvm}. */
    ABSENT,
    /** {@code /dev/kvm} is there, and this user may not open it. */
    NOT_PERMITTED,
    /** It opens or should open, and does not work. */
    BROKEN
  }

  /** What runs the guest's instructions. */
  public enum Acceleration {
    /** The processor, in guest mode (VT-x or SVM). */
    HARDWARE,
    /** {@code kvm_pvm}: user mode runs natively, everything else is interpreted in the kernel. */
    PARAVIRTUAL,
    /** Could not be found out. */
    UNKNOWN
  }

  /** Whether it is {@link Acceleration#PARAVIRTUAL}: guests run, but not as on the processor. */
  public boolean isParavirtual() {
    return acceleration == Acceleration.PARAVIRTUAL;
  }

  /** Where the probe looks; tests put a made-up tree there. */
  record Host(String os, String arch, Path device, Path modules, Path cpuinfo) {
    static Host real() {
      return new Host(
          System.getProperty("os.name", ""),
          System.getProperty("os.arch", ""),
          Path.of(KvmAbi.DEVICE),
          Path.of("/sys/module"),
          Path.of("/proc/cpuinfo"));
    }
  }

  private static final Map<String, Integer> ASKED = new LinkedHashMap<>();

  static {
    ASKED.put("KVM_CAP_USER_MEMORY", KvmAbi.KVM_CAP_USER_MEMORY);
    ASKED.put("KVM_CAP_NR_MEMSLOTS", KvmAbi.KVM_CAP_NR_MEMSLOTS);
    ASKED.put("KVM_CAP_NR_VCPUS", KvmAbi.KVM_CAP_NR_VCPUS);
    ASKED.put("KVM_CAP_MAX_VCPUS", KvmAbi.KVM_CAP_MAX_VCPUS);
    ASKED.put("KVM_CAP_IMMEDIATE_EXIT", KvmAbi.KVM_CAP_IMMEDIATE_EXIT);
    ASKED.put("KVM_CAP_SYNC_REGS", KvmAbi.KVM_CAP_SYNC_REGS);
    ASKED.put("KVM_CAP_X86_USER_SPACE_MSR", KvmAbi.KVM_CAP_X86_USER_SPACE_MSR);
    ASKED.put("KVM_CAP_X86_MSR_FILTER", KvmAbi.KVM_CAP_X86_MSR_FILTER);
    ASKED.put("KVM_CAP_EXIT_HYPERCALL", KvmAbi.KVM_CAP_EXIT_HYPERCALL);
    ASKED.put("KVM_CAP_IRQCHIP", KvmAbi.KVM_CAP_IRQCHIP);
    ASKED.put("KVM_CAP_SPLIT_IRQCHIP", KvmAbi.KVM_CAP_SPLIT_IRQCHIP);
    ASKED.put("KVM_CAP_VCPU_EVENTS", KvmAbi.KVM_CAP_VCPU_EVENTS);
    ASKED.put("KVM_CAP_TSC_CONTROL", KvmAbi.KVM_CAP_TSC_CONTROL);
    ASKED.put("KVM_CAP_READONLY_MEM", KvmAbi.KVM_CAP_READONLY_MEM);
    ASKED.put("KVM_CAP_DIRTY_LOG_RING", KvmAbi.KVM_CAP_DIRTY_LOG_RING);
    ASKED.put("KVM_CAP_BINARY_STATS_FD", KvmAbi.KVM_CAP_BINARY_STATS_FD);
    ASKED.put("KVM_CAP_PRE_FAULT_MEMORY", KvmAbi.KVM_CAP_PRE_FAULT_MEMORY);
    ASKED.put("KVM_CAP_X86_DISABLE_EXITS", KvmAbi.KVM_CAP_X86_DISABLE_EXITS);
  }

  /** Looks at this host. Never throws. */
  public static KvmProbe probe() {
    return probe(Host.real());
  }

  static KvmProbe probe(Host host) {
    if (!host.os.toLowerCase(Locale.ROOT).startsWith("linux") || !isX86(host.arch)) {
      return without(
          Status.WRONG_PLATFORM,
          "KVM is part of Linux, and this back end knows x86-64 only; here is "
              + host.os
              + " on "
              + host.arch,
          "");
    }
    if (!Files.exists(host.device)) {
      return absent(host);
    }
    try {
      return open(host);
    } catch (LinkageError e) {
      return without(
          Status.BROKEN,
          "the C library cannot be called: " + e.getMessage(),
          "make java.io.tmpdir a directory that may hold executable files");
    }
  }

  private static KvmProbe absent(Host host) {
    Set<String> flags = cpuFlags(host.cpuinfo);
    boolean able = flags.contains("vmx") || flags.contains("svm");
    return without(
        Status.ABSENT,
        "there is no " + host.device,
        able
            ? "modprobe kvm_intel or kvm_amd as root; in a container, pass the device in (docker"
                + " run --device /dev/kvm)"
            : "the processor shows neither vmx nor svm: enable virtualization in the firmware, or"
                + " nested virtualization where this host is a virtual machine");
  }

  private static KvmProbe open(Host host) {
    int fd = LibC.open(host.device.toString(), LibC.O_RDWR | LibC.O_CLOEXEC);
    if (fd < 0) {
      return refused(host, -fd);
    }
    try {
      int version = LibC.ioctl(fd, KvmAbi.KVM_GET_API_VERSION, 0);
      if (version != KvmAbi.API_VERSION) {
        return without(
            Status.BROKEN,
            version < 0
                ? host.device + " does not answer as KVM: " + LibC.describe(-version)
                : "KVM's API version is " + version + " and not " + KvmAbi.API_VERSION,
            "");
      }
      Map<String, Integer> capabilities = new LinkedHashMap<>();
      ASKED.forEach(
          (name, number) ->
              capabilities.put(
                  name, Math.max(0, LibC.ioctl(fd, KvmAbi.KVM_CHECK_EXTENSION, number))));
      return usable(host, version, capabilities);
    } finally {
      LibC.close(fd);
    }
  }

  private static KvmProbe refused(Host host, int errno) {
    String reason = "opening " + host.device + " failed: " + LibC.describe(errno);
    return switch (errno) {
      case LibC.EACCES, LibC.EPERM ->
          without(
              Status.NOT_PERMITTED,
              reason,
              "add the user to the device's group (usermod -aG kvm USER, then log in again), or"
                  + " run as root");
      case LibC.ENOENT, LibC.ENXIO, LibC.ENODEV ->
          without(Status.ABSENT, reason, "modprobe kvm_intel or kvm_amd as root");
      default -> without(Status.BROKEN, reason, "");
    };
  }

  private static KvmProbe usable(Host host, int version, Map<String, Integer> capabilities) {
    Set<String> flags = cpuFlags(host.cpuinfo);
    boolean intel = Files.isDirectory(host.modules.resolve("kvm_intel")) && flags.contains("vmx");
    boolean amd = Files.isDirectory(host.modules.resolve("kvm_amd")) && flags.contains("svm");
    Acceleration acceleration = Acceleration.UNKNOWN;
    String reason = "neither kvm_intel, kvm_amd nor kvm_pvm shows in " + host.modules;
    String remedy = "";
    if (intel || amd) {
      acceleration = Acceleration.HARDWARE;
      reason = intel ? "kvm_intel with VT-x" : "kvm_amd with SVM";
    } else if (Files.isDirectory(host.modules.resolve("kvm_pvm"))) {
      acceleration = Acceleration.PARAVIRTUAL;
      reason =
          "kvm_pvm without VT-x or SVM: kernel-mode, real-mode and 32-bit guest code is interpreted"
              + " in the host kernel";
      remedy = "a host whose processor shows vmx or svm";
    }
    return new KvmProbe(Status.USABLE, acceleration, version, capabilities, reason, remedy);
  }

  private static KvmProbe without(Status status, String reason, String remedy) {
    return new KvmProbe(status, Acceleration.UNKNOWN, -1, Map.of(), reason, remedy);
  }

  private static boolean isX86(String arch) {
    return arch.equals("amd64") || arch.equals("x86_64");
  }

  private static Set<String> cpuFlags(Path cpuinfo) {
    try (var lines = Files.lines(cpuinfo)) {
      return lines
          .filter(line -> line.startsWith("flags"))
          .findFirst()
          .map(line -> Set.copyOf(Arrays.asList(line.split("\\s+"))))
          .orElse(Set.of());
    } catch (IOException | UncheckedIOException e) {
      return Set.of(); // nothing to be learnt there: acceleration stays unknown
    }
  }

  /**
   * Whether first touches of guest memory could be watched.
   *
   * @throws io.trapscope.vmm.hypervisor.HypervisorException where not, with what would allow it
   */
  public static void checkFaults() {
    LibC.close(UserFaults.descriptor());
  }

  /** Whether {@code KvmHypervisor} can be opened. */
  public boolean usable() {
    return status == Status.USABLE;
  }

  /** Whether {@code --accel auto} should take KVM: it works, and the processor helps. */
  public boolean preferred() {
    return usable() && acceleration == Acceleration.HARDWARE;
  }

  /** One line: KVM usable or not, why, and what would help. */
  public String explanation() {
    String verdict = usable() ? "KVM is usable: " : "KVM is not usable: ";
    String prelude = usable() ? "; for more speed: " : "; it would take: ";
    return verdict + reason + (remedy.isEmpty() ? "" : prelude + remedy);
  }

  /** The names of capabilities that KVM has, in the order asked. */
  public List<String> present() {
    return capabilities.entrySet().stream()
        .filter(capability -> capability.getValue() > 0)
        .map(Map.Entry::getKey)
        .toList();
  }
}
