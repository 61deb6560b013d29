package io.trapscope.vmm.perf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.abort;

import io.trapscope.recorder.tracepoint.Tracepoint;
import io.trapscope.recorder.tracepoint.TracepointFormat;
import io.trapscope.vmm.host.LibC;
import io.trapscope.vmm.hypervisor.HypervisorException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The ring of a thread whose system calls are the events: no KVM is needed. */
class TracepointRingTest {
  /** One that the JVM never makes: where it stops a thread, that thread asks for its own id. */
  private static final int SYS_GETPPID = 110;

  /** What a ring handed over. */
  private static final class Seen implements TracepointRing.Reader {
    private final TracepointFormat.Field number;
    private final List<Long> times = new ArrayList<>();
    private int calls;
    private long all;
    private long lost;
    private final Map<Integer, Long> losses = new TreeMap<>();

    Seen(Tracepoint enter) {
      number = enter.format().field("id");
    }

    @Override
    public void record(
        Tracepoint tracepoint, ByteBuffer raw, int at, int length, long nanos, int pid, int tid) {
      all++;
      times.add(nanos);
      boolean entered = tracepoint.format().name().equals("sys_enter");
      if (entered && number.number(raw, at) == SYS_GETPPID) {
        calls++;
      }
    }

    @Override
    public void lost(long count, long nanos) {
      lost += count;
      losses.put(times.size(), nanos);
    }
  }

  private final List<Tracepoint> tracepoints = tracepoints();

  private static List<Tracepoint> tracepoints() {
    try (Tracefs tracefs = Tracefs.open()) {
      List<Tracepoint> found = new ArrayList<>();
      for (String name : List.of("sys_enter", "sys_exit")) {
        tracefs
            .format("raw_syscalls", name)
            .ifPresent(format -> found.add(new Tracepoint(null, format)));
      }
      if (found.size() < 2) {
        return abort("this kernel has no raw_syscalls tracepoints");
      }
      TracepointRing.ofThisThread(found, 0).close();
      return found;
    } catch (HypervisorException e) {
      return abort(e.getMessage());
    }
  }

  private static void call(int times) {
    for (int i = 0; i < times; i++) {
      LibC.syscall(SYS_GETPPID, 0, 0, 0, 0, 0);
    }
  }

  @Test
  void everyRecordComesOnceAndInOrder() {
    Seen seen = new Seen(tracepoints.get(0));
    try (TracepointRing ring = TracepointRing.ofThisThread(tracepoints, 64 << 10)) {
      call(10); // before it is enabled
      long begin = System.nanoTime();
      ring.enable();
      // Several times the ring's size, so that records cross its end.
      for (int round = 0; round < 100; round++) {
        call(57);
        ring.drain(seen);
      }
      ring.disable();
      long end = System.nanoTime();
      call(10);
      ring.drain(seen);
      assertThat(seen.calls).isEqualTo(5700);
      assertThat(seen.lost).isZero();
      assertThat(ring.counted(0) + ring.counted(1)).isEqualTo(seen.all);
      assertThat(ring.read(0) + ring.read(1)).isEqualTo(seen.all);
      assertThat(ring.unreported()).isZero();
      assertThat(seen.times).isSorted();
      assertThat(seen.times.get(0)).isGreaterThanOrEqualTo(begin);
      assertThat(seen.times.get(seen.times.size() - 1)).isLessThanOrEqualTo(end);
    }
  }

  @Test
  void recordsThatAreLaterThanAskedForStayForTheNextTime() {
    Seen seen = new Seen(tracepoints.get(0));
    try (TracepointRing ring = TracepointRing.ofThisThread(tracepoints, 64 << 10)) {
      ring.enable();
      // Several times the ring's size, so that what stays crosses its end.
      for (int round = 0; round < 100; round++) {
        call(40);
        long now = System.nanoTime();
        call(17);
        ring.drain(seen, now);
        assertThat(seen.calls).isEqualTo(57 * round + 40);
        assertThat(seen.times.get(seen.times.size() - 1)).isLessThanOrEqualTo(now);
        ring.drain(seen);
        assertThat(seen.calls).isEqualTo(57 * round + 57);
      }
      assertThat(seen.times).isSorted();
    }
  }

