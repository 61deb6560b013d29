package io.trapscope.vmm.soft;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.recorder.event.ExitReason;
import io.trapscope.vmm.soft.cpu.CpuRegisters;
import io.trapscope.vmm.soft.decode.Opcode;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a CPU model does not show, the guest does not have. */
class AbsentFeaturesTest {

  @Test
  void modelsLackWhatTheyDoNotShow() {
    AbsentFeatures common = AbsentFeatures.of("default");
    assertThat(common.instructionSets())
        .isEqualTo(Opcode.SSSE3 | Opcode.SSE4_1 | Opcode.SSE4_2 | Opcode.POPCNT);
    assertThat(common.cr4()).isZero();
    assertThat(common.efer()).isZero();
    assertThat(AbsentFeatures.of("x86-64-v2").instructionSets()).isZero();
    AbsentFeatures old = AbsentFeatures.of("i686");
    assertThat(old.instructionSets() & Opcode.SSE3).isNotZero();
    assertThat(old.cr4()).isEqualTo(CpuRegisters.CR4_SMEP | CpuRegisters.CR4_SMAP);
    assertThat(old.efer()).isEqualTo(CpuRegisters.EFER_LME | CpuRegisters.EFER_SCE);
  }

  @ParameterizedTest
  @CsvSource({"default, false", "i686, true"})
  void reservedBitsFollowTheModel(String model, boolean reserved) {
    // mov ecx, c0000080; xor edx, edx; mov eax, 100; wrmsr: IA32_EFER.LME
    SoftGuest guest = SoftGuest.realOf(model, "66b9800000c0 31d2 66b800010000 0f30 f4");
    guest.runTo(ExitReason.WRMSR);
    guest.run();
    assertThat(guest.exit.reason)
        .isEqualTo(reserved ? ExitReason.EXCEPTION_OR_NMI : ExitReason.HLT);
  }
}
