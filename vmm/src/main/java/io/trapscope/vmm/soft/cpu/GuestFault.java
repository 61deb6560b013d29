package io.trapscope.vmm.soft.cpu;

/**
 * The guest raised an exception. One instance a processor, thrown again and again: it has no stack
 * trace, and its fields hold until the next.
 */
public final class GuestFault extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** Vectors of the SDM, volume 3, section 6.3.1. */
  public static final int DE = 0;

  public static final int DB = 1;
  public static final int NMI = 2;
  public static final int BP = 3;
  public static final int OF = 4;
  public static final int BR = 5;
  public static final int UD = 6;
  public static final int NM = 7;
  public static final int DF = 8;
  public static final int TS = 10;
  public static final int NP = 11;
  public static final int SS = 12;
  public static final int GP = 13;
  public static final int PF = 14;
  public static final int MF = 16;
  public static final int AC = 17;
  public static final int XM = 19;

  /** Exceptions that push an error code: #DF, #TS, #NP, #SS, #GP, #PF, #AC. */
  private static final int WITH_ERROR_CODE =
      1 << DF | 1 << TS | 1 << NP | 1 << SS | 1 << GP | 1 << PF | 1 << AC;

  public int vector;
  public int errorCode;

  /** Linear address, for #PF. */
  public long address;

  GuestFault() {
    super(null, null, false, false);
  }

  /** Whether an exception with this vector pushes an error code. */
  public static boolean pushesErrorCode(int vector) {
    return vector < 32 && (WITH_ERROR_CODE >>> vector & 1) != 0;
  }

  @Override
  public String getMessage() {
    return "guest exception " + vector + ", error code " + errorCode;
  }
}
