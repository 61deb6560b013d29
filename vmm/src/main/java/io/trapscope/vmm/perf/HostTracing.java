package io.trapscope.vmm.perf;

import io.trapscope.recorder.event.Counter;
import io.trapscope.recorder.tracepoint.Tracepoint;
import io.trapscope.vmm.hypervisor.HypervisorException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The tracepoints of a whole host: a ring a CPU, read together in the order of time. A thread that
 * moves to another CPU has its records in two rings, so nothing is handed on before every ring was
 * read past it. One thread.
 */
public final class HostTracing implements AutoCloseable {
  /**
   * How long a record may take from its time stamp until it can be read: what is younger waits for
   * the next look. An interrupt in between takes microseconds.
   */
  private static final long SETTLING_NANOS = 2_000_000;

  /** A CPU's ring, and what was read of it and is not handed on yet. */
  private static final class Cpu implements TracepointRing.Reader {
    // Each record: its length, index of its tracepoint, pid, tid, time; then its bytes.
    private static final int HEAD = 24;
    private static final int LOSS = -1;

    private final TracepointRing ring;
    private final List<Tracepoint> known;
    private ByteBuffer queue = ByteBuffer.allocate(1 << 20).order(ByteOrder.LITTLE_ENDIAN);
    private int from;

    Cpu(TracepointRing ring) {
      this.ring = ring;
      this.known = ring.tracepoints();
    }

    @Override
    public void record(
        Tracepoint tracepoint, ByteBuffer raw, int at, int length, long nanos, int pid, int tid) {
      head(length, known.indexOf(tracepoint), pid, tid, nanos);
      queue.put(queue.position(), raw, at, length);
      queue.position(queue.position() + length);
    }

    @Override
    public void lost(long count, long nanos) {
      head(Long.BYTES, LOSS, 0, 0, nanos);
      queue.putLong(count);
    }

    private void head(int length, int index, int pid, int tid, long nanos) {
      if (queue.remaining() < HEAD + length) {
        makeRoom(HEAD + length);
      }
      queue.putInt(length).putInt(index).putInt(pid).putInt(tid).putLong(nanos);
    }

    /** Moves what waits to the front, into a larger buffer where that is not enough. */
    private void makeRoom(int bytes) {
      int waiting = queue.position() - from;
      ByteBuffer target = queue;
      if (waiting + bytes > queue.capacity() / 2) {
        target = ByteBuffer.allocate(queue.capacity() * 2).order(ByteOrder.LITTLE_ENDIAN);
      }
      System.arraycopy(queue.array(), from, target.array(), 0, waiting);
      target.position(waiting);
      queue = target;
      from = 0;
    }

    /** Time of the next record; {@code Long.MAX_VALUE} where none waits. */
    long next() {
      return from == queue.position() ? Long.MAX_VALUE : queue.getLong(from + 16);
    }

    void handOn(TracepointRing.Reader reader) {
      int length = queue.getInt(from);
      int index = queue.getInt(from + 4);
      long nanos = queue.getLong(from + 16);
      if (index == LOSS) {
        reader.lost(queue.getLong(from + HEAD), nanos);
      } else {
        reader.record(
            known.get(index),
            queue,
            from + HEAD,
            length,
            nanos,
            queue.getInt(from + 8),
            queue.getInt(from + 12));
      }
      from += HEAD + length;
      if (from == queue.position()) {
        queue.clear();
        from = 0;
      }
    }
  }

  private final List<Cpu> cpus = new ArrayList<>();
  private boolean enabled;

  /**
   * Makes a ring for each CPU; they do not fill before {@link #enable}.
   *
   * @param ringBytes size of each
   * @throws HypervisorException with what would allow it, where the host refuses
   */
  public HostTracing(KernelTracing tracepoints, int ringBytes) {
    try {
      for (int cpu : online()) {
        cpus.add(new Cpu(TracepointRing.ofCpu(tracepoints.tracepoints(), cpu, ringBytes)));
      }
    } catch (HypervisorException e) {
      close();
      throw e;
    }
  }

  /** Numbers of the CPUs that are in use: the kernel writes them as 0-3,8. */
  private static List<Integer> online() {
    List<Integer> numbers = new ArrayList<>();
    try {
      String text = Files.readString(Path.of("/sys/devices/system/cpu/online")).strip();
      for (String range : text.split(",")) {
        String[] ends = range.split("-");
        int last = Integer.parseInt(ends[ends.length - 1]);
        for (int cpu = Integer.parseInt(ends[0]); cpu <= last; cpu++) {
          numbers.add(cpu);
        }
      }
      return numbers;
    } catch (IOException | NumberFormatException e) {
      throw new HypervisorException("the host's CPUs are not known: " + e.getMessage(), e);
    }
  }

  /** Lets records in. */
  public void enable() {
    for (Cpu cpu : cpus) {
      cpu.ring.enable();
    }
    enabled = true;
  }

  /** Hands over what has settled, in the order of time. */
  public void drain(TracepointRing.Reader reader) {
    long settled = System.nanoTime() - SETTLING_NANOS;
    for (Cpu cpu : cpus) {
      cpu.ring.drain(cpu);
    }
    handOn(reader, settled);
  }

  private void handOn(TracepointRing.Reader reader, long until) {
    while (true) {
      Cpu first = null;
      long second = until;
      for (Cpu cpu : cpus) {
        long next = cpu.next();
        if (next <= until && (first == null || next < first.next())) {
          second = first == null ? second : first.next();
          first = cpu;
        } else {
          second = Math.min(second, next);
        }
      }
      if (first == null) {
        return;
      }
      while (first.next() <= second) {
        first.handOn(reader);
      }
    }
  }

  /** Lets no more records in, and hands over the last ones. */
  public void finish(TracepointRing.Reader reader) {
    cpus.forEach(cpu -> cpu.ring.disable());
    for (Cpu cpu : cpus) {
      cpu.ring.drain(cpu);
    }
    handOn(reader, Long.MAX_VALUE - 1);
    for (Cpu cpu : cpus) {
      long missing = enabled ? cpu.ring.unreported() : 0;
      if (missing > 0) {
        reader.lost(missing, System.nanoTime());
      }
    }
  }

  /** How often each tracepoint was hit on all CPUs, and how many records of it were read. */
  public List<Counter> counters() {
    List<Counter> counters = new ArrayList<>();
    List<Tracepoint> tracepoints = cpus.get(0).ring.tracepoints();
    for (int i = 0; i < tracepoints.size(); i++) {
      long counted = 0;
      long read = 0;
      for (Cpu cpu : cpus) {
        counted += cpu.ring.counted(i);
        read += cpu.ring.read(i);
      }
      String name = tracepoints.get(i).format().name();
      counters.add(Counter.count(KernelTracing.COUNTED, name, counted));
      counters.add(Counter.count(KernelTracing.READ, name, read));
    }
    return counters;
  }

  @Override
  public void close() {
    cpus.forEach(cpu -> cpu.ring.close());
    cpus.clear();
  }
}
