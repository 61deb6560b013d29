package io.trapscope.vmm.perf;

import io.trapscope.recorder.tracepoint.Tracepoint;
import io.trapscope.vmm.host.Descriptors;
import io.trapscope.vmm.host.LibC;
import io.trapscope.vmm.hypervisor.HypervisorException;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * A ring buffer that the kernel fills with the records of some tracepoints: those of one thread, or
 * those of one CPU. Records come in the order of time. Reading allocates nothing and makes no
 * system call. One thread at a time.
 */
public final class TracepointRing implements AutoCloseable {
  /** Takes what is in a ring. */
  public interface Reader {
    /**
     * One record.
     *
     * @param raw little-endian; valid during the call
     * @param at where the record begins in it
     * @param nanos when, on the clock of System.nanoTime
     * @param pid process that it came from, or 0 in a ring of one thread
     * @param tid thread that it came from, or 0 in a ring of one thread
     */
    void record(
        Tracepoint tracepoint, ByteBuffer raw, int at, int length, long nanos, int pid, int tid);

    /**
     * Records that found no room in the ring.
     *
     * @param nanos time of the record behind them, which is the next one
     */
    void lost(long count, long nanos);
  }

  /** Default bytes of a ring: some 80,000 records. */
  public static final int DEFAULT_BYTES = 8 << 20;

  /** No ring is made smaller than this. */
  private static final int LEAST_BYTES = 64 << 10;

  private static final int PAGE = 4096;

  /** The kernel gets its room back at least after so many bytes were read. */
  private static final int RELEASE_BYTES = 256 << 10;

  private static final int ANY = -1;

