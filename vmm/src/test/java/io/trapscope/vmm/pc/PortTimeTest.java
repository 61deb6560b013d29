package io.trapscope.vmm.pc;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.recorder.event.ExitReason;
import io.trapscope.vmm.guests.Guests;
import io.trapscope.vmm.guests.HostKind;
import io.trapscope.vmm.run.Machine;
import io.trapscope.vmm.run.MachineConfig;
import io.trapscope.vmm.run.RunResult;
import io.trapscope.vmm.run.Sinks;
import io.trapscope.vmm.soft.SoftHypervisor;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** The clock of {@code soft}: an instruction takes 1 ns, and a port access 1 us besides. */
class PortTimeTest {
  @Test
  void aPortAccessTakesAMicrosecond() {
    MachineConfig config =
        MachineConfig.builder(new SoftHypervisor(), Guests.SPIN.boot("count=500", HostKind.SOFT))
            .memory(16 << 20)
            .timeout(Duration.ofMinutes(1))
            .build();
    try (Machine machine = new Machine(config)) {
      RunResult result = machine.run(Sinks.NONE);
      long accesses = result.exits(ExitReason.IO_INSTRUCTION);
      assertThat(accesses).isGreaterThanOrEqualTo(500);
      assertThat(result.guestNanos()).isEqualTo(result.instructions() + 1000 * accesses);
    }
  }
}
