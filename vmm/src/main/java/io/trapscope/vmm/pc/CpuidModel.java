package io.trapscope.vmm.pc;

/** What CPUID answers. */
public interface CpuidModel {

  /**
   * Answers one CPUID.
   *
   * @param vcpu index of the vCPU that asks
   * @param leaf EAX as the guest had it
   * @param subleaf ECX as the guest had it
   * @param result receives EAX, EBX, ECX, EDX
   */
  void query(int vcpu, int leaf, int subleaf, int[] result);
}
