package io.trapscope.vmm.kvm;

import io.trapscope.recorder.event.ExitReason;
import io.trapscope.vmm.cpuid.ModelRegisters;
import io.trapscope.vmm.host.KickSignal;
import io.trapscope.vmm.host.LibC;
import io.trapscope.vmm.hypervisor.CpuState;
import io.trapscope.vmm.hypervisor.HypervisorException;
import io.trapscope.vmm.hypervisor.Vcpu;
import io.trapscope.vmm.hypervisor.VmExit;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * One KVM vCPU. Without KVM's interrupt controllers interrupts are injected from user space, and
 * HLT comes to the loop; with them KVM does both.
 *
 * <p>How a run is stopped: {@code immediate_exit} in the shared page makes the next KVM_RUN return
 * at once, a signal makes the present one return; doing both leaves no moment at which a kick can
 * get lost. KVM completes the exit before (the port read, the MMIO load) even then. A guest that
 * never exits is stopped the same way, so nothing a guest does can hold its thread.
 */
final class KvmVcpu implements Vcpu {
  /** What can make a vCPU go on that sleeps inside KVM_RUN. */
  enum Rest {
    /** It does not rest, or a timer of its own will wake it. */
    NONE,
    /** An interrupt, but not one of its own timer. */
    IDLE,
    /** No interrupt: another vCPU at best. */
    STUCK
  }

  private static final long RFLAGS_IF = 1 << 9;

  /** How long a runner is given to answer, and how often it is looked for. */
  private static final int ASK_TRIES = 200;

  private static final long ASK_NANOS = 500_000;

  private final KvmVm vm;
  private final int index;
  private final int fd;
  private final ByteBuffer page;
  private final long pageAddress;
  private final long pageBytes;
  private final KvmRun kvmRun;
  private final boolean msrsExit;

  private final ByteBuffer regs = LibC.allocate(KvmAbi.REGS_BYTES);
  private final ByteBuffer sregs = LibC.allocate(KvmAbi.SREGS_BYTES);
  private final ByteBuffer oneMsr = LibC.allocate(KvmAbi.MSRS_ONE_BYTES);
  private final ByteBuffer interrupt = LibC.allocate(4);
  private final ByteBuffer mpState = LibC.allocate(4);
  private final ByteBuffer apic = LibC.allocate(KvmAbi.LAPIC_BYTES);
  private final ByteBuffer fpu = LibC.allocate(KvmAbi.FPU_BYTES);
  private final ByteBuffer msrs =
      LibC.allocate(KvmAbi.MSRS_HEADER + CpuState.More.MSRS.length * KvmAbi.MSRS_ENTRY);
  private final long oneMsrAddress = LibC.address(oneMsr);
  private final long interruptAddress = LibC.address(interrupt);

  private final AtomicBoolean kicked = new AtomicBoolean();
  private final Object lifetime = new Object();
  private boolean closed; // guarded by lifetime

  private volatile Thread runner;
  private volatile int runnerId; // the host's thread id, 0 before the first run
  private volatile long deadline = Long.MAX_VALUE;
  private boolean wasKicked;

  /** How often run was entered and left: odd while inside. Written by the runner alone. */
  private final AtomicLong crossings = new AtomicLong();

  /** How often it was left for a deadline. Written by the runner alone. */
  private final AtomicLong deadlines = new AtomicLong();

  private volatile boolean asked;
  private volatile Rest rest = Rest.NONE;

  /** Whether the times of entries and exits, and registers, are wanted. */
  private boolean tellsMore = true;

  private long now; // guest time of the last exit or the last wait, once it was asked for
  private boolean nowKnown;

  /** Takes over {@code fd} and the mapping; the vCPU closes both. */
  KvmVcpu(KvmVm vm, int index, int fd, long pageAddress, long pageBytes) {
    this.vm = vm;
    this.index = index;
    this.fd = fd;
    this.pageAddress = pageAddress;
    this.pageBytes = pageBytes;
    page = LibC.view(pageAddress, pageBytes);
    kvmRun = new KvmRun(page, vm.syncRegs());
    msrsExit = vm.msrsExit();
  }

  @Override
  public int index() {
    return index;
  }

  int fd() {
    return fd;
  }