  @Test
  void whatFindsNoRoomIsCountedToTheLast() {
    Seen seen = new Seen(tracepoints.get(0));
    try (TracepointRing ring = TracepointRing.ofThisThread(tracepoints, 64 << 10)) {
      ring.enable();
      call(20_000);
      ring.drain(seen);
      call(3); // the kernel tells of the loss when there is room again
      ring.drain(seen);
      call(20_000);
      ring.disable();
      ring.drain(seen);
      long unreported = ring.unreported();
      assertThat(seen.lost).isPositive();
      seen.losses.forEach(
          (next, nanos) -> assertThat(nanos).as("a loss").isEqualTo(seen.times.get(next)));
      assertThat(unreported).isPositive();
      assertThat(seen.all + seen.lost + unreported)
          .isEqualTo(ring.counted(0) + ring.counted(1))
          .isGreaterThan(80_000);
    }
  }

  @Test
  void otherThreadsAreNotInIt() throws InterruptedException {
    Seen seen = new Seen(tracepoints.get(0));
    try (TracepointRing ring = TracepointRing.ofThisThread(tracepoints, 64 << 10)) {
      ring.enable();
      Thread other = new Thread(() -> call(500));
      other.start();
      other.join();
      ring.disable();
      ring.drain(seen);
      assertThat(seen.calls).isZero();
    }
  }

  // Every call of set-up fails once.

  private static final class Refusing implements PerfCalls {
    private final int refused;
    private final int errno;
    private int calls;

    Refusing(int refused, int errno) {
      this.refused = refused;
      this.errno = errno;
    }

    private boolean refuses() {
      return calls++ == refused;
    }

    @Override
    public int open(ByteBuffer attributes, int pid, int cpu) {
      return refuses() ? -errno : REAL.open(attributes, pid, cpu);
    }

    @Override
    public int ioctl(int fd, long request, long argument) {
      return refuses() ? -errno : REAL.ioctl(fd, request, argument);
    }

    @Override
    public long mmap(int fd, long bytes) {
      return refuses() ? -errno : REAL.mmap(fd, bytes);
    }
  }

  private static long descriptors() throws IOException {
    try (Stream<Path> files = Files.list(Path.of("/proc/self/fd"))) {
      return files.filter(TracepointRingTest::isPerfEvent).count();
    }
  }

  private static boolean isPerfEvent(Path descriptor) {
    try {
      return Files.readSymbolicLink(descriptor).toString().contains("perf_event");
    } catch (IOException e) {
      return false;
    }
  }

  @Test
  void aStepThatFailsIsNamedAndLeavesNothingOpen() throws IOException {
    List<String> failures = new ArrayList<>();
    boolean through = false;
    for (int step = 0; !through; step++) {
      Refusing refusing = new Refusing(step, LibC.EMFILE);
      try (TracepointRing ring = TracepointRing.ofThisThread(refusing, tracepoints, 128 << 10)) {
        ring.enable();
        through = refusing.calls <= step;
      } catch (HypervisorException e) {
        failures.add(e.getMessage());
      }
      assertThat(descriptors()).as("after %s", failures).isZero();
    }
    assertThat(failures)
        .hasSize(6)
        .allMatch(line -> line.contains("(errno 24)"))
        .anyMatch(line -> line.startsWith("perf_event_open of sys_enter failed"))
        .anyMatch(line -> line.startsWith("mapping a ring buffer of 128 KiB failed"))
        .anyMatch(line -> line.startsWith("sharing the ring with sys_exit failed"))
        .anyMatch(line -> line.startsWith("enabling a tracepoint failed"));
  }

  @Test
  void whatIsForbiddenIsNamedWithTheSettingThatAllowsIt() {
    assertThatThrownBy(
            () -> TracepointRing.ofThisThread(new Refusing(0, LibC.EACCES), tracepoints, 0))
        .isInstanceOf(HypervisorException.class)
        .hasMessageMatching(
            "perf_event_open of sys_enter is not permitted \\(perf_event_paranoid is -?\\d+\\):"
                + " run as root or with CAP_PERFMON, or allow it with: sysctl"
                + " kernel.perf_event_paranoid=-1; .*");
  }

  @Test
  void aRingThatIsTooLargeForTheUserIsMadeSmaller() {
    Refusing once = new Refusing(1, LibC.EPERM);
    try (TracepointRing ring = TracepointRing.ofThisThread(once, tracepoints, 128 << 10)) {
      ring.enable();
      assertThat(once.calls).isEqualTo(7);
    }
  }
}
