package io.trapscope.vmm.run;

import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.EventWriter;
import io.trapscope.recorder.event.ExitSink;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.event.InputSource;
import io.trapscope.recorder.event.RunEnd;
import io.trapscope.vmm.cpuid.CpuModel;
import io.trapscope.vmm.device.Bus;
import io.trapscope.vmm.device.HypercallPort;
import io.trapscope.vmm.device.Scratch;
import io.trapscope.vmm.device.Timers;
import io.trapscope.vmm.hypervisor.CpuState;
import io.trapscope.vmm.hypervisor.MemoryOptions.Dirty;
import io.trapscope.vmm.hypervisor.Vcpu;
import io.trapscope.vmm.hypervisor.Vm;
import io.trapscope.vmm.hypervisor.VmConfig;
import io.trapscope.vmm.memory.MemoryLayout;
import io.trapscope.vmm.memory.MemoryRegion;
import io.trapscope.vmm.pc.Board;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;

/**
 * A machine with a guest in it, ready to run once: memory, vCPUs, a bus full of devices, and the
 * guest loaded as its boot protocol wants.
 *
 * <p>Make one, read what a trace header needs ({@link #vm}, {@link #bus}, {@link #memoryRegions}),
 * then {@link #run}; close it afterwards.
 */
public final class Machine implements AutoCloseable {
  private static final long KICK_MILLIS = 10;
  private static final Set<EventType> RECORDABLE = EnumSet.allOf(EventType.class);

  private final MachineConfig config;
  private final Vm vm;
  private final Bus bus = new Bus();
  private final Timers timers = new Timers();
  private final List<MemoryRegion> regions;
  private final Board board;
  private final ConsoleStream console;
  private final Hypercalls hypercalls;
  private final RunState run;
  private final Processors processors;
  private final MemoryFaults faults;
  private final DirtyWatch dirty;

  /** Of the devices; null where one thread runs all of the machine. */
  private final ReentrantLock lock;

  private final AtomicLong exitCount = new AtomicLong();
  private final boolean hostClock;
  private final AtomicBoolean restTold = new AtomicBoolean();

  /**
   * Makes the machine and loads its guest.
   *
   * @throws io.trapscope.vmm.hypervisor.HypervisorException where the host refuses
   * @throws io.trapscope.vmm.boot.BootException where the image does not fit the machine
   */
  public Machine(MachineConfig config) {
    this.config = config;
    this.regions = MemoryLayout.ram(config.memoryBytes);
    this.vm =
        config.hypervisor.createVm(
            new VmConfig(config.memoryBytes, config.cpus, config.cpuModel, config.host));
    try {
      this.run = new RunState(vm.vcpus());
      this.hostClock = vm.vcpus().get(0).instructions() < 0;
      this.processors = new Processors(vm.vcpus(), run, hostClock, vm.interrupts() != null);
      this.lock = config.cpus > 1 && hostClock ? new ReentrantLock() : null;
      this.faults = config.host.memory().faults() ? new MemoryFaults(vm, run, regions) : null;
      boolean wholeMemory = config.host.memory().dirty() != Dirty.NONE && !vm.tellsWritersApart();
      this.dirty = wholeMemory ? new DirtyWatch(vm, regions, 0) : null;
      byte[] text = config.until == null ? null : config.until.text();
      this.console =
          new ConsoleStream(
              config.consoleOutput, text, () -> run.end(RunEnd.UNTIL, 0, config.until.describe()));
      this.hypercalls = new Hypercalls(vm, this::now, config.messages);
      this.board = config.board.get();
      build();
      load();
    } catch (RuntimeException | Error e) {
      vm.close();
      throw e;
    }
  }

