package io.trapscope.vmm.kvm;

import io.trapscope.vmm.cpuid.CpuModel;
import io.trapscope.vmm.host.LibC;
import io.trapscope.vmm.hypervisor.HypervisorException;
import java.nio.ByteBuffer;

/** The CPUID table a vCPU is given: what the host's KVM supports, with the vCPU's own APIC id. */
final class KvmCpuid {
  private static final int FIRST_GUESS = 128;
  private static final int LIMIT = 4096;

  /** The part of a leaf's number that says which range it is in: basic, hypervisor's, extended. */
  private static final int RANGE = 0xC000_0000;

  /** Flags do not depend on the counter's rate. */
  private static final long NO_RATE = 1_000_000;

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
   * What a CPU model's name means here: null where the guest is shown all that KVM supports.
   *
   * @param name {@code host} or {@code default} for everything, {@code compat} for what the default
   *     model of {@code soft} has, or a model's name
   * @throws HypervisorException where there is no such model
   */
  static CpuModel model(String name) {
    switch (name) {
      case "host", "default":
        return null;
      case "compat":
        return CpuModel.all().get(0);
      default:
        try {
          return CpuModel.of(name);
        } catch (IllegalArgumentException e) {
          throw new HypervisorException(e.getMessage() + ", host, compat");
        }
    }
  }

  /**
   * Hides what a model does not have: feature flags that it lacks, and leaves past its last ones.
   * Vendor, family and names stay the host's, so that a kernel applies what its processor needs.
   */
  static void limit(ByteBuffer table, CpuModel model) {
    int[] flags = new int[4];
    int[] range = new int[4];
    for (int i = 0; i < table.getInt(0); i++) {
      int at = KvmAbi.CPUID2_HEADER + i * KvmAbi.CPUID2_ENTRY;
      int leaf = table.getInt(at + KvmAbi.CPUID_FUNCTION);
      int subleaf = table.getInt(at + KvmAbi.CPUID_INDEX);
      query(model, leaf & RANGE, 0, range);
      query(model, leaf, subleaf, flags);
      if (Integer.compareUnsigned(leaf, range[0]) > 0) {
        keep(table, at, 0, 0, 0, 0);
      } else if ((leaf & ~RANGE) == 0) {
        int last = table.getInt(at + KvmAbi.CPUID_EAX);
        boolean shorter = Integer.compareUnsigned(range[0], last) < 0;
        table.putInt(at + KvmAbi.CPUID_EAX, shorter ? range[0] : last);
      } else {
        switch (leaf) {
          case 0x1, 0x8000_0001 -> keep(table, at, -1, -1, flags[2], flags[3]);
          case 0x7 -> keep(table, at, subleaf == 0 ? -1 : 0, flags[1], flags[2], flags[3]);
          case 0xD -> keep(table, at, 0, 0, 0, 0);
          case 0x4000_0001 -> keep(table, at, flags[0], 0, 0, 0);
          case 0x8000_0007 -> keep(table, at, 0, 0, 0, flags[3]);
          case 0x8000_0008 -> keep(table, at, -1, flags[1], -1, -1);
          default -> {
            // No feature flags.
          }
        }
      }
    }
  }

  private static void query(CpuModel model, int leaf, int subleaf, int[] result) {
    model.query(leaf, subleaf, 0, 1, true, NO_RATE, result);
  }

  private static void keep(ByteBuffer table, int at, int... masks) {
    for (int register = 0; register < masks.length; register++) {
      int where = at + KvmAbi.CPUID_EAX + 4 * register;
      table.putInt(where, table.getInt(where) & masks[register]);
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