  @Override
  public void run(VmExit out) {
    if (Thread.currentThread() != runner) {
      bind();
    }
    kvmRun.complete(out);
    out.reset();
    boolean timed = tellsMore || deadline != Long.MAX_VALUE;
    if (timed) {
      out.entryNanos = readClock();
    }
    crossings.lazySet(crossings.getPlain() + 1);
    int result;
    do {
      if (timed && now >= deadline) {
        page.put(KvmAbi.RUN_IMMEDIATE_EXIT, (byte) 1);
      }
      result = LibC.ioctl(fd, KvmAbi.KVM_RUN, 0);
      nowKnown = false;
      if (timed) {
        out.exitNanos = readClock();
      }
      // EAGAIN: a start-up message has come for a vCPU that waited for it in KVM.
    } while (result == -LibC.EAGAIN || result == -LibC.EINTR && !isStopWanted());
    crossings.lazySet(crossings.getPlain() + 1);
    out.captured = tellsMore ? VmExit.GUEST_TIME | VmExit.LOOP_TIME : 0;
    if (result != 0) {
      interrupted(out, -result);
      return;
    }
    kvmRun.decode(out);
    if (msrsExit && (out.reason == ExitReason.RDMSR || out.reason == ExitReason.WRMSR)) {
      answerHeldMsr(out);
    }
  }

  private int ioctl(long request, long argument, String step) {
    return vm.hypervisor().ioctl(fd, request, argument, step);
  }

  /** Whether the host's thread with this number has run the vCPU last. */
  boolean isRunBy(int thread) {
    return runnerId == thread;
  }

  private void bind() {
    runnerId = LibC.gettid();
    KickSignal.unblock(vm.kickSignal());
    Integer pin = vm.pins().get(index);
    if (pin != null) {
      LibC.check(LibC.pinThisThread(pin), "keeping vCPU " + index + " on CPU " + pin);
    }
    runner = Thread.currentThread();
  }

  /**
   * Whether somebody wants the run that a signal has ended to be over. The timer's signal may come
   * when its deadline has been dealt with already, and other signals are none of the guest's.
   */
  private boolean isStopWanted() {
    // First the page, then the flag: a kick that comes between the two asks for one more exit,
    // never for one less. getAndSet keeps the processor from swapping them.
    page.put(KvmAbi.RUN_IMMEDIATE_EXIT, (byte) 0);
    wasKicked = kicked.getAndSet(false);
    if (asked) {
      rest = findRest();
      asked = false;
    }
    return wasKicked || guestNanos() >= deadline;
  }

  /** What can make the guest go on. KVM_RUN has just been left. */
  private Rest findRest() {
    ioctl(KvmAbi.KVM_GET_MP_STATE, LibC.address(mpState), "KVM_GET_MP_STATE");
    return switch (mpState.getInt(0)) {
      case KvmAbi.KVM_MP_STATE_UNINITIALIZED, KvmAbi.KVM_MP_STATE_INIT_RECEIVED -> Rest.STUCK;
      case KvmAbi.KVM_MP_STATE_HALTED -> {
        ioctl(KvmAbi.KVM_GET_REGS, LibC.address(regs), "KVM_GET_REGS");
        boolean interrupts = (regs.getLong(KvmAbi.REGS_RFLAGS) & RFLAGS_IF) != 0;
        yield !interrupts ? Rest.STUCK : timerIsArmed() ? Rest.NONE : Rest.IDLE;
      }
      default -> Rest.NONE;
    };
  }

  private boolean timerIsArmed() {
    ioctl(KvmAbi.KVM_GET_LAPIC, LibC.address(apic), "KVM_GET_LAPIC");
    oneMsr.putInt(0, 1).putInt(KvmAbi.MSRS_INDEX, ModelRegisters.TSC_DEADLINE);
    oneMsr.putLong(KvmAbi.MSRS_DATA, 0); // and 0 it stays where KVM has no such register
    ioctl(KvmAbi.KVM_GET_MSRS, oneMsrAddress, "KVM_GET_MSRS");
    return KvmTimers.isArmed(apic, oneMsr.getLong(KvmAbi.MSRS_DATA));
  }

  /**
   * Changes whenever {@link #run} is entered or left, but for a deadline, after which the guest is
   * where it was; for any thread.
   */
  long entries() {
    return crossings.get() - 2 * deadlines.get();
  }

  /** Whether the runner sleeps inside KVM_RUN, as a halted vCPU's does. */
  @Override
  public boolean isIdle() {
    return (crossings.get() & 1) != 0 && LibC.isAsleep(runnerId);
  }

  /** Has the runner look what the vCPU waits for; NONE where it does not sleep any more. */
  Rest askForRest() {
    long before = crossings.get();
    rest = Rest.NONE;
    asked = true;
    stop();
    for (int i = 0; asked && i < ASK_TRIES && crossings.get() == before; i++) {
      LockSupport.parkNanos(ASK_NANOS);
    }
    boolean answered = !asked;
    asked = false;
    return answered ? rest : Rest.NONE;
  }

