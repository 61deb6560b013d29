package io.trapscope.recorder.capture;

import io.trapscope.recorder.event.Counter;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.EventWriter;
import io.trapscope.recorder.event.ExitSink;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.event.FilteringSink;
import io.trapscope.recorder.event.LossCause;
import io.trapscope.recorder.trace.TraceException;
import io.trapscope.recorder.trace.TraceHeader;
import io.trapscope.recorder.trace.TraceHeader.VcpuThread;
import io.trapscope.recorder.trace.TraceWriter;
import io.trapscope.recorder.tracepoint.ExitJoiner;
import io.trapscope.recorder.tracepoint.KvmTracepoint;
import io.trapscope.recorder.tracepoint.Tracepoint;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Gives every thread that runs a vCPU a stream of its own, and joins its records to exits. What
 * other threads of the same processes do to the guest, such as setting an interrupt line, goes to
 * the trace's other stream. One thread.
 */
public final class HostRecorder {
  /** {@link Counter#of} of how many records of a tracepoint were those of wanted processes. */
  public static final String SELECTED = "tracepoint-selected";

  /** How VMMs call the threads of their vCPUs: QEMU and StratoVirt, Firecracker, others. */
  private static final Pattern VCPU_NAME =
      Pattern.compile("(?:CPU |fc_vcpu |vcpu|crosvm_vcpu)(\\d{1,5})(?!\\d).*");

  private static final int NONE = -1;

  /** A thread of a wanted process. */
  private static final class Watched {
    final int pid;
    final int tid;
    final ExitJoiner joiner;
    int stream = NONE;
    boolean runsVcpu;
    String process = "";
    String name = "";
    long lastNanos;

    Watched(int pid, int tid, ExitJoiner joiner) {
      this.pid = pid;
      this.tid = tid;
      this.joiner = joiner;
    }
  }

  private final TraceWriter trace;
  private final TraceHeader header;
  private final Processes processes;
  private final Set<EventType> types;
  private final ExitSink other;
  private final Map<Integer, Boolean> wanted = new HashMap<>();
  private final Set<Integer> unnamed = new HashSet<>();
  private final Map<Integer, Watched> threads = new LinkedHashMap<>();
  private final Map<Tracepoint, long[]> selected = new LinkedHashMap<>();
  private TraceException failure;
  private long hidden;

  /**
   * @param trace with no vCPUs yet; not finished or closed here
   * @param header as it was written
   * @param types of events that are recorded
   */
  public HostRecorder(
      TraceWriter trace, TraceHeader header, Processes processes, Set<EventType> types) {
    this.trace = trace;
    this.header = header;
    this.processes = processes;
    this.types = types;
    this.other = new FilteringSink(trace.other(), types);
  }

  /** Takes one record; see {@link ExitJoiner#accept}. Those of other processes are passed over. */
  public void record(
      Tracepoint tracepoint, ByteBuffer raw, int at, int length, long nanos, int pid, int tid) {
    boolean take = wanted.computeIfAbsent(pid, this::isWanted);
    boolean unknown = tid <= 0 || !take && unnamed.contains(pid);
    if (unknown && isOfVcpu(tracepoint.kind())) {
      hidden++;
      return;
    }
    if (!take) {
      return;
    }
    selected.computeIfAbsent(tracepoint, absent -> new long[1])[0]++;
    Watched thread = threads.get(tid);
    if (thread == null) {
      thread = new Watched(pid, tid, new ExitJoiner(other));
      thread.runsVcpu = VCPU_NAME.matcher(processes.thread(pid, tid)).matches();
      threads.put(tid, thread);
    }
    thread.runsVcpu |= isOfVcpu(tracepoint.kind());
    if (thread.runsVcpu && thread.stream == NONE && failure == null) {
      thread = vcpu(thread);
    }
    thread.lastNanos = Math.max(thread.lastNanos, nanos);
    thread.joiner.accept(tracepoint, raw, at, length, thread.lastNanos);
  }