  private void build() {
    for (MemoryRegion region : regions) {
      bus.addRam(region.base(), region.length(), region.name());
    }
    board.build(
        new Board.Slots(
            bus,
            timers,
            vm.memory(),
            regions,
            config.cpus,
            config.consoleFilter.before(console),
            run,
            processors,
            // A host answers CPUID itself.
            hostClock ? CpuModel.all().get(0).name() : config.cpuModel,
            wallClockNanos(),
            vm.interrupts()));
    bus.mapPorts(Scratch.PORT, Scratch.PORTS, new Scratch("port-scratch", Scratch.PORTS));
    bus.mapMemory(
        MemoryLayout.TEST_MMIO,
        MemoryLayout.PAGE_SIZE,
        new Scratch("mmio-scratch", MemoryLayout.PAGE_SIZE));
    Vcpu first = vm.vcpus().get(0);
    bus.mapPorts(
        HypercallPort.PORT,
        HypercallPort.PORTS,
        new HypercallPort((number, rbx, rcx) -> hypercalls.call(first, number, rbx, rcx)));
    Until until = config.until;
    if (until != null && until.guestNanos() >= 0) {
      timers.create(() -> run.end(RunEnd.UNTIL, 0, until.describe())).arm(until.guestNanos());
    }
  }

  private void load() {
    Vcpu first = vm.vcpus().get(0);
    CpuState state = new CpuState();
    first.readState(state);
    config.boot.load(vm.memory(), regions, config.cpus, state);
    first.writeState(state);
  }

  /** What runs the guest: its kinds of exit go into the trace header. */
  public Vm vm() {
    return vm;
  }

  /** The devices and RAM of the machine, for listings. */
  public Bus bus() {
    return bus;
  }

  /** RAM by address; an event's REGION is an index into this list. */
  public List<MemoryRegion> memoryRegions() {
    return regions;
  }

  /** What the guest's clocks show at guest time 0, in ns since 1970-01-01T00:00Z. */
  public long wallClockNanos() {
    Instant time = config.wallClock;
    return time.getEpochSecond() * 1_000_000_000L + time.getNano();
  }

  Processors processors() {
    return processors;
  }

  /**
   * The time for an event in the stream of no vCPU, host monotonic ns, which no earlier one comes
   * behind. The caller has the device lock.
   */
  long now() {
    return faults == null ? System.nanoTime() : faults.now();
  }

  /** Null where they are not watched. */
  MemoryFaults faults() {
    return faults;
  }

  /**
   * What this vCPU's loop looks with for pages that were written; null where it does not. A ring of
   * the vCPU's own must be looked at even if nothing is recorded, or it stays full.
   */
  DirtyWatch dirty(int vcpu, boolean recording) {
    if (vm.tellsWritersApart()) {
      return new DirtyWatch(vm, regions, vcpu);
    }
    return recording && vcpu == 0 ? dirty : null;
  }

  MachineConfig config() {
    return config;
  }

  Board board() {
    return board;
  }

  Timers timers() {
    return timers;
  }

  ConsoleStream console() {
    return console;
  }

  /** Whether each vCPU has a thread of its own, and not one all of them. */
  boolean hasThreads() {
    return lock != null;
  }

  /** Takes the device lock, where there is more than one thread to keep out. */
  void lock() {
    if (lock != null) {
      lock.lock();
    }
  }

  void unlock() {
    if (lock != null) {
      lock.unlock();
    }
  }

  /** For a thread that ends with an error, wherever it was. */
  void unlockIfHeld() {
    if (lock != null && lock.isHeldByCurrentThread()) {
      lock.unlock();
    }
  }

  ExitDispatcher dispatcher(Vcpu vcpu, RunState state, boolean timed) {
    return new ExitDispatcher(
        vm, config.memoryBytes, vcpu, bus, timers, board, hypercalls, state, timed);
  }

  /** Counts one exit for {@code --until exits=N}; returns the exits of all vCPUs so far. */
  long countExit() {
    return exitCount.incrementAndGet();
  }

