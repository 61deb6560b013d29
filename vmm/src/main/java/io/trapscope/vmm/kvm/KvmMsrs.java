package io.trapscope.vmm.kvm;

import io.trapscope.vmm.cpuid.ModelRegisters;
import io.trapscope.vmm.host.LibC;
import java.nio.ByteBuffer;

/**
 * Which MSR accesses come to user space, and who answers them.
 *
 * <p>With KVM_CAP_X86_USER_SPACE_MSR and KVM_X86_SET_MSR_FILTER all of them do, so that none goes
 * unrecorded: the filter denies everything but KVM's own paravirtual MSRs, which are a conversation
 * between the guest and KVM. MSRs that are part of the vCPU's state in KVM ({@link #heldByKvm}) are
 * read and written there by KVM_GET_MSRS and KVM_SET_MSRS, which the filter does not touch; all
 * others are the machine's to answer. Accesses to x2APIC MSRs cannot be filtered (api.rst, section
 * 4.97); without an in-kernel APIC there are none.
 */
final class KvmMsrs {
  private static final int PARAVIRTUAL_BASE = 0x4B564D00;
  private static final int PARAVIRTUAL_COUNT = 8;

  private KvmMsrs() {}

  /**
   * Whether the register is vCPU state that only KVM can hold (Intel SDM volume 4, table 2-2, names
   * and numbers).
   */
  static boolean heldByKvm(int index) {
    if (index >= 0x200 && index <= 0x2FF) {
      return true; // MTRRs and IA32_PAT
    }
    return switch (index) {
      case 0x10, // IA32_TIME_STAMP_COUNTER
          0x11, // KVM's wall clock, old number
          0x12, // KVM's system time, old number
          0x1B, // IA32_APIC_BASE
          0x3B, // IA32_TSC_ADJUST
          0x48, // IA32_SPEC_CTRL
          0xFE, // IA32_MTRRCAP
          0x174, // IA32_SYSENTER_CS
          0x175, // IA32_SYSENTER_ESP
          0x176, // IA32_SYSENTER_EIP
          0x1D9, // IA32_DEBUGCTL
          ModelRegisters.TSC_DEADLINE,
          0xDA0, // IA32_XSS
          0xC0000080, // IA32_EFER
          0xC0000081, // IA32_STAR
          0xC0000082, // IA32_LSTAR
          0xC0000083, // IA32_CSTAR
          0xC0000084, // IA32_FMASK
          0xC0000100, // IA32_FS_BASE
          0xC0000101, // IA32_GS_BASE
          0xC0000102, // IA32_KERNEL_GS_BASE
          0xC0000103 -> // IA32_TSC_AUX
          true;
      default -> false;
    };
  }

  /**
   * Fills {@code struct kvm_msr_filter}.
   *
   * @param bitmap one set bit a paravirtual MSR; read by KVM during the ioctl only
   */
  static void denyAll(ByteBuffer filter, ByteBuffer bitmap) {
    filter.putInt(KvmAbi.MSR_FILTER_FLAGS, KvmAbi.KVM_MSR_FILTER_DEFAULT_DENY);
    // KVM refuses a deny-all filter without any range, so one is needed even where none is wanted.
    int range = KvmAbi.MSR_FILTER_RANGES;
    filter.putInt(range + KvmAbi.MSR_RANGE_FLAGS, KvmAbi.KVM_MSR_FILTER_READ_WRITE);
    filter.putInt(range + KvmAbi.MSR_RANGE_COUNT, PARAVIRTUAL_COUNT);
    filter.putInt(range + KvmAbi.MSR_RANGE_BASE, PARAVIRTUAL_BASE);
    bitmap.putLong(0, (1L << PARAVIRTUAL_COUNT) - 1);
    filter.putLong(range + KvmAbi.MSR_RANGE_BITMAP, LibC.address(bitmap));
  }
}
