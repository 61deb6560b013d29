package io.trapscope.vmm.soft.cpu;

/**
 * The part of the processor state that decoding depends on, as bits of one int. Blocks decoded in
 * one mode run only in that mode.
 */
public final class Mode {
  /** Code segment size: 0 for 16, 1 for 32, 2 for 64 bits. */
  public static final int CODE = 3;

  public static final int CODE_16 = 0;
  public static final int CODE_32 = 1;
  public static final int CODE_64 = 2;

  /** CPL 3. */
  public static final int USER = 1 << 2;

  /** CR0.PE set and EFLAGS.VM clear. */
  public static final int PROTECTED = 1 << 3;

  /** EFLAGS.VM set. */
  public static final int V86 = 1 << 4;

  /** SS.B set: the stack pointer is ESP. */
  public static final int STACK_32 = 1 << 5;

  /** ES, CS, SS and DS are all base 0, limit 4 GiB - 1, and readable and writable as used. */
  public static final int FLAT = 1 << 6;

  /** CR0.EM, CR0.TS, CR0.MP, CR4.OSFXSR: they decide which FPU instructions exist. */
  public static final int EM = 1 << 7;

  public static final int TS = 1 << 8;
  public static final int MP = 1 << 9;
  public static final int OSFXSR = 1 << 10;

  /** CPL 0. */
  public static final int KERNEL = 1 << 11;

  private Mode() {}
}
