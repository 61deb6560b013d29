package io.trapscope.vmm.soft;

import io.trapscope.vmm.cpuid.CpuFeature;
import io.trapscope.vmm.cpuid.CpuModel;
import io.trapscope.vmm.soft.cpu.CpuRegisters;
import io.trapscope.vmm.soft.decode.Opcode;

/**
 * What the processor can do and a CPU model does not show, so that the guest must not have it.
 *
 * @param instructionSets as {@link Opcode#SSE3} and so on: #UD
 * @param cr4 bits of CR4 that are reserved: #GP
 * @param efer bits of IA32_EFER that are reserved: #GP
 */
record AbsentFeatures(int instructionSets, long cr4, long efer) {
  private static final AbsentFeatures NONE = new AbsentFeatures(0, 0, 0);

  /** Of the model with this name; none for a name that is no model. */
  static AbsentFeatures of(String name) {
    return CpuModel.all().stream()
        .filter(model -> model.name().equals(name))
        .findFirst()
        .map(AbsentFeatures::of)
        .orElse(NONE);
  }

  private static AbsentFeatures of(CpuModel model) {
    int sets =
        unless(model, CpuFeature.SSE3, Opcode.SSE3)
            | unless(model, CpuFeature.SSSE3, Opcode.SSSE3)
            | unless(model, CpuFeature.SSE4_1, Opcode.SSE4_1)
            | unless(model, CpuFeature.SSE4_2, Opcode.SSE4_2)
            | unless(model, CpuFeature.POPCNT, Opcode.POPCNT);
    int cr4 =
        unless(model, CpuFeature.SMEP, (int) CpuRegisters.CR4_SMEP)
            | unless(model, CpuFeature.SMAP, (int) CpuRegisters.CR4_SMAP);
    int efer =
        unless(model, CpuFeature.LM, (int) CpuRegisters.EFER_LME)
            | unless(model, CpuFeature.SYSCALL, (int) CpuRegisters.EFER_SCE);
    return new AbsentFeatures(sets, cr4, efer);
  }

  private static int unless(CpuModel model, CpuFeature feature, int bits) {
    return model.has(feature) ? 0 : bits;
  }
}
