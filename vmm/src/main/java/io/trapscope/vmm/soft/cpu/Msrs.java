package io.trapscope.vmm.soft.cpu;

/** Indexes of the model-specific registers that the processor itself keeps (SDM volume 4). */
public final class Msrs {
  public static final int TSC = 0x10;
  public static final int SYSENTER_CS = 0x174;
  public static final int SYSENTER_ESP = 0x175;
  public static final int SYSENTER_EIP = 0x176;
  public static final int PAT = 0x277;
  public static final int EFER = 0xc0000080;
  public static final int STAR = 0xc0000081;
  public static final int LSTAR = 0xc0000082;
  public static final int CSTAR = 0xc0000083;
  public static final int SFMASK = 0xc0000084;
  public static final int FS_BASE = 0xc0000100;
  public static final int GS_BASE = 0xc0000101;
  public static final int KERNEL_GS_BASE = 0xc0000102;
  public static final int TSC_AUX = 0xc0000103;

  private Msrs() {}
}
