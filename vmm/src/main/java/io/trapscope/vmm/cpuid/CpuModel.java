package io.trapscope.vmm.cpuid;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * A processor as CPUID shows it: one of the models that {@code --cpu} names.
 *
 * <p>All models say GenuineIntel, family 6, because the rate of the time-stamp counter and of the
 * APIC timer is in a leaf (0x15) that kernels read on Intel only; knowing it, they need not
 * measure. A model never has a flag for something that {@code soft} does not execute.
 */
public final class CpuModel {
  /** Width of guest-physical addresses in all models. */
  public static final int PHYSICAL_BITS = 40;

  /** Width of linear addresses. */
  public static final int LINEAR_BITS = 48;

  private static final String VENDOR = "GenuineIntel";
  private static final String HYPERVISOR_VENDOR = "KVMKVMKVM\0\0\0";
  private static final String BRAND = "Trapscope virtual x86-64 processor";

  /** Family 6, model 0x2a, stepping 7: no erratum that kernels work around applies to it. */
  private static final int SIGNATURE = 0x0002_06a7;

  private static final int MAX_BASIC = 0x16;
  private static final int MAX_HYPERVISOR = 0x4000_0010;
  private static final int HYPERVISOR_BASE = 0x4000_0000;
  private static final int MAX_EXTENDED = 0x8000_0008;
  private static final int EXTENDED_BASE = 0x8000_0000;

  private static final Set<CpuFeature> I686 =
      EnumSet.of(
          CpuFeature.FPU,
          CpuFeature.VME,
          CpuFeature.DE,
          CpuFeature.PSE,
          CpuFeature.TSC,
          CpuFeature.MSR,
          CpuFeature.PAE,
          CpuFeature.MCE,
          CpuFeature.CX8,
          CpuFeature.APIC,
          CpuFeature.SEP,
          CpuFeature.MTRR,
          CpuFeature.PGE,
          CpuFeature.MCA,
          CpuFeature.CMOV,
          CpuFeature.PAT,
          CpuFeature.PSE36,
          CpuFeature.CLFLUSH,
          CpuFeature.MMX,
          CpuFeature.FXSR,
          CpuFeature.SSE,
          CpuFeature.SSE2,
          CpuFeature.SELFSNOOP,
          CpuFeature.X2APIC,
          CpuFeature.TSC_DEADLINE,
          CpuFeature.HYPERVISOR,
          CpuFeature.ARAT,
          CpuFeature.ARCH_CAPABILITIES,
          CpuFeature.SPEC_CTRL,
          CpuFeature.NX,
          CpuFeature.INVARIANT_TSC,
          CpuFeature.KVM_CLOCKSOURCE,
          CpuFeature.KVM_NOP_IO_DELAY,
          CpuFeature.KVM_CLOCKSOURCE2,
          CpuFeature.KVM_CLOCKSOURCE_STABLE);

  private static final Set<CpuFeature> V1 =
      plus(
          I686,
          CpuFeature.LM,
          CpuFeature.SYSCALL,
          CpuFeature.SSE3,
          CpuFeature.CX16,
          CpuFeature.LAHF_LM,
          CpuFeature.RDTSCP,
          CpuFeature.GBPAGES,
          CpuFeature.SMEP,
          CpuFeature.SMAP,
          CpuFeature.ERMS);

  private static final Set<CpuFeature> V2 =
      plus(V1, CpuFeature.SSSE3, CpuFeature.SSE4_1, CpuFeature.SSE4_2, CpuFeature.POPCNT);

  private static final List<CpuModel> ALL =
      List.of(
          new CpuModel("default", "like QEMU's qemu64, with SMEP, SMAP and the KVM leaves", V1),
          new CpuModel("x86-64-v2", "default with SSSE3, SSE4.1, SSE4.2 and POPCNT", V2),
          new CpuModel("i686", "32 bits, with SSE2 and PAE", I686));

  private final String name;
  private final String description;
  private final Set<CpuFeature> features;

