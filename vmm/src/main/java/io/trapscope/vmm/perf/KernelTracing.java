package io.trapscope.vmm.perf;

import io.trapscope.recorder.event.Counter;
import io.trapscope.recorder.event.ExitSink;
import io.trapscope.recorder.tracepoint.KvmTracepoint;
import io.trapscope.recorder.tracepoint.Tracepoint;
import io.trapscope.recorder.tracepoint.TracepointFormat;
import io.trapscope.vmm.hypervisor.HypervisorException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.LongConsumer;

/** The tracepoints of a machine's own vCPUs: which ones, and a ring for each vCPU's thread. */
public final class KernelTracing implements AutoCloseable {
  /** {@link Counter#of} of how often tracepoints were hit, as the kernel counts it. */
  public static final String COUNTED = "tracepoint";

  /** The same of how many records of them were read. */
  public static final String READ = "tracepoint-read";

  /** How often rings are looked after whose vCPU stays in the kernel. */
  private static final long LOOK_NANOS = 20_000_000;

  private final List<Tracepoint> tracepoints;
  private final List<String> absent;
  private final int ringBytes;

  /** Keeps the tracepoints in use from the first try on: others then come and go in no time. */
  private final TracepointRing held;

  private final List<VcpuTracing> vcpus = new CopyOnWriteArrayList<>();
  private volatile boolean closed;
  private Thread looking;

  private KernelTracing(
      List<Tracepoint> tracepoints, List<String> absent, int ringBytes, TracepointRing held) {
    this.tracepoints = List.copyOf(tracepoints);
    this.absent = List.copyOf(absent);
    this.ringBytes = ringBytes;
    this.held = held;
  }

  /**
   * Looks the tracepoints up and tries whether they may be used.
   *
   * @param wanted those with events of their own kinds
   * @param others {@code SYSTEM:NAME} of those that are recorded as text
   * @param ringBytes size of a vCPU's ring
   * @throws HypervisorException with what would allow it, where the host does not
   * @throws IllegalArgumentException where this kernel has none of a name in {@code others}
   */
  public static KernelTracing prepare(
      Set<KvmTracepoint> wanted, Set<String> others, int ringBytes) {
    List<Tracepoint> found = new ArrayList<>();
    List<String> absent = new ArrayList<>();
    try (Tracefs tracefs = Tracefs.open()) {
      for (KvmTracepoint kind : wanted) {
        add(tracefs, kind, kind.system() + ":" + kind.title(), found, absent);
      }
      List<String> unknown = new ArrayList<>();
      for (String name : others) {
        add(tracefs, null, name, found, unknown);
      }
      if (!unknown.isEmpty()) {
        throw new IllegalArgumentException(
            "this kernel has no tracepoint " + String.join(", ", unknown));
      }
    }
    if (found.isEmpty()) {
      throw new HypervisorException(
          "this kernel has none of the tracepoints asked for: " + String.join(", ", absent));
    }
    TracepointRing tried = TracepointRing.ofThisThread(found, 0);
    tried.unmap();
    return new KernelTracing(found, absent, ringBytes, tried);
  }

  private static void add(
      Tracefs tracefs,
      KvmTracepoint kind,
      String name,
      List<Tracepoint> found,
      List<String> absent) {
    int colon = name.indexOf(':');
    Optional<TracepointFormat> format =
        tracefs.format(name.substring(0, colon), name.substring(colon + 1));
    format.ifPresentOrElse(text -> found.add(new Tracepoint(kind, text)), () -> absent.add(name));
  }

  List<Tracepoint> tracepoints() {
    return tracepoints;
  }

  /** Names of the tracepoints, without their system. */
  public List<String> names() {
    return tracepoints.stream().map(tracepoint -> tracepoint.format().name()).toList();
  }

  /** Whether this one is recorded. */
  public boolean has(KvmTracepoint kind) {
    return tracepoints.stream().anyMatch(tracepoint -> tracepoint.kind() == kind);
  }

  /** Names of those that were asked for and that this kernel does not have. */
  public List<String> absent() {
    return absent;
  }

  /**
   * Begins to record the calling thread, which runs a vCPU and closes what it gets.
   *
   * @param sink the vCPU's stream
   * @param onLoss told how many records were lost
   * @param faultsToTell as {@link VcpuTracing} has it
   * @throws HypervisorException where the host refuses
   */
  public VcpuTracing trace(ExitSink sink, LongConsumer onLoss, BooleanSupplier faultsToTell) {
    TracepointRing ring = TracepointRing.ofThisThread(tracepoints, ringBytes);
    VcpuTracing vcpu = new VcpuTracing(ring, sink, onLoss, faultsToTell);
    try {
      ring.enable();
    } catch (HypervisorException e) {
      ring.close();
      throw e;
    }
    vcpus.add(vcpu);
    look();
    return vcpu;
  }

  private synchronized void look() {
    if (looking == null && !closed) {
      looking = new Thread(this::lookAfterRings, "kvm-tracepoints");
      looking.setDaemon(true);
      looking.start();
    }
  }

  private void lookAfterRings() {
    while (!closed) {
      LockSupport.parkNanos(LOOK_NANOS);
      vcpus.forEach(VcpuTracing::drainIfIdle);
    }
  }

  /** Totals of all vCPUs whose threads have ended, by tracepoint. */
  public List<Counter> counters() {
    Map<String, Counter> sums = new LinkedHashMap<>();
    for (VcpuTracing vcpu : vcpus) {
      for (Counter counter : vcpu.totals()) {
        sums.merge(
            counter.of() + counter.name(),
            counter,
            (a, b) -> Counter.count(a.of(), a.name(), a.total() + b.total()));
      }
    }
    return List.copyOf(sums.values());
  }

  /** Ends the looking. Every vCPU's thread has closed what it got. */
  @Override
  public void close() {
    held.close();
    Thread running;
    synchronized (this) {
      closed = true;
      running = looking;
    }
    if (running == null) {
      return;
    }
    LockSupport.unpark(running);
    try {
      running.join();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
