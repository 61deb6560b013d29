package io.trapscope.vmm.run;

import io.trapscope.recorder.event.EventType;
import io.trapscope.vmm.boot.BootSource;
import io.trapscope.vmm.device.ConsoleFilter;
import io.trapscope.vmm.hypervisor.HostOptions;
import io.trapscope.vmm.hypervisor.Hypervisor;
import io.trapscope.vmm.memory.MemoryLayout;
import io.trapscope.vmm.pc.Board;
import io.trapscope.vmm.pc.PcBoard;
import io.trapscope.vmm.perf.KernelTracing;
import java.io.OutputStream;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** What a {@link Machine} is made of. Immutable; made by {@link #builder}. */
public final class MachineConfig {
  final Hypervisor hypervisor;
  final BootSource boot;
  final long memoryBytes;
  final int cpus;
  final String cpuModel;
  final HostOptions host;
  final Supplier<Board> board;
  final OutputStream consoleOutput;
  final ConsoleFilter consoleFilter;
  final ConsoleInput consoleInput;
  final Consumer<String> messages;
  final Until until;
  final Duration timeout;
  final Duration watchdog;
  final Instant wallClock;
  final boolean realTime;
  final Set<EventType> events;
  final KernelTracing tracing;
  final int stacks;

  private MachineConfig(Builder builder) {
    this.hypervisor = builder.hypervisor;
    this.boot = builder.boot;
    this.memoryBytes = builder.memoryBytes;
    this.cpus = builder.cpus;
    this.cpuModel = builder.cpuModel;
    this.host = builder.host;
    this.board = builder.board;
    this.consoleOutput = builder.consoleOutput;
    this.consoleFilter = builder.consoleFilter;
    this.consoleInput = builder.consoleInput;
    this.messages = builder.messages;
    this.until = builder.until;
    this.timeout = builder.timeout;
    this.watchdog = builder.watchdog;
    this.wallClock = builder.wallClock;
    this.realTime = builder.realTime;
    this.events = builder.events;
    this.tracing = builder.tracing;
    this.stacks = builder.stacks;
  }

  /** A configuration with 256 MiB, one vCPU, no output, no limits. */
  public static Builder builder(Hypervisor hypervisor, BootSource boot) {
    return new Builder(hypervisor, boot);
  }

  /** Collects the parts of a configuration. */
  public static final class Builder {
    private static final long DEFAULT_MEMORY = 256L << 20;
    private static final int MAX_CPUS = 64;

    private final Hypervisor hypervisor;
    private final BootSource boot;
    private long memoryBytes = DEFAULT_MEMORY;
    private int cpus = 1;
    private String cpuModel = "default";
    private HostOptions host = HostOptions.DEFAULT;
    private Supplier<Board> board = PcBoard::new;
    private OutputStream consoleOutput = OutputStream.nullOutputStream();
    private ConsoleFilter consoleFilter = ConsoleFilter.NONE;
    private ConsoleInput consoleInput;
    private Consumer<String> messages = line -> {};
    private Until until;
    private Duration timeout;
    private Duration watchdog;
    private Instant wallClock = Instant.now();
    private boolean realTime;
    private Set<EventType> events = EnumSet.allOf(EventType.class);
    private KernelTracing tracing;
    private int stacks;

    private Builder(Hypervisor hypervisor, BootSource boot) {
      this.hypervisor = hypervisor;
      this.boot = boot;
    }

    /**
     * Guest RAM in bytes.
     *
     * @throws IllegalArgumentException with a line for the user where no machine can have that much
     */
    public Builder memory(long bytes) {
      MemoryLayout.ram(bytes);
      this.memoryBytes = bytes;
      return this;
    }

    /**
     * Number of vCPUs.
     *
     * @throws IllegalArgumentException with a line for the user where it is not 1 to 64
     */
    public Builder cpus(int count) {
      if (count < 1 || count > MAX_CPUS) {
        throw new IllegalArgumentException("1 to " + MAX_CPUS + " CPUs, not " + count);
      }
      this.cpus = count;
      return this;
    }

    /** Name of the CPUID model. */
    public Builder cpuModel(String name) {
      this.cpuModel = name;
      return this;
    }

    /** What is asked of the host's KVM; nothing unless set. */
    public Builder host(HostOptions options) {
      this.host = options;
      return this;
    }

    /** What makes the devices; a new board a machine. */
    public Builder board(Supplier<Board> maker) {
      this.board = maker;
      return this;
    }

    /**
     * Where console bytes go, one {@code write} a byte, flushed at line ends and when the guest
     * idles. Not closed by the machine. Once it throws, the console goes nowhere, and the result
     * says so.
     */
    public Builder consoleOutput(OutputStream out) {
      this.consoleOutput = out;
      return this;
    }

    /** What console bytes go through first; traces and {@code text=} see its result. */
    public Builder consoleFilter(ConsoleFilter filter) {
      this.consoleFilter = filter;
      return this;
    }

    /**
     * Bytes for the guest's console. A guest that only waits for input ends where there is none.
     */
    public Builder consoleInput(ConsoleInput input) {
      this.consoleInput = input;
      return this;
    }

    /** Takes lines that the host has for the user, such as a translation asked for by hypercall. */
    public Builder messages(Consumer<String> lines) {
      this.messages = lines;
      return this;
    }

    /** What ends the run before the guest does; null for nothing. */
    public Builder until(Until condition) {
      this.until = condition;
      return this;
    }

    /** Host time after which the run ends; null for never. */
    public Builder timeout(Duration limit) {
      this.timeout = limit;
      return this;
    }

    /**
     * Host time without an exit, of a guest that is not halted, that ends the run; null for any.
     */
    public Builder watchdog(Duration limit) {
      this.watchdog = limit;
      return this;
    }

    /** What the guest's clocks show at guest time 0; the host's time unless set. */
    public Builder wallClock(Instant time) {
      this.wallClock = time;
      return this;
    }

    /**
     * Whether a halted guest waits as long on the host's clock as on its own. Otherwise a halted
     * guest's clock jumps to the next timer, where the back end's clock is not the host's anyway.
     */
    public Builder realTime(boolean wanted) {
      this.realTime = wanted;
      return this;
    }

    /** Types of events that are recorded; all unless set. */
    public Builder events(Set<EventType> types) {
      this.events = types;
      return this;
    }

    /** The kernel's tracepoints that go into the vCPUs' streams; null for none. */
    public Builder tracing(KernelTracing tracepoints) {
      this.tracing = tracepoints;
      return this;
    }

    /**
     * Most return addresses of the call stack that is recorded with each exit, 0 for no stacks.
     *
     * @throws IllegalArgumentException with a line for the user where it is more than 128
     */
    public Builder stacks(int depth) {
      if (depth < 0 || depth > GuestStack.MOST) {
        throw new IllegalArgumentException(
            "call stacks of 1 to " + GuestStack.MOST + " addresses, not " + depth);
      }
      this.stacks = depth;
      return this;
    }

    public MachineConfig build() {
      return new MachineConfig(this);
    }
  }
}
