package io.trapscope.vmm.soft.cpu;

import io.trapscope.recorder.event.ExitReason;
import io.trapscope.vmm.hypervisor.VmExit;
import io.trapscope.vmm.soft.decode.Opcode;

/**
 * Runs a processor from one exit to the next.
 *
 * <p>The fast path runs whole blocks, one chained to the next, for as long as the remaining
 * instructions until the deadline allow it and {@link Cpu#attention} is 0. All else goes
 * instruction by instruction, so that the count at every exit is exact.
 *
 * <p>A repeated string instruction counts as one instruction, when it is through.
 *
 * <p>An exception whose handler raises one at its first instruction is delivered for ever, and no
 * instruction retires: such deliveries take guest time of their own, so that timers, other vCPUs
 * and the deadline have their turn.
 */
public final class Runner {
  /** Deliveries in a row that take no time; no guest that gets on has so many. */
  private static final int FREE_DELIVERIES = 1000;

  /** What each further one takes: about as long as an exception that exits on a processor. */
  private static final long DELIVERY_NANOS = 1000;

  /** What is to be done before the guest goes on. */
  private enum Resume {
    NOTHING,
    /** Run the instruction that exited again, with the VMM's answer. */
    INSTRUCTION,
    /** Start the instruction that made a device access again; the answer is kept. */
    DEVICE,
    /** The processor is shut down. */
    SHUTDOWN
  }

  private final Cpu cpu;
  private final BlockCache blocks;
  private Resume resume = Resume.NOTHING;

  /** The instruction at RIP must run by itself. */
  private boolean alone;

  /** An event being delivered, or -1; kept while an exit interrupts its delivery. */
  private int eventVector = -1;

  private boolean eventExits;
  private int eventError;
  private boolean eventHasError;
  private boolean eventIsException;

  /** Deliveries since an instruction retired, and the count of instructions then. */
  private int deliveries;

  private long deliveredAt;

  private int interruptVector = -1;
  private boolean nmiPending;

  public Runner(Cpu cpu) {
    this.cpu = cpu;
    blocks = new BlockCache(cpu);
  }

  public void kick() {
    cpu.kicked = true;
  }

  /** Sets the instruction count at which {@link #run} returns; {@code Long.MAX_VALUE} for never. */
  public void setLimit(long instructions) {
    cpu.limit = instructions;
  }

  public boolean interruptible() {
    return (cpu.eflags & Cpu.IF) != 0
        && (cpu.attention & Cpu.SHADOW) == 0
        && interruptVector < 0
        && eventVector < 0;
  }

  public void injectInterrupt(int vector) {
    interruptVector = vector;
    cpu.eventWaiting = true;
    cpu.attention |= Cpu.EVENT;
  }

  public void injectNmi() {
    nmiPending = true;
    cpu.eventWaiting = true;
    cpu.attention |= Cpu.EVENT;
  }

  public void requestWindow(boolean wanted) {
    cpu.windowWanted = wanted;
    if (!wanted) {
      cpu.attention &= ~Cpu.WINDOW;
    }
  }

  /** Forgets what was under way: the registers were set from outside. */
  public void restart() {
    resume = Resume.NOTHING;
    alone = false;
    eventVector = -1;
    cpu.mmioCommit();
    cpu.completing = false;
    cpu.attention &= ~(Cpu.SHADOW | Cpu.EXIT);
    cpu.stackLoaded = false;
    cpu.flushTlb();
    cpu.updateMode();
  }

  /** Runs until the next exit, which it describes in {@code exit}. */
  public void run(VmExit exit) {
    cpu.exit = exit;
    cpu.fetching = false;
    cpu.mmioRestart();
    cpu.flagsChanged();
    cpu.installFinished();
    if (resume == Resume.DEVICE) {
      cpu.mmioAnswered(exit.value);
      alone = true;
      resume = Resume.NOTHING;
    }
    while (!attempt()) {
      // Goes on after a guest exception or a restarted instruction.
    }
    cpu.index = 0;
  }

