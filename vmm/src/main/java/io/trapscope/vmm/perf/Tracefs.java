package io.trapscope.vmm.perf;

import io.trapscope.recorder.tracepoint.TracepointFormat;
import io.trapscope.vmm.host.LibC;
import io.trapscope.vmm.hypervisor.HypervisorException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The kernel's file system of tracepoints. Where it is not mounted it is opened all the same, as a
 * mount that nobody else sees and that goes with its descriptor (fsopen, Linux 5.2), so that
 * nothing on the host changes.
 */
public final class Tracefs implements AutoCloseable {
  private static final int NO_DESCRIPTOR = -1;

  private final Path events;
  private final int mount;

  private Tracefs(Path root, int mount) {
    this.events = root.resolve("events");
    this.mount = mount;
  }

  /**
   * Opens it.
   *
   * @throws HypervisorException with what would allow it, where it cannot be read
   */
  public static Tracefs open() {
    boolean forbidden = false;
    for (Path root : mounted()) {
      if (Files.isReadable(root.resolve("events/kvm"))) {
        return new Tracefs(root, NO_DESCRIPTOR);
      }
      forbidden |= Files.isDirectory(root);
    }
    int mount = mountForUs();
    if (mount >= 0) {
      Tracefs ours = new Tracefs(Path.of("/proc/self/fd/" + mount), mount);
      if (Files.isDirectory(ours.events.resolve("kvm"))) {
        return ours;
      }
      ours.close();
      throw new HypervisorException(
          "the kernel has no tracepoints of KVM (no events/kvm in tracefs): load the module kvm");
    }
    boolean denied = mount == -LibC.EPERM || forbidden;
    throw new HypervisorException(
        denied
            ? "KVM's tracepoints cannot be read: tracefs is for root; run as root, or let the user"
                + " in with: mount -o remount,mode=755 /sys/kernel/tracing"
            : "tracefs is not mounted: mount -t tracefs tracefs /sys/kernel/tracing");
  }

  private static List<Path> mounted() {
    List<Path> roots = new ArrayList<>();
    try {
      for (String line : Files.readAllLines(Path.of("/proc/self/mounts"))) {
        String[] words = line.split(" ");
        if (words.length > 2 && words[2].equals("tracefs")) {
          roots.add(Path.of(words[1]));
        } else if (words.length > 2 && words[2].equals("debugfs")) {
          roots.add(Path.of(words[1], "tracing"));
        }
      }
    } catch (IOException e) {
      // No /proc: then there is nothing of the rest either.
    }
    return roots;
  }

  private static int mountForUs() {
    int context = LibC.fsopen("tracefs");
    if (context < 0) {
      return context;
    }
    try {
      int created = LibC.fsconfigCreate(context);
      return created < 0 ? created : LibC.fsmount(context);
    } finally {
      LibC.close(context);
    }
  }

  /**
   * The format of a tracepoint; empty where this kernel has no such one.
   *
   * @throws HypervisorException where it cannot be read or understood
   */
  public Optional<TracepointFormat> format(String system, String name) {
    Path file = events.resolve(system).resolve(name).resolve("format");
    try {
      return Optional.of(
          TracepointFormat.parse(Files.readString(file, StandardCharsets.ISO_8859_1)));
    } catch (NoSuchFileException e) {
      return Optional.empty();
    } catch (AccessDeniedException e) {
      throw new HypervisorException(
          "the format of " + system + ":" + name + " may not be read: run as root", e);
    } catch (IOException | IllegalArgumentException e) {
      throw new HypervisorException(
          "the format of " + system + ":" + name + " cannot be read: " + e.getMessage(), e);
    }
  }

  @Override
  public void close() {
    if (mount != NO_DESCRIPTOR) {
      LibC.close(mount);
    }
  }
}