  private void interrupted(VmExit out, int errno) {
    if (errno != LibC.EINTR) {
      throw LibC.failure("KVM_RUN of vCPU " + index, errno);
    }
    if (wasKicked) {
      out.reason = ExitReason.INTERRUPTED;
    } else {
      out.reason = ExitReason.PREEMPTION_TIMER;
      deadlines.lazySet(deadlines.getPlain() + 1);
    }
    if (wasKicked
        && vm.endsAtRest()
        && findRest() != Rest.NONE
        && mpState.getInt(0) == KvmAbi.KVM_MP_STATE_HALTED) {
      out.reason = ExitReason.HLT; // the guest's last act, which KVM has kept to itself
    }
    out.kvmReason = KvmAbi.KVM_EXIT_INTR;
    kvmRun.location(out);
  }

  private void answerHeldMsr(VmExit out) {
    if (!KvmMsrs.heldByKvm(out.index)) {
      return;
    }
    oneMsr.putInt(0, 1);
    oneMsr.putInt(KvmAbi.MSRS_INDEX, out.index);
    oneMsr.putLong(KvmAbi.MSRS_DATA, out.value);
    // Returns how many registers it handled: 0 where it does not know this one or refuses the
    // value.
    int done =
        out.write
            ? ioctl(KvmAbi.KVM_SET_MSRS, oneMsrAddress, "KVM_SET_MSRS")
            : ioctl(KvmAbi.KVM_GET_MSRS, oneMsrAddress, "KVM_GET_MSRS");
    out.answered = true;
    out.fault = done != 1;
    if (!out.write && done == 1) {
      out.value = oneMsr.getLong(KvmAbi.MSRS_DATA);
    }
  }

  @Override
  public void kick() {
    kicked.set(true);
    stop();
    LockSupport.unpark(runner);
  }

  /** Ends the present or the next KVM_RUN. */
  private void stop() {
    synchronized (lifetime) {
      if (closed) {
        return;
      }
      page.put(KvmAbi.RUN_IMMEDIATE_EXIT, (byte) 1);
      if (runnerId != 0) {
        KickSignal.send(vm.kickSignal(), runnerId);
      }
    }
  }

  /**
   * Stops the vCPU where its deadline has come. Called by the timer's thread.
   *
   * @return the deadline to wait for, or {@code Long.MAX_VALUE} for none
   */
  long stopIfDue(long guestNanos) {
    long due = deadline;
    if (due > guestNanos) {
      return due;
    }
    stop();
    return Long.MAX_VALUE;
  }

  @Override
  public boolean interruptible() {
    return page.get(KvmAbi.RUN_READY_FOR_INTERRUPT_INJECTION) != 0;
  }

  @Override
  public void injectInterrupt(int vector) {
    if (vector < 0 || vector > 255) {
      throw new IllegalArgumentException("interrupt vector " + vector);
    }
    interrupt.putInt(0, vector);
    ioctl(KvmAbi.KVM_INTERRUPT, interruptAddress, "KVM_INTERRUPT");
    // KVM looks again at the next exit; until then one interrupt is all it takes.
    page.put(KvmAbi.RUN_READY_FOR_INTERRUPT_INJECTION, (byte) 0);
  }

  @Override
  public void injectNmi() {
    ioctl(KvmAbi.KVM_NMI, 0, "KVM_NMI");
  }

  @Override
  public void requestInterruptWindow(boolean wanted) {
    page.put(KvmAbi.RUN_REQUEST_INTERRUPT_WINDOW, (byte) (wanted ? 1 : 0));
  }

  /**
   * As of the last exit or wait, or of the first time anybody asked after it: the devices of one
   * exit agree about the time, and the clock is read at most once.
   */
  @Override
  public long guestNanos() {
    if (!nowKnown) {
      readClock();
    }
    return now;
  }

  /** Makes it now; returns that on the clock of System.nanoTime. */
  private long readClock() {
    long nanos = System.nanoTime();
    now = nanos - vm.origin();
    nowKnown = true;
    return nanos;
  }

  @Override
  public void tellMore(boolean wanted) {
    tellsMore = wanted;
    kvmRun.syncRegs(wanted);
  }

  @Override
  public void setDeadline(long guestNanos) {
    if (guestNanos == deadline) {
      return;
    }
    deadline = guestNanos;
    if (guestNanos != Long.MAX_VALUE) {
      vm.timer().deadlineSet(guestNanos);
    }
  }