  private static final VarHandle LONG =
      MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private final PerfCalls calls;
  private final boolean withThreads;
  private final List<Tracepoint> tracepoints;
  private final Tracepoint[] byId = new Tracepoint[1 << 16];
  private final List<Integer> descriptors = new ArrayList<>();
  private final long[] read;
  private final int[] indexById = new int[1 << 16];
  private final ByteBuffer scratch = ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN);

  private long address;
  private long mappedBytes;
  private ByteBuffer control;
  private ByteBuffer data;
  private int mask;
  private long tail;
  private long lost; // told with the record behind them
  private long reported;

  private TracepointRing(
      PerfCalls calls, List<Tracepoint> tracepoints, int pid, int cpu, int bytes) {
    this.calls = calls;
    this.tracepoints = List.copyOf(tracepoints);
    this.withThreads = cpu != ANY;
    this.read = new long[tracepoints.size()];
    try {
      for (int i = 0; i < tracepoints.size(); i++) {
        Tracepoint tracepoint = tracepoints.get(i);
        int id = tracepoint.format().id();
        byId[id] = tracepoint;
        indexById[id] = i;
        open(tracepoint, pid, cpu, bytes);
      }
    } catch (RuntimeException e) {
      close();
      throw e;
    }
  }

  /**
   * A ring of the calling thread's records; it does not fill before {@link #enable}.
   *
   * @param bytes its size; a smaller one is made where the host allows no more
   * @throws HypervisorException with what would allow it, where the host refuses
   */
  public static TracepointRing ofThisThread(List<Tracepoint> tracepoints, int bytes) {
    return new TracepointRing(PerfCalls.REAL, tracepoints, 0, ANY, bytes);
  }

  /** A ring of all records of one CPU. */
  public static TracepointRing ofCpu(List<Tracepoint> tracepoints, int cpu, int bytes) {
    return new TracepointRing(PerfCalls.REAL, tracepoints, ANY, cpu, bytes);
  }

  static TracepointRing ofThisThread(PerfCalls calls, List<Tracepoint> tracepoints, int bytes) {
    return new TracepointRing(calls, tracepoints, 0, ANY, bytes);
  }

  private void open(Tracepoint tracepoint, int pid, int cpu, int bytes) {
    ByteBuffer attributes = LibC.allocate(PerfAbi.ATTR_BYTES);
    attributes.putInt(PerfAbi.ATTR_TYPE, PerfAbi.PERF_TYPE_TRACEPOINT);
    attributes.putInt(PerfAbi.ATTR_SIZE, PerfAbi.ATTR_BYTES);
    attributes.putLong(PerfAbi.ATTR_CONFIG, tracepoint.format().id());
    attributes.putLong(PerfAbi.ATTR_SAMPLE_PERIOD, 1);
    attributes.putLong(
        PerfAbi.ATTR_SAMPLE_TYPE,
        PerfAbi.PERF_SAMPLE_TIME
            | PerfAbi.PERF_SAMPLE_RAW
            | (withThreads ? PerfAbi.PERF_SAMPLE_TID : 0));
    attributes.putLong(
        PerfAbi.ATTR_FLAGS,
        PerfAbi.FLAG_DISABLED | PerfAbi.FLAG_WATERMARK | PerfAbi.FLAG_USE_CLOCKID);
    // Nobody waits for the ring, so no wake-up is ever worth its price.
    attributes.putInt(PerfAbi.ATTR_WAKEUP_WATERMARK, Integer.MAX_VALUE);
    attributes.putInt(PerfAbi.ATTR_CLOCKID, PerfAbi.CLOCK_MONOTONIC);
    int fd = calls.open(attributes, pid, cpu);
    if (fd < 0) {
      throw refused(tracepoint.format().name(), -fd);
    }
    descriptors.add(fd);
    if (descriptors.size() == 1) {
      map(fd, bytes);
    } else {
      check(
          calls.ioctl(fd, PerfAbi.PERF_EVENT_IOC_SET_OUTPUT, descriptors.get(0)),
          "sharing the ring with " + tracepoint.format().name());
    }
  }

  private void map(int fd, int bytes) {
    int wanted = Math.max(LEAST_BYTES, Integer.highestOneBit(bytes));
    long result = calls.mmap(fd, PAGE + wanted);
    while ((result == -LibC.EPERM || result == -LibC.ENOMEM) && wanted > LEAST_BYTES) {
      wanted >>= 1;
      result = calls.mmap(fd, PAGE + wanted);
    }
    if (result == -LibC.EPERM) {
      throw new HypervisorException(
          "a ring buffer of "
              + (wanted >> 10)
              + " KiB for tracepoints is not permitted: raise kernel.perf_event_mlock_kb or the"
              + " limit on locked memory (ulimit -l)");
    }
    address = LibC.check(result, "mapping a ring buffer of " + (wanted >> 10) + " KiB");
    mappedBytes = PAGE + wanted;
    control = LibC.view(address, PAGE);
    data = LibC.view(address + PAGE, wanted);
    mask = wanted - 1;
  }

  private static void check(int result, String step) {
    LibC.check(result, step);
  }

  /** In plain words what the host forbids, and the setting that would allow it. */
  private static HypervisorException refused(String name, int errno) {
    if (errno != LibC.EACCES && errno != LibC.EPERM) {
      return LibC.failure("perf_event_open of " + name, errno);
    }
    return new HypervisorException(
        "perf_event_open of "
            + name
            + " is not permitted (perf_event_paranoid is "
            + paranoid()
            + "): run as root or with CAP_PERFMON, or allow it with: sysctl"
            + " kernel.perf_event_paranoid=-1; in a container its seccomp profile may forbid it"
            + " too");
  }

  private static String paranoid() {
    try {
      return Files.readString(Path.of("/proc/sys/kernel/perf_event_paranoid")).strip();
    } catch (IOException e) {
      return "unknown";
    }
  }

  /**
   * Lets records in.
   *
   * @throws HypervisorException where the host refuses
   */
  public void enable() {
    for (int fd : descriptors) {
      check(calls.ioctl(fd, PerfAbi.PERF_EVENT_IOC_ENABLE, 0), "enabling a tracepoint");
    }
  }

  /** Lets no more records in. Those that are there can still be read. */
  public void disable() {
    for (int fd : descriptors) {
      calls.ioctl(fd, PerfAbi.PERF_EVENT_IOC_DISABLE, 0);
    }
  }

  /** Hands over every record that is in the ring now. */
  public void drain(Reader reader) {
    drain(reader, Long.MAX_VALUE);
  }

  /** The same, up to the first that is later than {@code until}. */
  public void drain(Reader reader, long until) {
    long head = (long) LONG.getAcquire(control, PerfAbi.RING_HEAD);
    long released = tail;
    while (tail != head) {
      int at = (int) tail & mask;
      int size = data.getShort(at + PerfAbi.RECORD_SIZE) & 0xffff;
      ByteBuffer from = data;
      if (at + size > data.capacity()) {
        from = unwrapped(at, size);
        at = 0;
      }
      if (until != Long.MAX_VALUE && isLater(from, at, until)) {
        break;
      }
      record(from, at, size, reader);
      tail += size;
      if (tail - released >= RELEASE_BYTES) {
        LONG.setRelease(control, PerfAbi.RING_TAIL, tail);
        released = tail;
      }
    }
    if (tail != released) {
      LONG.setRelease(control, PerfAbi.RING_TAIL, tail);
    }
  }

  /** A record that goes on at the ring's beginning, in one piece. */
  private ByteBuffer unwrapped(int at, int size) {
    int first = data.capacity() - at;
    scratch.put(0, data, at, first).put(first, data, 0, size - first);
    return scratch;
  }

  private boolean isLater(ByteBuffer from, int at, long until) {
    return from.getInt(at + PerfAbi.RECORD_TYPE) == PerfAbi.PERF_RECORD_SAMPLE
        && from.getLong(timePlace(at)) > until;
  }

  /** Where a sample's time is, behind the thread if it has one. */
  private int timePlace(int at) {
    return at + PerfAbi.RECORD_HEADER + (withThreads ? 8 : 0);
  }

  private void record(ByteBuffer from, int at, int size, Reader reader) {
    int type = from.getInt(at + PerfAbi.RECORD_TYPE);
    if (type == PerfAbi.PERF_RECORD_LOST) {
      lost += from.getLong(at + PerfAbi.LOST_COUNT);
      return;
    }
    if (type != PerfAbi.PERF_RECORD_SAMPLE) {
      return;
    }
    int place = timePlace(at);
    int pid = withThreads ? from.getInt(place - 8) : 0;
    int tid = withThreads ? from.getInt(place - 4) : 0;
    long nanos = from.getLong(place);
    if (lost > 0) {
      // The kernel tells of them when one finds room again, and only then. Whatever came meanwhile
      // from elsewhere is in the trace already: on another CPU, or from the vCPU's own loop.
      reported += lost;
      reader.lost(lost, nanos);
      lost = 0;
    }
    int length = Math.min(from.getInt(place + 8), size - (place + 12 - at));
    int id = length < 2 ? 0 : from.getShort(place + 12) & 0xffff;
    Tracepoint tracepoint = byId[id];
    if (tracepoint != null) {
      read[indexById[id]]++;
      reader.record(tracepoint, from, place + 12, length, nanos, pid, tid);
    }
  }

  /** The tracepoints, in the order of {@link #read} and {@link #counted}. */
  public List<Tracepoint> tracepoints() {
    return tracepoints;
  }

  /** How many records of this tracepoint were read. */
  public long read(int index) {
    return read[index];
  }

  /** How often the kernel says that this tracepoint was hit while the ring was enabled. */
  public long counted(int index) {
    ByteBuffer value = LibC.allocate(8);
    long bytes = LibC.read(descriptors.get(index), LibC.address(value), 8);
    return LibC.check(bytes, "reading the count of a tracepoint") == 8 ? value.getLong(0) : 0;
  }

  /**
   * How many records were lost that the ring has not told of yet: after {@link #disable} and a last
   * {@link #drain}, what the kernel counted and neither handed over nor reported as lost.
   */
  public long unreported() {
    long missing = -reported;
    for (int i = 0; i < read.length; i++) {
      missing += counted(i) - read[i];
    }
    return Math.max(0, missing);
  }

  /** Gives the ring's memory back; the tracepoints stay in use, without anybody to read them. */
  void unmap() {
    if (address > 0) {
      LibC.munmap(address, mappedBytes);
      address = 0;
    }
  }

  /**
   * Ends it. Who closes the last ring of a tracepoint on this host would wait for some 40 ms, the
   * time in which every CPU is sure to be out of it; 27 tracepoints wait one after the other.
   */
  @Override
  public void close() {
    unmap();
    Descriptors.closeWithoutWaiting(descriptors);
    descriptors.clear();
  }
}
