package io.trapscope.vmm.soft.cpu;

import io.trapscope.recorder.event.CpuMode;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.vmm.hypervisor.VmExit;

/**
 * Leaving guest mode and raising exceptions.
 *
 * <p>An instruction that exits is left before it has changed anything, and runs again when the VMM
 * has answered: {@link #completing} is then true and {@link #exit} holds the answer. Memory-mapped
 * accesses of one instruction are answered one by one; those already answered are kept until the
 * instruction is through.
 */
public abstract class CpuExits extends CpuRegisters {
  /** Bits of {@link #attention}: what the run loop must look at before the next block. */
  public static final int EXIT = 1;

  /** The next instruction is in an interrupt shadow. */
  public static final int SHADOW = 2;

  /** RFLAGS.TF or a debug register is armed: single steps. */
  public static final int STEP = 4;

  /** An interrupt or NMI waits for delivery. */
  public static final int EVENT = 8;

  /** The VMM wants to know when interrupts can be taken. */
  public static final int WINDOW = 16;

  private static final int MMIO_PIECES = 64;

  /** What the VMM passed to the current run. */
  protected VmExit exit;

  /** See the bits above; 0 on the fast path. */
  public int attention;

  /** The instruction runs again, with the VMM's answer in {@link #exit}. */
  public boolean completing;

  /** Index of the current instruction in the current block. */
  public int index;

  /** Which of the blocks of generated code is to run. */
  public int entryBlock;

  /** The access under way fetches the instruction at {@link #rip}; there is no current one. */
  protected boolean fetching;

  /** The instructions that {@link #index} counts. */
  protected Op[] ops;

  /** Instructions retired, less {@link #index} while an instruction runs: see {@link Code#run}. */
  public long retired;

  /** Instruction count at which the run ends. */
  public long limit = Long.MAX_VALUE;

  /** Another thread wants the run to end. */
  public volatile boolean kicked;

  protected final GuestFault fault = new GuestFault();
  protected final ExitSignal exitSignal = new ExitSignal("exit");

  /** The instruction stores to decoded code: it must run in a block of its own. */
  protected final ExitSignal aloneSignal = new ExitSignal("alone");

  private final long[] mmioValues = new long[MMIO_PIECES];
  private int mmioDone;
  private int mmioNext;

  /** The instruction that runs. */
  public final Op current() {
    return ops[index];
  }

  /** The exception to throw. */
  public final GuestFault fault(int vector, int errorCode) {
    fault.vector = vector;
    fault.errorCode = errorCode;
    return fault;
  }

  public final GuestFault gp(int errorCode) {
    return fault(GuestFault.GP, errorCode);
  }

  public final GuestFault ud() {
    return fault(GuestFault.UD, 0);
  }

  protected final GuestFault pageFault(long linear, int errorCode) {
    fault.address = linear;
    return fault(GuestFault.PF, errorCode);
  }

  /** True once after the VMM has answered this instruction's exit. */
  public final boolean takeCompletion() {
    boolean answer = completing;
    completing = false;
    return answer;
  }

  /** The exit of this run: its fields hold the VMM's answer after {@link #takeCompletion()}. */
  public final VmExit answer() {
    return exit;
  }

  /**
   * Leaves guest mode at the end of this instruction, which must be the last of its block and must
   * have changed nothing. The caller fills in the rest.
   */
  public final VmExit leave(ExitReason reason) {
    begin(reason);
    attention |= EXIT;
    return exit;
  }

  /** Fills in what every exit has, for the current instruction. */
  protected final void begin(ExitReason reason) {
    exit.reset();
    exit.reason = reason;
    if (fetching) {
      stamp(rip, retired);
      return;
    }
    Op op = current();
    stamp(op.rip(), retired + index);
    exit.instructionLength = (int) (op.next() - op.rip());
  }

  /** RIP, mode and count of an exit. */
  protected final void stamp(long at, long instructions) {
    exit.captured |= VmExit.RIP | VmExit.MODE | VmExit.INSTRUCTIONS;
    exit.rip = at;
    exit.mode = cpuMode();
    exit.cpl = cpl;
    exit.instructions = instructions;
  }

  /** The mode as an exit reports it. */
  public final CpuMode cpuMode() {
    if ((cr0 & CR0_PE) == 0) {
      return CpuMode.REAL;
    }
    if ((eflags & VM) != 0) {
      return CpuMode.VIRTUAL_8086;
    }
    int code = mode & Mode.CODE;
    if (longMode()) {
      return code == Mode.CODE_64 ? CpuMode.LONG : CpuMode.COMPATIBILITY;
    }
    return code == Mode.CODE_32 ? CpuMode.PROTECTED_32 : CpuMode.PROTECTED_16;
  }

  /** Leaves guest mode for a memory-mapped access, or answers it from what the VMM said before. */
  protected final long mmio(
      long gpa, long linear, int guestShift, int size, boolean write, long value) {
    if (mmioNext < mmioDone) {
      return mmioValues[mmioNext++];
    }
    begin(ExitReason.EPT_MISCONFIGURATION);
    exit.captured |= VmExit.GPA | VmExit.GVA;
    exit.gpa = gpa;
    exit.gva = linear;
    if (guestShift != 0) {
      exit.captured |= VmExit.GUEST_PAGE;
      exit.guestPageShift = guestShift;
    }
    exit.size = size;
    exit.write = write;
    if (write) {
      exit.captured |= VmExit.VALUE;
    }
    exit.value = value;
    throw exitSignal;
  }

  /** Keeps the answer to the memory-mapped access that caused the last exit. */
  protected final void mmioAnswered(long value) {
    if (mmioDone == MMIO_PIECES) {
      throw new IllegalStateException("one instruction made " + MMIO_PIECES + " device accesses");
    }
    mmioValues[mmioDone++] = value;
  }

  /** The instruction starts (again). */
  protected final void mmioRestart() {
    mmioNext = 0;
  }

  /**
   * The instruction, or one iteration of a repeated one, is through: what the VMM answered is used
   * up.
   */
  public final void mmioCommit() {
    mmioDone = 0;
    mmioNext = 0;
  }
}