  @Override
  public void idleUntil(long guestNanos) {
    if (Thread.currentThread() != runner) {
      bind();
    }
    while (true) {
      readClock();
      long left = guestNanos - now;
      if (left <= 0 || kicked.get()) {
        return;
      }
      if (guestNanos == Long.MAX_VALUE) {
        LockSupport.park(this);
      } else {
        LockSupport.parkNanos(this, left);
      }
    }
  }

  @Override
  public long instructions() {
    return -1;
  }

  @Override
  public void readState(CpuState state) {
    fetch();
    KvmRegisters.read(regs, sregs, state);
    if (state.more != null) {
      readMore(state.more);
    }
  }

  private void readMore(CpuState.More more) {
    ioctl(KvmAbi.KVM_GET_FPU, LibC.address(fpu), "KVM_GET_FPU");
    KvmRegisters.readFpu(fpu, more.fxsave);
    int[] indexes = CpuState.More.MSRS;
    msrs.putInt(0, indexes.length);
    for (int i = 0; i < indexes.length; i++) {
      msrs.putInt(KvmAbi.MSRS_INDEX + i * KvmAbi.MSRS_ENTRY, indexes[i]);
    }
    // It stops at the first that this vCPU does not have; the last ones are the youngest.
    more.known = ioctl(KvmAbi.KVM_GET_MSRS, LibC.address(msrs), "KVM_GET_MSRS");
    for (int i = 0; i < more.known; i++) {
      more.msrs[i] = msrs.getLong(KvmAbi.MSRS_DATA + i * KvmAbi.MSRS_ENTRY);
    }
  }

  /** The time-stamp counter, which goes on by itself, is left alone. */
  private void writeMore(CpuState.More more) {
    ioctl(KvmAbi.KVM_GET_FPU, LibC.address(fpu), "KVM_GET_FPU");
    KvmRegisters.writeFpu(more.fxsave, fpu);
    ioctl(KvmAbi.KVM_SET_FPU, LibC.address(fpu), "KVM_SET_FPU");
    msrs.putInt(0, Math.max(0, more.known - 1));
    for (int i = 1; i < more.known; i++) {
      int at = (i - 1) * KvmAbi.MSRS_ENTRY;
      msrs.putInt(KvmAbi.MSRS_INDEX + at, CpuState.More.MSRS[i]);
      msrs.putLong(KvmAbi.MSRS_DATA + at, more.msrs[i]);
    }
    ioctl(KvmAbi.KVM_SET_MSRS, LibC.address(msrs), "KVM_SET_MSRS");
  }

  @Override
  public void setTaskPriority(int priority) {
    page.putLong(KvmAbi.RUN_CR8, priority);
  }

  @Override
  public void writeState(CpuState state) {
    finishPendingExit();
    fetch();
    KvmRegisters.write(state, regs, sregs);
    ioctl(KvmAbi.KVM_SET_SREGS, LibC.address(sregs), "KVM_SET_SREGS");
    ioctl(KvmAbi.KVM_SET_REGS, LibC.address(regs), "KVM_SET_REGS");
    if (state.more != null) {
      writeMore(state.more);
    }
    // Without an in-kernel APIC, KVM takes CR8 from the page at every entry.
    page.putLong(KvmAbi.RUN_CR8, state.cr8);
  }

  private void fetch() {
    ioctl(KvmAbi.KVM_GET_REGS, LibC.address(regs), "KVM_GET_REGS");
    ioctl(KvmAbi.KVM_GET_SREGS, LibC.address(sregs), "KVM_GET_SREGS");
  }

  /**
   * Lets KVM finish a port read or the like without running the guest, or it would write its result
   * over the new registers. The caller has given up the exit, so the value it returns is whatever
   * the page holds.
   */
  private void finishPendingExit() {
    if (!kvmRun.answerPending()) {
      return;
    }
    kvmRun.drop();
    page.put(KvmAbi.RUN_IMMEDIATE_EXIT, (byte) 1);
    if (LibC.ioctl(fd, KvmAbi.KVM_RUN, 0) != -LibC.EINTR) {
      throw new HypervisorException(
          "KVM_RUN with immediate_exit set did not return at once; this KVM is not usable");
    }
    if (!kicked.get()) {
      page.put(KvmAbi.RUN_IMMEDIATE_EXIT, (byte) 0);
    }
  }

  @Override
  public void close() {
    synchronized (lifetime) {
      if (closed) {
        return;
      }
      closed = true;
    }
    LibC.munmap(pageAddress, pageBytes);
    LibC.close(fd);
  }
}
