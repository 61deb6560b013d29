package io.trapscope.vmm.soft.fpu;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * x87, MMX and SSE registers of one processor, with the x87's stack and exception rules (SDM volume
 * 1, chapters 8 to 11).
 *
 * <p>x87 registers are kept at their physical place; ST(i) is physical register {@code top + i}.
 * MMX register i is the significand of physical register i.
 */
public final class FpuState {
  /** Status word bits. */
  public static final int STACK_FAULT = 1 << 6;

  public static final int SUMMARY = 1 << 7;
  public static final int C0 = 1 << 8;
  public static final int C1 = 1 << 9;
  public static final int C2 = 1 << 10;
  public static final int C3 = 1 << 14;
  public static final int BUSY = 1 << 15;

  private static final int CONDITIONS = C0 | C1 | C2 | C3;
  private static final int EXCEPTIONS = 0x3F;

  /** Exceptions found before the operation: an unmasked one leaves the operands alone. */
  private static final int PRE_OPERATION =
      SoftFloat.INVALID | SoftFloat.DENORMAL | SoftFloat.DIVIDE_BY_ZERO;

  private static final int[] PRECISION_BITS = {24, 64, 53, 64};

  /** MXCSR bits that exist: DAZ, flags, masks, rounding, FTZ. */
  public static final int MXCSR_MASK = 0xFFFF;

  /** Significands of the physical registers; MMX registers. */
  final long[] mant = new long[8];

  /** Sign and exponent of the physical registers. */
  final int[] se = new int[8];

  /** XMM registers: low half at 2n, high half at 2n + 1. */
  public final long[] xmm = new long[32];

  /** x87 arithmetic; its environment follows the control word. */
  final ExtFloat ext = new ExtFloat();

  final ExtTranscendental transcendental = new ExtTranscendental(ext);

  /** SSE arithmetic; its environment is set by each instruction. */
  final SseFloat sse = new SseFloat();

  int top;
  int control;

  /** Status word but for TOP. */
  int status;

  /** Bit i set: physical register i is not empty. FXSAVE's abridged tag word. */
  int valid;

  public int mxcsr;

  /** Last instruction: address, opcode (11 bits), operand; selectors for the 16/32-bit formats. */
  long instructionPointer;

  int instructionSelector;
  int opcode;
  long dataPointer;
  int dataSelector;

  /** Creates the state after power-up. */
  public FpuState() {
    reset();
  }

  /** Power-up and RESET (SDM volume 3, table 10-1). */
  public void reset() {
    Arrays.fill(mant, 0);
    Arrays.fill(se, 0);
    Arrays.fill(xmm, 0);
    init();
    setControl(0x40);
    // Tag word 5555H: every register holds zero.
    valid = 0xFF;
    mxcsr = 0x1F80;
  }

  /** FNINIT. */
  void init() {
    setControl(0x37F);
    status = 0;
    top = 0;
    valid = 0;
    instructionPointer = 0;
    instructionSelector = 0;
    opcode = 0;
    dataPointer = 0;
    dataSelector = 0;
  }

  // ---- image of everything -------------------------------------------------------------------

  private static final int IMAGE_MXCSR = 24;
  private static final int IMAGE_REGISTERS = 32;
  private static final int IMAGE_XMM = 160;

  /** Stores all registers as FXSAVE does in 64-bit mode (SDM volume 1, section 10.5.1). */
  public void save(byte[] to) {
    ByteBuffer image = ByteBuffer.wrap(to).order(ByteOrder.LITTLE_ENDIAN);
    image.putShort(0, (short) control).putShort(2, (short) statusWord());
    image.putShort(4, (short) valid).putShort(6, (short) opcode);
    image.putLong(8, instructionPointer).putLong(16, dataPointer);
    image.putInt(IMAGE_MXCSR, mxcsr).putInt(IMAGE_MXCSR + 4, MXCSR_MASK);
    for (int i = 0; i < 8; i++) {
      image.putLong(IMAGE_REGISTERS + 16 * i, mant(i)).putLong(IMAGE_REGISTERS + 16 * i + 8, se(i));
    }
    for (int i = 0; i < xmm.length; i++) {
      image.putLong(IMAGE_XMM + 8 * i, xmm[i]);
    }
  }

  /** Loads what {@link #save} stores. */
  public void load(byte[] from) {
    ByteBuffer image = ByteBuffer.wrap(from).order(ByteOrder.LITTLE_ENDIAN);
    valid = image.get(4) & 0xFF;
    setControl(image.getShort(0) & 0xFFFF);
    setStatusWord(image.getShort(2) & 0xFFFF);
    opcode = image.getShort(6) & 0x7FF;
    instructionPointer = image.getLong(8);
    dataPointer = image.getLong(16);
    mxcsr = image.getInt(IMAGE_MXCSR) & MXCSR_MASK;
    for (int i = 0; i < 8; i++) {
      mant[physical(i)] = image.getLong(IMAGE_REGISTERS + 16 * i);
      se[physical(i)] = image.getShort(IMAGE_REGISTERS + 16 * i + 8) & 0xFFFF;
    }
    for (int i = 0; i < xmm.length; i++) {
      xmm[i] = image.getLong(IMAGE_XMM + 8 * i);
    }
  }