  /**
   * Makes other vCPUs take interrupts that wait for them, where they have threads of their own. The
   * caller holds the device lock.
   */
  void wakeOthers(int self) {
    if (lock == null) {
      return;
    }
    boolean any = false;
    for (Vcpu vcpu : vm.vcpus()) {
      if (vcpu.index() != self && board.interrupts().pending(vcpu.index())) {
        run.interrupted(vcpu.index());
        vcpu.kick();
        any = true;
      }
    }
    if (any) {
      run.wake();
    }
  }

  /** Ends a run from any thread, as Ctrl-C does. */
  public void stop() {
    run.end(RunEnd.INTERRUPTED, 0, "interrupted");
  }

  /**
   * Runs the guest until it ends, a condition is met or time is up. Every exit goes to {@code all},
   * and how the run ended too; a console line that was not finished is recorded as it is.
   *
   * @throws IllegalStateException where the VMM itself is at fault; the cause says how
   */
  public RunResult run(Sinks all) {
    boolean everything = all == Sinks.NONE || config.events.containsAll(RECORDABLE);
    Sinks sinks = everything ? all : Sinks.only(all, config.events);
    hypercalls.recordTo(sinks.other());
    if (config.consoleInput != null) {
      config.consoleInput.onChange(this::inputCame);
    }
    recordWallClock(sinks.other());
    if (faults != null && all != Sinks.NONE) {
      faults.recordTo(sinks.other());
      vm.onFault(faults);
    }
    List<VcpuLoop> loops = new ArrayList<>();
    for (Vcpu vcpu : vm.vcpus()) {
      loops.add(new VcpuLoop(this, vcpu, sinks, run));
    }
    boolean takesTurns = config.cpus > 1 && !hostClock;
    List<? extends Runnable> work = takesTurns ? List.of(new Turns(loops, run)) : loops;
    CountDownLatch running = new CountDownLatch(work.size());
    List<Thread> threads = new ArrayList<>();
    for (Runnable each : work) {
      threads.add(
          new Thread(
              () -> {
                try {
                  each.run();
                } finally {
                  running.countDown();
                }
              },
              takesTurns ? "vcpus" : "vcpu" + threads.size()));
    }
    vm.onRest(this::rest);
    long start = System.nanoTime();
    threads.forEach(Thread::start);
    await(running, loops);
    long whole = System.nanoTime() - start;
    long measured = loops.stream().mapToLong(VcpuLoop::hostNanos).max().orElse(0);
    vm.onFault(null);
    if (faults != null) {
      faults.awaitTold();
    }
    if (config.consoleInput != null) {
      config.consoleInput.onChange(() -> {});
    }
    if (run.bug() != null) {
      throw new IllegalStateException("the VMM failed: " + run.bug(), run.bug());
    }
    return finish(sinks.other(), loops, measured > 0 ? measured : whole);
  }

  /**
   * A guest whose clock is the host's may be waiting in the back end; any other looks by itself.
   */
  private void inputCame() {
    run.wake();
    if (hostClock) {
      vm.vcpus().get(0).kick();
    }
  }

  /** The back end has found all vCPUs halted inside it; any of its threads. */
  private Runnable rest(boolean forGood) {
    if (forGood) {
      return () -> run.end(RunEnd.HALTED, 0, "halted with interrupts off");
    }
    return timerOfDevices() == Long.MAX_VALUE ? rest() : null;
  }

  private long timerOfDevices() {
    lock();
    try {
      return timers.next();
    } finally {
      unlock();
    }
  }

  /**
   * All vCPUs are halted and no timer is armed: only what is typed can wake one. Where nothing more
   * can come that ends the run; else the user is told, once.
   *
   * @return what ends the run; null where it goes on
   */
  Runnable rest() {
    ConsoleInput input = config.consoleInput;
    if (input == null || !input.isOpen()) {
      return () -> run.end(RunEnd.HALTED, 0, "halted, and nothing is left that could wake it");
    }
    if (restTold.compareAndSet(false, true)) {
      config.messages.accept(
          "the guest is halted with no timer armed; only console input can wake it");
    }
    return null;
  }