  /** Feature bits by leaf: EAX, EBX, ECX, EDX. */
  private final TreeMap<Integer, int[]> flags = new TreeMap<>();

  private CpuModel(String name, String description, Set<CpuFeature> features) {
    this.name = name;
    this.description = description;
    this.features = Collections.unmodifiableSet(features);
    for (CpuFeature feature : features) {
      int[] registers = flags.computeIfAbsent(feature.leaf(), leaf -> new int[4]);
      registers[feature.register().ordinal()] |= 1 << feature.bit();
    }
  }

  private static Set<CpuFeature> plus(Set<CpuFeature> base, CpuFeature... more) {
    EnumSet<CpuFeature> all = EnumSet.copyOf(base);
    all.addAll(List.of(more));
    return all;
  }

  /** All models, the default one first. */
  public static List<CpuModel> all() {
    return ALL;
  }

  /**
   * The model of this name.
   *
   * @throws IllegalArgumentException with a line for the user where there is none
   */
  public static CpuModel of(String name) {
    for (CpuModel model : ALL) {
      if (model.name.equals(name)) {
        return model;
      }
    }
    String names = ALL.stream().map(CpuModel::name).collect(Collectors.joining(", "));
    throw new IllegalArgumentException("no CPU model '" + name + "'; there are " + names);
  }

  public String name() {
    return name;
  }

  /** What it is, in a few words. */
  public String description() {
    return description;
  }

  public Set<CpuFeature> features() {
    return features;
  }

  /** Whether the model has this feature. */
  public boolean has(CpuFeature feature) {
    return features.contains(feature);
  }

  /**
   * Answers CPUID. A leaf past the last one of its range answers as the highest basic leaf, as on
   * Intel processors (SDM volume 2, CPUID).
   *
   * @param apicId of the asking vCPU
   * @param cpus number of vCPUs
   * @param apicEnabled IA32_APIC_BASE.EN: without it the APIC flag is clear
   * @param tscHz rate of the time-stamp counter
   * @param result receives EAX, EBX, ECX, EDX
   */
  public void query(
      int leaf, int subleaf, int apicId, int cpus, boolean apicEnabled, long tscHz, int[] result) {
    int[] bits = flags.get(leaf);
    for (int i = 0; i < 4; i++) {
      result[i] = bits == null || leaf == 0x7 && subleaf != 0 ? 0 : bits[i];
    }
    if (leaf >= HYPERVISOR_BASE && leaf <= MAX_HYPERVISOR) {
      hypervisorLeaf(leaf, tscHz, result);
    } else if (leaf >= EXTENDED_BASE && leaf <= MAX_EXTENDED) {
      extendedLeaf(leaf, result);
    } else {
      boolean basic = leaf >= 0 && leaf <= MAX_BASIC;
      basicLeaf(basic ? leaf : MAX_BASIC, subleaf, apicId, cpus, tscHz, result);
    }
    if (leaf == 1 && !apicEnabled) {
      result[3] &= ~(1 << CpuFeature.APIC.bit());
    }
  }

  private static void basicLeaf(
      int leaf, int subleaf, int apicId, int cpus, long tscHz, int[] result) {
    switch (leaf) {
      case 0x0 -> {
        result[0] = MAX_BASIC;
        text(VENDOR, result, 1, 3, 2);
      }
      case 0x1 -> {
        result[0] = SIGNATURE;
        // APIC ID, logical processors a package, CLFLUSH of 64 bytes.
        result[1] = apicId << 24 | cpus << 16 | 8 << 8;
        result[3] |= cpus > 1 ? 1 << 28 : 0;
      }
      // Caches: see leaf 4; TLBs: not told.
      case 0x2 -> result[0] = 0x00ff_ff01;
      case 0x4 -> cacheLeaf(subleaf, cpus, result);
      case 0x7 -> {
        // Subleaf 2, BHI_CTRL: kernels clear branch history in software without it.
        result[0] = subleaf == 0 ? 2 : 0;
        result[3] |= subleaf == 2 ? 1 << 4 : 0;
      }
      case 0xb -> topologyLeaf(subleaf, apicId, cpus, result);
      // Crystal clock: the APIC timer's 1 GHz; the TSC is a fraction of it, in lowest terms because
      // kernels multiply in 32 bits.
      case 0x15 -> {
        int megahertz = (int) (tscHz / 1_000_000);
        int divisor = BigInteger.valueOf(megahertz).gcd(BigInteger.valueOf(1000)).intValue();
        result[0] = 1000 / divisor;
        result[1] = megahertz / divisor;
        result[2] = 1_000_000_000;
      }
      case 0x16 -> {
        int megahertz = (int) (tscHz / 1_000_000);
        result[0] = megahertz;
        result[1] = megahertz;
        result[2] = 100;
      }
      default -> {
        // Feature flags only, or nothing.
      }
    }
  }