  /** Runs until an exit (true), or until something made the current instruction stop. */
  private boolean attempt() {
    try {
      while (!prepare()) {
        if (fast()) {
          return true;
        }
      }
      return true;
    } catch (GuestFault fault) {
      rewind();
      cpu.mmioCommit();
      cpu.completing = false;
      cpu.debugHits = 0;
      alone = false;
      return raise(fault);
    } catch (ExitSignal signal) {
      rewind();
      if (signal == cpu.aloneSignal) {
        cpu.mmioRestart();
        alone = true;
        return false;
      }
      if (cpu.exit.reason == ExitReason.EPT_MISCONFIGURATION) {
        resume = Resume.DEVICE;
      }
      return true;
    }
  }

  /** RIP and count as they are before the instruction that did not get through. */
  private void rewind() {
    if (cpu.fetching) {
      cpu.fetching = false;
    } else {
      cpu.rip = cpu.current().rip();
      cpu.retired += cpu.index;
    }
    cpu.index = 0;
    cpu.alone = false;
    cpu.attention &= ~Cpu.EXIT;
  }

  /**
   * Does what the fast path does not: returns true on an exit, false when the fast path can go on.
   */
  private boolean prepare() {
    for (; ; ) {
      if (eventVector >= 0) {
        if (eventExits) {
          eventExits = false;
          return true;
        }
        deliverEvent();
        continue;
      }
      if (resume == Resume.SHUTDOWN) {
        return leave(ExitReason.TRIPLE_FAULT);
      }
      if (resume == Resume.INSTRUCTION) {
        resume = Resume.NOTHING;
        cpu.completing = true;
        if (single()) {
          return true;
        }
        continue;
      }
      if (alone) {
        if (single()) {
          return true;
        }
        continue;
      }
      if (cpu.kicked) {
        cpu.kicked = false;
        return leave(ExitReason.INTERRUPTED);
      }
      if ((cpu.attention & Cpu.EVENT) != 0 && takeInterrupt()) {
        continue;
      }
      if ((cpu.attention & Cpu.WINDOW) != 0) {
        if (interruptible()) {
          return leave(ExitReason.INTERRUPT_WINDOW);
        }
        cpu.attention &= ~Cpu.WINDOW;
      }
      if (cpu.retired >= cpu.limit) {
        return leave(ExitReason.PREEMPTION_TIMER);
      }
      if ((cpu.attention & (Cpu.SHADOW | Cpu.STEP)) != 0) {
        if (single()) {
          return true;
        }
        continue;
      }
      if (!part()) {
        return false;
      }
    }
  }

  private boolean leave(ExitReason reason) {
    cpu.exit.reset();
    cpu.exit.reason = reason;
    cpu.stamp(cpu.rip, cpu.retired);
    return true;
  }

  /** Whether a block does not fit before the deadline; then runs the part of it that does. */
  private boolean part() {
    Block b = blocks.find();
    long left = cpu.limit - cpu.retired;
    if (b.count <= left) {
      return false;
    }
    cpu.ops = b.ops;
    for (int i = 0; i < left; i++) {
      cpu.index = i;
      Op op = b.ops[i];
      op.handler().exec(cpu, op);
    }
    cpu.index = 0;
    cpu.retired += left;
    cpu.rip = b.ops[(int) left - 1].next();
    return true;
  }

  /** Runs one instruction, with the traps and shadows that go with it; true on an exit. */
  private boolean single() {
    boolean stepping = (cpu.attention & Cpu.STEP) != 0;
    boolean shadow = (cpu.attention & Cpu.SHADOW) != 0;
    boolean stackLoaded = cpu.stackLoaded;
    if (stepping && !cpu.completing && !stackLoaded && instructionBreakpoint()) {
      return false;
    }
    Block b = blocks.find();
    cpu.attention &= ~Cpu.SHADOW;
    cpu.stackLoaded = false;
    boolean trap = (cpu.eflags & Cpu.TF) != 0;
    int resumeFlag = cpu.eflags & Cpu.RF;
    cpu.eflags &= ~Cpu.RF;
    long before = cpu.retired;
    Op op = b.ops[0];
    cpu.ops = b.ops;
    cpu.index = 0;
    cpu.rip = op.next();
    cpu.alone = true;
    try {
      op.handler().exec(cpu, op);
    } catch (ExitSignal | GuestFault stopped) {
      if (shadow && stopped instanceof ExitSignal) {
        cpu.attention |= Cpu.SHADOW;
        cpu.stackLoaded = stackLoaded;
      }
      cpu.eflags |= resumeFlag;
      throw stopped;
    }
    cpu.alone = false;
    alone = false;
    if ((cpu.attention & Cpu.EXIT) != 0) {
      cpu.eflags |= resumeFlag;
      return exited(op);
    }
    cpu.retired++;
    cpu.mmioCommit();
    cpu.flagsChanged();
    boolean repeats = cpu.retired == before;
    if (repeats) {
      cpu.eflags |= resumeFlag;
    }
    if ((stepping || (cpu.attention & Cpu.STEP) != 0) && !cpu.stackLoaded) {
      // Delivery clears TF: the handler of an INT n does not begin with a trap.
      boolean handled = op.opcode().is(Opcode.INTERRUPT) && (cpu.eflags & Cpu.TF) == 0;
      afterStep(trap && !handled, repeats);
    }
    return false;
  }