  // ---- control and status --------------------------------------------------------------------

  /** The control word; bit 6 reads as 1. */
  public int control() {
    return control;
  }

  void setControl(int word) {
    control = word & 0x1F3F | 0x40;
    ext.precision = PRECISION_BITS[word >> 8 & 3];
    ext.soft.rounding = word >> 10 & 3;
    ext.soft.masks = word & EXCEPTIONS;
    updateSummary();
  }

  /** The status word with TOP. */
  public int statusWord() {
    return status | top << 11;
  }

  void setStatusWord(int word) {
    status = word & (CONDITIONS | STACK_FAULT | EXCEPTIONS);
    top = word >> 11 & 7;
    updateSummary();
  }

  /** ES and B follow the flags and masks. */
  private void updateSummary() {
    boolean pending = (status & ~control & EXCEPTIONS) != 0;
    status = pending ? status | SUMMARY | BUSY : status & ~(SUMMARY | BUSY);
  }

  /** Whether an unmasked x87 exception waits to be raised. */
  boolean pending() {
    return (status & SUMMARY) != 0;
  }

  void clearExceptions() {
    status &= CONDITIONS;
  }

  void setConditions(int bits) {
    status = status & ~CONDITIONS | bits;
  }

  void setC1(boolean value) {
    status = value ? status | C1 : status & ~C1;
  }

  // ---- stack ---------------------------------------------------------------------------------

  int physical(int i) {
    return top + i & 7;
  }

  boolean isEmpty(int i) {
    return (valid >> physical(i) & 1) == 0;
  }

  int se(int i) {
    return se[physical(i)];
  }

  long mant(int i) {
    return mant[physical(i)];
  }

  /** Writes ST(i) and marks it full. */
  void set(int i, int newSe, long newMant) {
    int register = physical(i);
    se[register] = newSe & 0xFFFF;
    mant[register] = newMant;
    valid |= 1 << register;
  }

  void pop() {
    valid &= ~(1 << top);
    top = top + 1 & 7;
  }

  void push(int newSe, long newMant) {
    top = top - 1 & 7;
    set(0, newSe, newMant);
  }

  // ---- exceptions ----------------------------------------------------------------------------

  /** Starts an x87 operation: no flags yet. */
  void begin() {
    ext.begin();
  }

  /**
   * Merges the flags of the operation since {@link #begin} into the status word, with C1 for the
   * rounding direction; returns whether its result may be written to a register.
   */
  boolean commit() {
    int flags = ext.soft.flags;
    status &= ~C1;
    if (flags == 0) {
      return true;
    }
    int blocking = flags & ~control & PRE_OPERATION;
    if (blocking != 0) {
      // What would come after the operation has not happened.
      raise(flags & PRE_OPERATION);
      return false;
    }
    raise(flags);
    setC1(ext.soft.roundedUp && (flags & SoftFloat.PRECISION) != 0);
    return true;
  }

  /**
   * As {@link #commit} for a store: where unmasked overflow or underflow stops it, only that shows.
   */
  void commitStore() {
    SoftFloat soft = ext.soft;
    if ((soft.flags & ~control & (SoftFloat.OVERFLOW | SoftFloat.UNDERFLOW)) != 0) {
      soft.flags &= ~SoftFloat.PRECISION;
    }
    commit();
  }

  private void raise(int flags) {
    status |= flags;
    if ((flags & ~control & EXCEPTIONS) != 0) {
      status |= SUMMARY | BUSY;
    }
  }

  /** Stack underflow or, {@code overflow}, overflow; returns whether it is masked. */
  boolean stackFault(boolean overflow) {
    setC1(overflow);
    raise(SoftFloat.INVALID | STACK_FAULT);
    return (control & SoftFloat.INVALID) != 0;
  }

  // ---- MMX -----------------------------------------------------------------------------------

  long mmx(int i) {
    return mant[i & 7];
  }

  /** Every MMX instruction but EMMS: TOP 0, all registers full. */
  void enterMmx() {
    top = 0;
    valid = 0xFF;
  }

  /** Writes an MMX register: the exponent reads as all ones afterwards. */
  void setMmx(int i, long value) {
    mant[i & 7] = value;
    se[i & 7] = 0xFFFF;
  }

  void emptyMmx() {
    valid = 0;
    top = 0;
  }

  // ---- tag word ------------------------------------------------------------------------------

  /** The full tag word: 0 valid, 1 zero, 2 special, 3 empty, two bits a physical register. */
  int tagWord() {
    int word = 0;
    for (int i = 0; i < 8; i++) {
      word |= tag(i) << 2 * i;
    }
    return word;
  }

  private int tag(int register) {
    if ((valid >> register & 1) == 0) {
      return 3;
    }
    int exponent = se[register] & 0x7FFF;
    if (exponent == 0) {
      return mant[register] == 0 ? 1 : 2;
    }
    return exponent == 0x7FFF || mant[register] >= 0 ? 2 : 0;
  }

  /** Only emptiness is taken from a tag word; the rest follows from the registers. */
  void setTagWord(int word) {
    valid = 0;
    for (int i = 0; i < 8; i++) {
      valid |= (word >> 2 * i & 3) != 3 ? 1 << i : 0;
    }
  }
}
