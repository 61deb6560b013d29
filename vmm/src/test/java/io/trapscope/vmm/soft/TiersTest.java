package io.trapscope.vmm.soft;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.recorder.event.ExitReason;
import io.trapscope.vmm.hypervisor.CpuState;
import org.junit.jupiter.api.Test;

/** Generated code and interpretation must not be told apart by guest or VMM. */
class TiersTest {
  private static final VmxControls INTERPRETED = new VmxControls(0, false);

  /** 200,000 rounds of arithmetic, memory, a call, and branches that go both ways. */
  private static final String MIXED =
      "b9400d0300 31c0 bb01000000 4801c8 f6c103 7504 486bd80d 4831da 48c1ca07 4889142500500000"
          + "4813342500500000 e805000000 ffc9 75d4 f4 49ffc0 4983f84d 7204 4983e832 c3";

  /** A loop of 30,000 rounds that changes its own step and runs again. */
  private static final String MODIFYING =
      "31c0 b930750000 83c001 ffc9 75f9 803df4ffffff01 750e c605ebffffff02 b930750000 ebe2 f4";

  private static String state(SoftGuest guest) {
    StringBuilder text = new StringBuilder();
    for (long value : guest.state.gpr) {
      text.append(Long.toHexString(value)).append(' ');
    }
    return text.append(Long.toHexString(guest.state.rip))
        .append(' ')
        .append(Long.toHexString(guest.state.rflags))
        .append(' ')
        .append(guest.vcpu.instructions())
        .toString();
  }

  /** Runs to HLT, stopping every {@code step} instructions; returns the states on the way. */
  private static String run(VmxControls controls, String code, long step) {
    SoftGuest guest = SoftGuest.long64(controls, code);
    StringBuilder states = new StringBuilder();
    long deadline = 0;
    do {
      deadline += step;
      guest.vcpu.setDeadline(deadline);
      guest.run();
      states.append(state(guest)).append('\n');
    } while (guest.exit.reason == ExitReason.PREEMPTION_TIMER);
    assertThat(guest.exit.reason).isEqualTo(ExitReason.HLT);
    return states.toString();
  }

  @Test
  void sameStatesAtEveryDeadline() {
    assertThat(run(VmxControls.DEFAULT, MIXED, 99_991)).isEqualTo(run(INTERPRETED, MIXED, 99_991));
  }

  @Test
  void generatedCodeIsUsed() {
    SoftGuest guest = SoftGuest.long64(MIXED + "f4");
    for (int i = 0; i < 200 && guest.vcpu.counters().compiledRegions == 0; i++) {
      guest.state.rip = SoftGuest.CODE;
      guest.set().halt();
    }
    assertThat(guest.vcpu.counters().compiledRegions).isPositive();
  }

  @Test
  void codeThatChangesItselfIsDecodedAnew() {
    SoftGuest guest = SoftGuest.long64(MODIFYING);
    for (int i = 0; i < 20; i++) {
      guest.load(SoftGuest.CODE, MODIFYING);
      guest.state.rip = SoftGuest.CODE;
      guest.set().halt();
      assertThat(guest.reg(CpuState.RAX)).isEqualTo(30_000 + 60_000);
    }
    assertThat(run(VmxControls.DEFAULT, MODIFYING, 7_777))
        .isEqualTo(run(INTERPRETED, MODIFYING, 7_777));
  }
}