  /** Deterministic cache parameters: 32 KiB L1 data and code, 1 MiB L2. */
  private static void cacheLeaf(int subleaf, int cpus, int[] result) {
    int[][] caches = {{1, 1, 8, 64}, {2, 1, 8, 64}, {3, 2, 16, 1024}};
    if (subleaf < 0 || subleaf >= caches.length) {
      return;
    }
    int type = caches[subleaf][0];
    int level = caches[subleaf][1];
    int ways = caches[subleaf][2];
    int sets = caches[subleaf][3];
    // Self-initializing; not shared; cores a package.
    result[0] = type | level << 5 | 1 << 8 | cpus - 1 << 26;
    result[1] = 63 | ways - 1 << 22;
    result[2] = sets - 1;
  }

  /** One thread a core, all cores in one package. */
  private static void topologyLeaf(int subleaf, int apicId, int cpus, int[] result) {
    int coreBits = cpus == 1 ? 0 : 32 - Integer.numberOfLeadingZeros(cpus - 1);
    if (subleaf == 0) {
      result[1] = 1;
      result[2] = 1 << 8;
    } else if (subleaf == 1) {
      result[0] = coreBits;
      result[1] = cpus;
      result[2] = 2 << 8 | 1;
    } else {
      result[2] = subleaf & 0xff;
    }
    result[3] = apicId;
  }

  /** KVM's leaves; 0x40000010 is the one for rates that VMware defined: kHz of TSC and APIC. */
  private static void hypervisorLeaf(int leaf, long tscHz, int[] result) {
    if (leaf == HYPERVISOR_BASE) {
      result[0] = MAX_HYPERVISOR;
      text(HYPERVISOR_VENDOR, result, 1, 2, 3);
    } else if (leaf == MAX_HYPERVISOR) {
      result[0] = (int) (tscHz / 1000);
      result[1] = 1_000_000;
    }
  }

  private void extendedLeaf(int leaf, int[] result) {
    switch (leaf) {
      case 0x8000_0000 -> result[0] = MAX_EXTENDED;
      case 0x8000_0002, 0x8000_0003, 0x8000_0004 -> {
        String padded = String.format("%-47s", BRAND) + '\0';
        text(padded.substring(16 * (leaf - 0x8000_0002)), result, 0, 1, 2, 3);
      }
      // L2: 1 MiB, 16 ways, lines of 64 bytes.
      case 0x8000_0006 -> result[2] = 1024 << 16 | 8 << 12 | 64;
      case 0x8000_0008 ->
          result[0] = has(CpuFeature.LM) ? PHYSICAL_BITS | LINEAR_BITS << 8 : 36 | 32 << 8;
      default -> {
        // Feature flags only, or nothing.
      }
    }
  }

  /** Puts text into registers, four characters each, in the order given. */
  private static void text(String value, int[] result, int... registers) {
    byte[] bytes = value.getBytes(StandardCharsets.US_ASCII);
    for (int i = 0; i < registers.length; i++) {
      result[registers[i]] =
          bytes[4 * i] & 0xff
              | (bytes[4 * i + 1] & 0xff) << 8
              | (bytes[4 * i + 2] & 0xff) << 16
              | bytes[4 * i + 3] << 24;
    }
  }
}
