package io.trapscope.recorder.trace;

import io.trapscope.recorder.event.Counter;
import io.trapscope.recorder.event.EventReference;
import io.trapscope.recorder.event.ExitReason;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a trace says about itself: {@code trace.json}. Immutable.
 *
 * @param formatVersion {@link TraceFormat#VERSION} of who wrote it
 * @param schemaVersion {@link EventReference#VERSION} of who wrote it
 * @param product name and version of who wrote it
 * @param backEnd what ran the guest
 * @param host where it ran
 * @param guestCpu the processor the guest saw
 * @param commandLine the words of the command that recorded it
 * @param images files the guest was made of
 * @param memoryBytes guest RAM
 * @param cpus number of vCPUs, which is the number of vCPU streams
 * @param regions memory-region tree, flat; {@code REGION} of an event is an id of these
 * @param clocks what the numbers in TIME and INSTRUCTIONS mean
 * @param surfaced exits that the back end hands to the loop, all of which are recorded
 * @param unseen exits that a guest can cause and that are not in the trace, each with the reason
 * @param notes anything else, by key: E820, zero page, {@code rip}
 * @param counters the host's own counters when the run began
 * @param threads the host's threads that run the vCPUs, where they are known
 */
public record TraceHeader(
    int formatVersion,
    int schemaVersion,
    String product,
    BackEnd backEnd,
    Host host,
    GuestCpu guestCpu,
    List<String> commandLine,
    List<Image> images,
    long memoryBytes,
    int cpus,
    List<Region> regions,
    Clocks clocks,
    Set<ExitReason> surfaced,
    Map<ExitReason, String> unseen,
    Map<String, String> notes,
    List<Counter> counters,
    List<VcpuThread> threads) {

  /** Largest header that is read. */
  static final int MAX_BYTES = 16 << 20;

  /**
   * What ran the guest.
   *
   * @param name {@code kvm} or {@code soft}
   * @param why why this one was taken
   */
  public record BackEnd(String name, String why) {}

  /**
   * The machine that recorded.
   *
   * @param kernel name and release
   * @param cpu model name
   * @param cpus processors the recorder could use
   */
  public record Host(String kernel, String cpu, int cpus) {}

  /** The processor the guest saw: name of the model and every CPUID leaf it was given. */
  public record GuestCpu(String model, List<CpuidLeaf> leaves) {}

  /** One CPUID answer; all numbers are 32 bits, unsigned. */
  public record CpuidLeaf(long leaf, long subleaf, long eax, long ebx, long ecx, long edx) {}

  /**
   * A file the guest was made of.
   *
   * @param role {@code kernel}, {@code initrd}, {@code guest}, ...
   * @param sha256 in hexadecimal; empty as long as it is not known
   */
  public record Image(String role, String path, String sha256, long bytes) {}

  /**
   * One memory region.
   *
   * @param kind {@code ram}, {@code rom}, {@code mmio}, {@code hole}
   */
  public record Region(int id, String name, long gpa, long bytes, String kind) {}

  /**
   * A thread that runs a vCPU.
   *
   * @param stream number of the stream with its events
   * @param vcpu the VMM's or KVM's number of the vCPU
   * @param pid the VMM's process
   * @param process its name
   * @param tid the thread
   * @param thread its name
   */
  public record VcpuThread(int stream, int vcpu, int pid, String process, int tid, String thread) {}

  /**
   * The trace's clocks.
   *
   * @param epochNanos wall clock when the trace began, ns since 1970, UTC
   * @param monotonicNanos the same moment on the clock of {@code TIME}
   * @param instructionsPerSecond rate that turns retired instructions into guest time; 0 where
   *     guest time is the host's
   */
  public record Clocks(long epochNanos, long monotonicNanos, long instructionsPerSecond) {
    /** Wall-clock time of a {@code TIME}, ns since 1970, UTC. */
    public long epochNanos(long time) {
      return epochNanos + (time - monotonicNanos);
    }
  }

  /** Copies the collections. */
  public TraceHeader {
    commandLine = List.copyOf(commandLine);
    images = List.copyOf(images);
    regions = List.copyOf(regions);
    surfaced = Collections.unmodifiableSet(copy(surfaced));
    unseen = Collections.unmodifiableMap(new EnumMap<>(copy(unseen)));
    notes = Collections.unmodifiableMap(new LinkedHashMap<>(notes));
    counters = List.copyOf(counters);
    threads = List.copyOf(threads);
  }

  private static Set<ExitReason> copy(Set<ExitReason> reasons) {
    Set<ExitReason> copy = EnumSet.noneOf(ExitReason.class);
    copy.addAll(reasons);
    return copy;
  }

  private static Map<ExitReason, String> copy(Map<ExitReason, String> reasons) {
    Map<ExitReason, String> copy = new EnumMap<>(ExitReason.class);
    copy.putAll(reasons);
    return copy;
  }

  /** The same header with these vCPUs, a stream each. */
  public TraceHeader withVcpus(List<VcpuThread> vcpus) {
    return with(images, vcpus.size(), vcpus);
  }

  /** The same header with these images. */
  public TraceHeader withImages(List<Image> known) {
    return with(known, cpus, threads);
  }

  private TraceHeader with(List<Image> images, int cpus, List<VcpuThread> threads) {
    return new TraceHeader(
        formatVersion,
        schemaVersion,
        product,
        backEnd,
        host,
        guestCpu,
        commandLine,
        images,
        memoryBytes,
        cpus,
        regions,
        clocks,
        surfaced,
        unseen,
        notes,
        counters,
        threads);
  }

  /** The region with this id, or null. */
  public Region region(long id) {
    for (Region region : regions) {
      if (region.id() == id) {
        return region;
      }
    }
    return null;
  }

  /** A builder whose parts are empty, with this version's numbers and one vCPU. */
  public static Builder builder() {
    return new Builder();
  }

  /** The header as JSON. */
  public String toJson() {
    return Json.write(tree());
  }

  private Map<String, Object> tree() {
    Map<String, Object> tree = new LinkedHashMap<>();
    tree.put("format", formatVersion);
    tree.put("schema", schemaVersion);
    tree.put("product", product);
    tree.put("back_end", map("name", backEnd.name, "why", backEnd.why));
    tree.put("host", map("kernel", host.kernel, "cpu", host.cpu, "cpus", host.cpus));
    tree.put("command_line", commandLine);
    tree.put("images", each(images, TraceHeader::imageTree));
    tree.put("memory_bytes", memoryBytes);
    tree.put("cpus", cpus);
    tree.put("regions", each(regions, TraceHeader::regionTree));
    tree.put(
        "clocks",
        map(
            "epoch_ns", clocks.epochNanos,
            "monotonic_ns", clocks.monotonicNanos,
            "instructions_per_second", clocks.instructionsPerSecond));
    tree.put("surfaced", surfaced);
    tree.put("unseen", unseen);
    tree.put("notes", notes);
    if (!counters.isEmpty()) {
      tree.put("counters", CounterJson.trees(counters));
    }
    if (!threads.isEmpty()) {
      tree.put("threads", each(threads, TraceHeader::threadTree));
    }
    tree.put(
        "guest_cpu",
        map("model", guestCpu.model, "cpuid", each(guestCpu.leaves, TraceHeader::leafTree)));
    return tree;
  }

  private static Map<String, Object> imageTree(Image image) {
    return map(
        "role", image.role, "path", image.path, "sha256", image.sha256, "bytes", image.bytes);
  }

  private static Map<String, Object> regionTree(Region region) {
    return map(
        "id", region.id,
        "name", region.name,
        "gpa", region.gpa,
        "bytes", region.bytes,
        "kind", region.kind);
  }

  private static Map<String, Object> threadTree(VcpuThread thread) {
    return map(
        "stream", thread.stream,
        "vcpu", thread.vcpu,
        "pid", thread.pid,
        "process", thread.process,
        "tid", thread.tid,
        "thread", thread.thread);
  }

  private static Map<String, Object> leafTree(CpuidLeaf leaf) {
    return map(
        "leaf", leaf.leaf,
        "subleaf", leaf.subleaf,
        "eax", leaf.eax,
        "ebx", leaf.ebx,
        "ecx", leaf.ecx,
        "edx", leaf.edx);
  }

  private static Map<String, Object> map(Object... pairs) {
    Map<String, Object> map = new LinkedHashMap<>();
    for (int i = 0; i < pairs.length; i += 2) {
      map.put(pairs[i].toString(), pairs[i + 1]);
    }
    return map;
  }

  private static <T> List<Object> each(
      List<T> items, java.util.function.Function<T, Map<String, Object>> tree) {
    List<Object> trees = new ArrayList<>();
    items.forEach(item -> trees.add(tree.apply(item)));
    return trees;
  }

  /**
   * Reads a header. Members it does not know are ignored, members that are missing are empty.
   *
   * @throws IOException with a one-line reason where the bytes are no header or one of a newer
   *     format
   */
  static TraceHeader parse(byte[] bytes) throws IOException {
    Json.Reader json = new Json.Reader(Json.parse(bytes), "");
    int format = json.number("format", 1, Integer.MAX_VALUE);
    if (format > TraceFormat.VERSION) {
      throw new IOException(
          "format version " + format + " is newer than this program's " + TraceFormat.VERSION);
    }
    Builder builder = builder();
    builder.formatVersion = format;
    builder.schemaVersion = json.number("schema", 1, Integer.MAX_VALUE);
    builder.product = json.text("product");
    builder.cpus = json.number("cpus", 0, TraceFormat.MAX_VCPUS);
    builder.memoryBytes = json.number("memory_bytes");
    builder.commandLine.addAll(json.texts("command_line"));
    Json.Reader backEnd = json.object("back_end");
    builder.backEnd(backEnd.text("name"), backEnd.text("why"));
    Json.Reader host = json.object("host");
    builder.host(host.text("kernel"), host.text("cpu"), (int) host.number("cpus"));
    Json.Reader clocks = json.object("clocks");
    builder.clocks(
        clocks.number("epoch_ns"),
        clocks.number("monotonic_ns"),
        clocks.number("instructions_per_second"));
    for (Json.Reader image : json.objects("images")) {
      builder.image(
          image.text("role"), image.text("path"), image.text("sha256"), image.number("bytes"));
    }
    for (Json.Reader region : json.objects("regions")) {
      builder.region(
          region.number("id", 0, 0xffff),
          region.text("name"),
          region.number("gpa"),
          region.number("bytes"),
          region.text("kind"));
    }
    for (String name : json.texts("surfaced")) {
      builder.surfaced.add(reason(name));
    }
    json.object("unseen").textMap().forEach((name, why) -> builder.unseen.put(reason(name), why));
    builder.notes.putAll(json.object("notes").textMap());
    builder.counters.addAll(CounterJson.parse(json.objects("counters")));
    for (Json.Reader thread : json.objects("threads")) {
      builder.threads.add(
          new VcpuThread(
              (int) thread.number("stream"),
              (int) thread.number("vcpu"),
              (int) thread.number("pid"),
              thread.text("process"),
              (int) thread.number("tid"),
              thread.text("thread")));
    }
    Json.Reader cpu = json.object("guest_cpu");
    builder.cpuModel = cpu.text("model");
    for (Json.Reader leaf : cpu.objects("cpuid")) {
      builder.cpuid(
          leaf.number("leaf"),
          leaf.number("subleaf"),
          leaf.number("eax"),
          leaf.number("ebx"),
          leaf.number("ecx"),
          leaf.number("edx"));
    }
    return builder.build();
  }

  /** A newer writer may name a reason that this version has not. */
  private static ExitReason reason(String name) {
    for (ExitReason reason : ExitReason.values()) {
      if (reason.name().equals(name)) {
        return reason;
      }
    }
    return ExitReason.UNKNOWN;
  }

  byte[] toBytes() {
    return toJson().getBytes(StandardCharsets.UTF_8);
  }

  /** Collects a header's parts. */
  public static final class Builder {
    private int formatVersion = TraceFormat.VERSION;
    private int schemaVersion = EventReference.VERSION;
    private String product = "";
    private BackEnd backEnd = new BackEnd("", "");
    private Host host = new Host("", "", 0);
    private String cpuModel = "";
    private final List<CpuidLeaf> leaves = new ArrayList<>();
    private final List<String> commandLine = new ArrayList<>();
    private final List<Image> images = new ArrayList<>();
    private long memoryBytes;
    private int cpus = 1;
    private final List<Region> regions = new ArrayList<>();
    private Clocks clocks = new Clocks(0, 0, 0);
    private final Set<ExitReason> surfaced = EnumSet.noneOf(ExitReason.class);
    private final Map<ExitReason, String> unseen = new EnumMap<>(ExitReason.class);
    private final Map<String, String> notes = new LinkedHashMap<>();
    private final List<Counter> counters = new ArrayList<>();
    private final List<VcpuThread> threads = new ArrayList<>();

    private Builder() {}

    public Builder product(String nameAndVersion) {
      product = nameAndVersion;
      return this;
    }

    public Builder backEnd(String name, String why) {
      backEnd = new BackEnd(name, why);
      return this;
    }

    public Builder host(String kernel, String cpu, int cpus) {
      host = new Host(kernel, cpu, cpus);
      return this;
    }

    public Builder cpuModel(String name) {
      cpuModel = name;
      return this;
    }

    /** Adds one CPUID answer. */
    public Builder cpuid(long leaf, long subleaf, long eax, long ebx, long ecx, long edx) {
      leaves.add(new CpuidLeaf(leaf, subleaf, eax, ebx, ecx, edx));
      return this;
    }

    public Builder commandLine(List<String> words) {
      commandLine.clear();
      commandLine.addAll(words);
      return this;
    }

    /** Adds a file the guest was made of. */
    public Builder image(String role, String path, String sha256, long bytes) {
      images.add(new Image(role, path, sha256, bytes));
      return this;
    }

    public Builder memoryBytes(long bytes) {
      memoryBytes = bytes;
      return this;
    }

    /** Number of vCPUs, 0 to {@link TraceFormat#MAX_VCPUS}. */
    public Builder cpus(int count) {
      cpus = count;
      return this;
    }

    /** Adds a memory region. */
    public Builder region(int id, String name, long gpa, long bytes, String kind) {
      regions.add(new Region(id, name, gpa, bytes, kind));
      return this;
    }

    public Builder clocks(long epochNanos, long monotonicNanos, long instructionsPerSecond) {
      clocks = new Clocks(epochNanos, monotonicNanos, instructionsPerSecond);
      return this;
    }

    public Builder surfaced(Set<ExitReason> reasons) {
      surfaced.addAll(reasons);
      return this;
    }

    public Builder unseen(Map<ExitReason, String> reasons) {
      unseen.putAll(reasons);
      return this;
    }

    /** Adds a note; a later one with the same key replaces it. */
    public Builder note(String key, String text) {
      notes.put(key, text);
      return this;
    }

    public Builder counters(List<Counter> atStart) {
      counters.addAll(atStart);
      return this;
    }

    /** The header. */
    public TraceHeader build() {
      if (cpus < 0 || cpus > TraceFormat.MAX_VCPUS) {
        throw new IllegalArgumentException(cpus + " vCPUs");
      }
      return new TraceHeader(
          formatVersion,
          schemaVersion,
          product,
          backEnd,
          host,
          new GuestCpu(cpuModel, List.copyOf(leaves)),
          commandLine,
          images,
          memoryBytes,
          cpus,
          regions,
          clocks,
          surfaced,
          unseen,
          notes,
          counters,
          threads);
    }
  }
}