  /** The last instruction asked to leave: it has changed nothing and will run again. */
  private boolean exited(Op op) {
    cpu.attention &= ~Cpu.EXIT;
    cpu.rip = op.rip();
    cpu.completing = false;
    resume = Resume.INSTRUCTION;
    return true;
  }

  private boolean instructionBreakpoint() {
    if (!cpu.hasInstructionBreakpoints() || (cpu.eflags & Cpu.RF) != 0) {
      return false;
    }
    long linear = cpu.code64() ? cpu.rip : cpu.segBase[Cpu.CS] + cpu.rip & 0xffffffffL;
    long hits = 0;
    for (int i = 0; i < 4; i++) {
      boolean armed = (cpu.dr[7] >>> 2 * i & 3) != 0 && (cpu.dr[7] >>> 16 + 4 * i & 3) == 0;
      hits |= armed && cpu.dr[i] == linear ? 1L << i : 0;
    }
    if (hits == 0) {
      return false;
    }
    debugException(hits);
    return true;
  }

  /**
   * Takes the traps of an instruction. One that loads SS holds them back until the next one is
   * through (SDM volume 3, section 6.8.3), and this is not called.
   *
   * @param repeats whether the instruction is between two iterations, to which RF lets it return
   */
  private void afterStep(boolean trap, boolean repeats) {
    long status = cpu.debugHits | (trap ? 1 << 14 : 0);
    cpu.debugHits = 0;
    if ((cpu.eflags & Cpu.TF) == 0 && !cpu.breakpointsArmed()) {
      cpu.attention &= ~Cpu.STEP;
    }
    if (status != 0) {
      cpu.eflags |= repeats ? Cpu.RF : 0;
      debugException(status);
    }
  }

  private void debugException(long status) {
    cpu.dr[6] |= status;
    begin(GuestFault.DB, 0, true);
    if ((cpu.exceptionBitmap >>> GuestFault.DB & 1) != 0) {
      describeException(status);
    }
  }

  /** Runs blocks until something unusual comes up; true on an exit. */
  private boolean fast() {
    Cpu c = cpu;
    Block b = blocks.find();
    for (; ; ) {
      Code code = b.code;
      long left = c.limit - c.retired;
      if (b.need > left) {
        if (b.count > left) {
          return false;
        }
        code = b.interpreted;
      }
      c.ops = code.ops;
      c.entryBlock = b.entry;
      c.rip = b.end;
      code.run(c);
      if (c.attention != 0 || c.kicked) {
        return finish();
      }
      c.index = 0;
      Block next = b.link0;
      if (next.rip != c.rip || next.stamp != c.stamp) {
        next = b.link1;
        if (next.rip != c.rip || next.stamp != c.stamp) {
          next = blocks.find();
          if (next != b.link0 && next != b.link1) {
            b.link(next);
          }
        }
      }
      b = next;
    }
  }

  /** Looks at what the last instruction has brought up; true on an exit. */
  private boolean finish() {
    Op op = cpu.current();
    cpu.index = 0;
    if ((cpu.attention & Cpu.EXIT) != 0) {
      cpu.retired--;
      return exited(op);
    }
    return false;
  }

