package io.trapscope.vmm.cpuid;

import static io.trapscope.vmm.cpuid.CpuFeature.Register.EAX;
import static io.trapscope.vmm.cpuid.CpuFeature.Register.EBX;
import static io.trapscope.vmm.cpuid.CpuFeature.Register.ECX;
import static io.trapscope.vmm.cpuid.CpuFeature.Register.EDX;

/**
 * Feature flags of CPUID that a model can have (Intel SDM volume 2, CPUID; AMD APM volume 3,
 * appendix E; for leaf 0x40000001 Linux, Documentation/virt/kvm/x86/cpuid.rst). Names are Linux's.
 */
public enum CpuFeature {
  FPU(0x1, EDX, 0),
  VME(0x1, EDX, 1),
  DE(0x1, EDX, 2),
  PSE(0x1, EDX, 3),
  TSC(0x1, EDX, 4),
  MSR(0x1, EDX, 5),
  PAE(0x1, EDX, 6),
  MCE(0x1, EDX, 7),
  CX8(0x1, EDX, 8),
  APIC(0x1, EDX, 9),
  SEP(0x1, EDX, 11),
  MTRR(0x1, EDX, 12),
  PGE(0x1, EDX, 13),
  MCA(0x1, EDX, 14),
  CMOV(0x1, EDX, 15),
  PAT(0x1, EDX, 16),
  PSE36(0x1, EDX, 17),
  CLFLUSH(0x1, EDX, 19),
  MMX(0x1, EDX, 23),
  FXSR(0x1, EDX, 24),
  SSE(0x1, EDX, 25),
  SSE2(0x1, EDX, 26),
  SELFSNOOP(0x1, EDX, 27),

  SSE3(0x1, ECX, 0),
  SSSE3(0x1, ECX, 9),
  CX16(0x1, ECX, 13),
  SSE4_1(0x1, ECX, 19),
  SSE4_2(0x1, ECX, 20),
  X2APIC(0x1, ECX, 21),
  MOVBE(0x1, ECX, 22),
  POPCNT(0x1, ECX, 23),
  TSC_DEADLINE(0x1, ECX, 24),
  HYPERVISOR(0x1, ECX, 31),

  /** The local APIC timer runs at the same rate in every sleep state. */
  ARAT(0x6, EAX, 2),

  SMEP(0x7, EBX, 7),
  ERMS(0x7, EBX, 9),
  SMAP(0x7, EBX, 20),
  /** IA32_SPEC_CTRL with IBRS, and IA32_PRED_CMD. */
  SPEC_CTRL(0x7, EDX, 26),
  ARCH_CAPABILITIES(0x7, EDX, 29),

  LAHF_LM(0x8000_0001, ECX, 0),
  SYSCALL(0x8000_0001, EDX, 11),
  NX(0x8000_0001, EDX, 20),
  GBPAGES(0x8000_0001, EDX, 26),
  RDTSCP(0x8000_0001, EDX, 27),
  LM(0x8000_0001, EDX, 29),

  INVARIANT_TSC(0x8000_0007, EDX, 8),

  /** kvmclock at the MSRs 0x11 and 0x12. */
  KVM_CLOCKSOURCE(0x4000_0001, EAX, 0),
  /** Port 0x80 writes are not needed for delays. */
  KVM_NOP_IO_DELAY(0x4000_0001, EAX, 1),
  /** kvmclock at the MSRs 0x4b564d00 and 0x4b564d01. */
  KVM_CLOCKSOURCE2(0x4000_0001, EAX, 3),
  /** The kvmclock pages of all vCPUs agree. */
  KVM_CLOCKSOURCE_STABLE(0x4000_0001, EAX, 24);

  /** The four registers of CPUID's answer, in the order of the result array. */
  public enum Register {
    EAX,
    EBX,
    ECX,
    EDX
  }

  private final int leaf;
  private final Register register;
  private final int bit;

  CpuFeature(int leaf, Register register, int bit) {
    this.leaf = leaf;
    this.register = register;
    this.bit = bit;
  }

  public int leaf() {
    return leaf;
  }

  public Register register() {
    return register;
  }

  /** The flag's bit number, 0 to 31. */
  public int bit() {
    return bit;
  }
}