  private boolean isWanted(int pid) {
    if (processes.isWanted(pid)) {
      return true;
    }
    if (processes.isUnknown(pid)) {
      unnamed.add(pid);
    }
    return false;
  }

  /**
   * Whether only the thread that runs a vCPU has such records. Any thread sets interrupt lines and
   * changes mappings, and what a tracepoint without a kind tells of is not known.
   */
  private static boolean isOfVcpu(KvmTracepoint kind) {
    return kind != null && kind != KvmTracepoint.SET_IRQ && kind.group() != KvmTracepoint.Group.MMU;
  }

  private Watched vcpu(Watched before) {
    int stream = vcpus().size();
    ExitSink sink;
    try {
      sink = new FilteringSink(trace.addVcpu(), types);
    } catch (TraceException e) {
      failure = e; // its events go where they are not lost, and the end of the run says why
      return before;
    }
    Watched thread = new Watched(before.pid, before.tid, new ExitJoiner(sink));
    thread.runsVcpu = true;
    thread.stream = stream;
    thread.process = processes.process(before.pid);
    thread.name = processes.thread(before.pid, before.tid);
    threads.put(before.tid, thread);
    describe();
    return thread;
  }

  private void describe() {
    try {
      trace.describe(header.withVcpus(vcpus()));
    } catch (TraceException e) {
      failure = e;
    }
  }

  /** The vCPUs found so far, in the order of their streams. */
  public List<VcpuThread> vcpus() {
    List<Watched> found =
        new ArrayList<>(threads.values().stream().filter(each -> each.stream != NONE).toList());
    found.sort((a, b) -> Integer.compare(a.tid, b.tid));
    List<VcpuThread> vcpus = new ArrayList<>();
    Map<Integer, Integer> unnamed = new HashMap<>();
    for (Watched thread : found) {
      vcpus.add(
          new VcpuThread(
              thread.stream,
              number(thread, unnamed),
              thread.pid,
              thread.process,
              thread.tid,
              thread.name));
    }
    vcpus.sort((a, b) -> Integer.compare(a.stream(), b.stream()));
    return vcpus;
  }

  /**
   * KVM's number where its records tell it, else the name's, else the place among the process's
   * others: a VMM starts the threads of its vCPUs one after the other.
   */
  private static int number(Watched thread, Map<Integer, Integer> unnamed) {
    if (thread.joiner.vcpu() >= 0) {
      return thread.joiner.vcpu();
    }
    Matcher name = VCPU_NAME.matcher(thread.name);
    if (name.matches()) {
      return Integer.parseInt(name.group(1));
    }
    return unnamed.merge(thread.pid, 1, Integer::sum) - 1;
  }

  /**
   * Records were lost on some CPU, nobody knows whose: every exit that is open is written as it is.
   */
  public void lost(long count, long nanos) {
    for (Watched thread : threads.values()) {
      thread.joiner.interrupt();
    }
    EventWriter event = other.claim(EventType.GAP);
    event.put(Field.TIME, nanos).put(Field.CAUSE, LossCause.OVERRUN.code()).put(Field.LOST, count);
    other.commit();
    trace.addLost(trace.other(), count, LossCause.OVERRUN);
  }

  /** Writes what is still open, and the vCPUs' final numbers. */
  public void finish() {
    for (Watched thread : threads.values()) {
      thread.joiner.finish();
    }
    describe();
  }

  /** Why a vCPU could not get a stream; empty where all have one. */
  public String failure() {
    return failure == null ? "" : failure.getMessage();
  }

  /**
   * How many records of vCPUs were passed over because nobody can say whose they are. Their process
   * was to be chosen by its name, and had ended before that could be read; or it is outside of our
   * PID namespace, which a container has of its own, and its threads have no numbers there.
   */
  public long hidden() {
    return hidden;
  }

  /** How many records of each tracepoint were those of wanted processes. */
  public List<Counter> counters() {
    List<Counter> counters = new ArrayList<>();
    selected.forEach(
        (tracepoint, count) ->
            counters.add(Counter.count(SELECTED, tracepoint.format().name(), count[0])));
    return counters;
  }
}