  /** Starts an exception; true when it exits first. */
  private boolean raise(GuestFault fault) {
    if (fault.vector == GuestFault.PF) {
      cpu.cr2 = fault.address;
    }
    // A fault returns to its instruction, whose breakpoint was before it (SDM volume 3, 17.3.1.1).
    cpu.eflags |= Cpu.RF;
    int vector = fault.vector;
    int error = fault.errorCode;
    if (eventVector >= 0) {
      if (eventIsException && eventVector == GuestFault.DF) {
        eventVector = -1;
        resume = Resume.SHUTDOWN;
        return leave(ExitReason.TRIPLE_FAULT);
      }
      if (eventIsException && doubleFault(eventVector, vector)) {
        vector = GuestFault.DF;
        error = 0;
      }
    }
    begin(vector, error, true);
    if ((cpu.exceptionBitmap >>> vector & 1) == 0) {
      return false;
    }
    describeException(qualification(fault));
    eventExits = false;
    return true;
  }

  /** SDM volume 3, section 28.2.1; the one fault that is a #DB is an access to debug registers. */
  private static long qualification(GuestFault fault) {
    return switch (fault.vector) {
      case GuestFault.PF -> fault.address;
      case GuestFault.DB -> Cpu.DR6_BD;
      default -> 0;
    };
  }

  /** SDM volume 3, table 6-5. */
  private static boolean doubleFault(int first, int second) {
    if (first == GuestFault.PF) {
      return second == GuestFault.PF || contributory(second);
    }
    return contributory(first) && contributory(second);
  }

  private static boolean contributory(int vector) {
    return vector == GuestFault.DE || vector >= GuestFault.TS && vector <= GuestFault.GP;
  }

  private void begin(int vector, int error, boolean exception) {
    eventVector = vector;
    eventError = error;
    eventIsException = exception;
    eventHasError = exception && GuestFault.pushesErrorCode(vector) && (cpu.cr0 & Cpu.CR0_PE) != 0;
  }

  private void describeException(long qualification) {
    leave(ExitReason.EXCEPTION_OR_NMI);
    VmExit exit = cpu.exit;
    exit.index = eventVector;
    exit.hasErrorCode = eventHasError;
    exit.errorCode = eventError;
    exit.captured |= VmExit.QUALIFICATION;
    exit.qualification = qualification;
    if (eventVector == GuestFault.PF) {
      exit.captured |= VmExit.GVA;
      exit.gva = qualification;
    }
    eventExits = true;
  }

  private void deliverEvent() {
    cpu.fetching = true;
    // No block is under way: what is pushed may lie on code.
    cpu.alone = true;
    cpu.deliver(eventVector, false, eventHasError, eventError, cpu.rip);
    cpu.alone = false;
    cpu.fetching = false;
    eventVector = -1;
    cpu.attention &= ~Cpu.SHADOW;
    cpu.stackLoaded = false;
    if ((cpu.eflags & Cpu.TF) == 0 && !cpu.breakpointsArmed()) {
      cpu.attention &= ~Cpu.STEP;
    }
    countDelivery();
  }

  private void countDelivery() {
    if (cpu.retired != deliveredAt) {
      deliveredAt = cpu.retired;
      deliveries = 0;
    }
    if (deliveries < FREE_DELIVERIES) {
      deliveries++;
    } else {
      cpu.skip(DELIVERY_NANOS);
    }
  }

  /** Starts the delivery of an NMI or interrupt if it can be taken now. */
  private boolean takeInterrupt() {
    if ((cpu.attention & Cpu.SHADOW) != 0) {
      return false;
    }
    if (nmiPending && !cpu.nmiBlocked) {
      nmiPending = false;
      cpu.nmiBlocked = true;
      begin(GuestFault.NMI, 0, false);
    } else if (interruptVector >= 0 && (cpu.eflags & Cpu.IF) != 0) {
      begin(interruptVector, 0, false);
      interruptVector = -1;
    } else {
      cpu.attention &= ~Cpu.EVENT;
      return false;
    }
    cpu.eventWaiting = nmiPending || interruptVector >= 0;
    if (!cpu.eventWaiting) {
      cpu.attention &= ~Cpu.EVENT;
    }
    return true;
  }

  /** Counts and registers at the last exit. */
  public long instructions() {
    return cpu.retired;
  }
}
