package io.trapscope.vmm.kvm;

import io.trapscope.vmm.host.LibC;
import java.nio.ByteBuffer;

/** The CPUID table a vCPU is given: what the host's KVM supports, with the vCPU's own APIC id. */
final class KvmCpuid {
  private static final int FIRST_GUESS = 128;
  private static final int LIMIT = 4096;

  private static final int TSC_DEADLINE = 1 << 24; // leaf 1, ECX
  private static final int HYPERVISOR_PRESENT = 1 << 31; // leaf 1, ECX

  private KvmCpuid() {}

  /**
   * Asks for the supported table.
   *
   * @return {@code struct kvm_cpuid2}, to be handed to KVM_SET_CPUID2
   * @throws io.trapscope.vmm.hypervisor.HypervisorException where KVM refuses
   */
  static ByteBuffer supported(KvmHypervisor kvm) {
    int entries = FIRST_GUESS;
    while (true) {
      ByteBuffer table = LibC.allocate(KvmAbi.CPUID2_HEADER + entries * KvmAbi.CPUID2_ENTRY);
      table.putInt(0, entries);
      int result = kvm.tryIoctl(kvm.fd(), KvmAbi.KVM_GET_SUPPORTED_CPUID, LibC.address(table));
      if (result >= 0) {
        return table;
      }
      if (result != -LibC.E2BIG || entries >= LIMIT) {
        throw LibC.failure("KVM_GET_SUPPORTED_CPUID", -result);
      }
      entries *= 2;
    }
  }

  /**
   * Says what local APICs the vCPUs have: KVM's, with the TSC-deadline timer, which its table
   * leaves out because not every VMM lets KVM have them; or our own, which cannot follow the host's
   * time-stamp counter.
   */
  static void forInterrupts(ByteBuffer table, boolean kvms) {
    int entries = table.getInt(0);
    for (int i = 0; i < entries; i++) {
      int at = KvmAbi.CPUID2_HEADER + i * KvmAbi.CPUID2_ENTRY;
      if (table.getInt(at + KvmAbi.CPUID_FUNCTION) == 1) {
        int ecx = table.getInt(at + KvmAbi.CPUID_ECX);
        table.putInt(at + KvmAbi.CPUID_ECX, kvms ? ecx | TSC_DEADLINE : ecx & ~TSC_DEADLINE);
      }
    }
  }

  /**
   * Sets what differs from one vCPU to the next: the initial APIC id (leaf 1, EBX 31:24) and the
   * x2APIC id (leaves 0xB and 0x1F, EDX); Intel SDM volume 2, CPUID. And says that there is a
   * hypervisor, because leaf 0x40000000 is in the table.
   */
  static void forVcpu(ByteBuffer table, int index) {
    int entries = table.getInt(0);
    for (int i = 0; i < entries; i++) {
      int at = KvmAbi.CPUID2_HEADER + i * KvmAbi.CPUID2_ENTRY;
      switch (table.getInt(at + KvmAbi.CPUID_FUNCTION)) {
        case 1 -> {
          int ebx = table.getInt(at + KvmAbi.CPUID_EBX);
          table.putInt(at + KvmAbi.CPUID_EBX, ebx & 0x00FFFFFF | index << 24);
          int ecx = table.getInt(at + KvmAbi.CPUID_ECX);
          table.putInt(at + KvmAbi.CPUID_ECX, ecx | HYPERVISOR_PRESENT);
        }
        case 0xB, 0x1F -> table.putInt(at + KvmAbi.CPUID_EDX, index);
        default -> {}
      }
    }
  }
}
