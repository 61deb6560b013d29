package io.trapscope.cli.host;

import io.trapscope.recorder.capture.Processes;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Processes as /proc shows them, and which of them were chosen: by number, by name, or all.
 *
 * <p>A name is the process's own (15 letters at most) or that of its program's file, so that {@code
 * qemu-system-x86_64} finds what the kernel calls {@code qemu-system-x86}.
 */
public final class HostProcesses implements Processes {
  private static final Pattern THREAD_GROUP = Pattern.compile("(?m)^Tgid:\\s*(\\d+)$");
  private static final Pattern STATE = Pattern.compile("(?m)^State:\\s*(\\S)");

  private static final Pattern NUMBER = Pattern.compile("\\d{1,9}");

  private final Path proc;
  private final Set<Integer> pids;
  private final Set<String> names;

  /**
   * @param proc {@code /proc}, or a test's own
   * @param pids processes chosen by number; empty together with {@code names} for all
   * @param names processes chosen by name
   */
  public HostProcesses(Path proc, Set<Integer> pids, Set<String> names) {
    this.proc = proc;
    this.pids = Set.copyOf(pids);
    this.names = Set.copyOf(names);
  }

  /** The process that a number, which may be a thread's, belongs to; -1 where there is none. */
  public int processOf(int number) {
    Matcher group = THREAD_GROUP.matcher(read(proc.resolve(number + "/status")));
    return group.find() ? Integer.parseInt(group.group(1)) : -1;
  }

  /** Whether the process runs; one that has ended and was not waited for does not. */
  public boolean isAlive(int pid) {
    Matcher state = STATE.matcher(read(proc.resolve(pid + "/status")));
    return state.find() && !state.group(1).equals("Z") && !state.group(1).equals("X");
  }

  /** Whether a chosen process has a VM of KVM's; also true where its files may not be looked at. */
  public boolean haveVm() {
    try (Stream<Path> all = Files.list(proc)) {
      return all.map(each -> each.getFileName().toString())
          .filter(name -> NUMBER.matcher(name).matches())
          .mapToInt(Integer::parseInt)
          .anyMatch(pid -> isWanted(pid) && hasVm(pid));
    } catch (IOException e) {
      return true;
    }
  }

  private boolean hasVm(int pid) {
    try (Stream<Path> files = Files.list(proc.resolve(pid + "/fd"))) {
      return files.anyMatch(file -> link(file).equals("anon_inode:kvm-vm"));
    } catch (NoSuchFileException | UncheckedIOException e) {
      return false; // it has ended, the second while it was looked at
    } catch (IOException e) {
      return true;
    }
  }

  private static String link(Path file) {
    try {
      return Files.readSymbolicLink(file).toString();
    } catch (IOException e) {
      return ""; // closed meanwhile
    }
  }

  @Override
  public boolean isWanted(int pid) {
    if (pids.isEmpty() && names.isEmpty()) {
      return true;
    }
    return pids.contains(pid) || names.contains(process(pid)) || names.contains(program(pid));
  }

  @Override
  public boolean isUnknown(int pid) {
    return !names.isEmpty() && process(pid).isEmpty();
  }

  private String program(int pid) {
    String file = link(proc.resolve(pid + "/exe"));
    return file.substring(file.lastIndexOf('/') + 1);
  }

  @Override
  public String process(int pid) {
    return read(proc.resolve(pid + "/comm"));
  }

  @Override
  public String thread(int pid, int tid) {
    return read(proc.resolve(pid + "/task/" + tid + "/comm"));
  }

  private static String read(Path file) {
    try {
      return Files.readString(file).strip();
    } catch (IOException e) {
      return ""; // it has ended
    }
  }
}