  private void await(CountDownLatch running, List<VcpuLoop> loops) {
    try {
      awaitLimits(running, loops);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      run.end(RunEnd.INTERRUPTED, 0, "interrupted");
    }
    // A kick may come just before the entry it should prevent: repeat it until they are out.
    boolean interrupted = Thread.interrupted();
    while (true) {
      try {
        if (running.await(KICK_MILLIS, TimeUnit.MILLISECONDS)) {
          break;
        }
        run.kickAll();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  private void awaitLimits(CountDownLatch running, List<VcpuLoop> loops)
      throws InterruptedException {
    long start = System.nanoTime();
    long limit = config.timeout == null ? Long.MAX_VALUE : config.timeout.toNanos();
    Watchdog watchdog = config.watchdog == null ? null : new Watchdog(config.watchdog, loops);
    long pause = watchdog == null ? limit : Math.min(limit, watchdog.pauseNanos());
    while (!running.await(pause, TimeUnit.NANOSECONDS)) {
      long now = System.nanoTime();
      if (now - start >= limit) {
        run.end(RunEnd.TIMEOUT, 0, "timeout after " + Durations.format(config.timeout));
        return;
      }
      if (watchdog != null && watchdog.isMet(now)) {
        run.end(RunEnd.TIMEOUT, 0, "watchdog: no exit for " + Durations.format(config.watchdog));
        return;
      }
      pause = Math.min(pause, limit - (now - start));
    }
  }

  private RunResult finish(ExitSink other, List<VcpuLoop> loops, long hostNanos) {
    long exits = 0;
    long events = hypercalls.events();
    long[] byReason = new long[256];
    for (VcpuLoop loop : loops) {
      exits += loop.exits();
      events += loop.events();
      loop.addExits(byReason);
    }
    long instructions = 0;
    for (Vcpu vcpu : vm.vcpus()) {
      long count = vcpu.instructions();
      instructions = count < 0 || instructions < 0 ? -1 : instructions + count;
    }
    console.flush();
    long ofFirst = vm.vcpus().get(0).instructions();
    events += console.record(other, now(), ofFirst);
    if (dirty != null) {
      events += dirty.look(other, now(), vm.vcpus().get(0).guestNanos());
    }
    recordEnd(other, now(), ofFirst);
    events += faults == null ? 0 : faults.events();
    String text = run.text();
    if (console.failure() != null) {
      text += "; console output failed: " + console.failure().getMessage();
    }
    return new RunResult(
        run.end(),
        run.detail(),
        text,
        exits,
        events + 2,
        byReason,
        hostNanos,
        vm.vcpus().get(0).guestNanos(),
        instructions,
        console.total(),
        bus.unclaimedReads(),
        bus.unclaimedWrites(),
        Stream.concat(vm.anomalies().stream(), board.anomalies().stream()).toList());
  }

  /** What the guest's clocks start at: a replay needs it. */
  private void recordWallClock(ExitSink other) {
    EventWriter event = other.claim(EventType.INPUT);
    event.put(Field.TIME, System.nanoTime());
    event.put(Field.SOURCE, InputSource.WALL_CLOCK.code()).put(Field.VALUE, wallClockNanos());
    other.commit();
  }

  private void recordEnd(ExitSink other, long now, long instructions) {
    EventWriter event = other.claim(EventType.END);
    event.put(Field.TIME, now);
    if (instructions >= 0) {
      event.put(Field.INSTRUCTIONS, instructions);
    }
    event.put(Field.END, run.end().code()).put(Field.DETAIL, run.detail());
    byte[] text = run.text().getBytes(StandardCharsets.UTF_8);
    event.putBytes(Field.DATA, text, 0, text.length);
    other.commit();
  }

  @Override
  public void close() {
    vm.close();
  }
}
