package io.trapscope.vmm.run;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.event.RunEnd;
import io.trapscope.vmm.boot.FlatLoader;
import io.trapscope.vmm.soft.SoftHypervisor;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/** A vCPU that starts another one through its local APIC, and the two waiting for each other. */
class SeveralVcpusTest {

  /**
   * 32-bit code at 0x8000: enable the APIC, INIT and start-up IPI (vector 9) to APIC 1, spin until
   * it has stored 1234 at 0x7000, print B, set 0x7004, spin until 0x7008 is set, debug exit 5.
   */
  private static final String FIRST =
      "a1f000e0fe 0d00010000 a3f000e0fe c7051003e0fe00000001 c7050003e0fe00450000"
          + "c7051003e0fe00000001 c7050003e0fe09460000 813d00700000d2040000 75f4 b042 66baf803 ee"
          + "c7050470000001000000 833d0870000001 75f7 b005 e6f4 fa f4";

  /** 16-bit code at 0x9000: store 1234 at 0x7000, spin on 0x7004, print A, set 0x7008, halt. */
  private static final String SECOND =
      "31c0 8ed8 66c7060070d2040000 66833e047001 75f8 b041 baf803 ee 66c706087001000000 fa f4";

  /**
   * 32-bit code at 0x8000: start APIC 1 at 0x9000, count to 1,000,000 and debug exit 5; with
   * interrupts off, so that only a turn of its own gets it on.
   */
  private static final String COUNTING =
      "a1f000e0fe 0d00010000 a3f000e0fe c7051003e0fe00000001 c7050003e0fe00450000"
          + "c7051003e0fe00000001 c7050003e0fe09460000 b940420f00 49 75fd b005 e6f4 fa f4";

  /**
   * 16-bit code at 0x9000: UD2 with its own address as the vector's, on a stack that wraps around
   * in a segment of its own.
   */
  private static final String FAULTING = "31c0 8ed8 b80020 8ed0 66c706180012000009 0f0b";

  /** 32-bit code at 0x8000: CLI and HLT. */
  private static final String HALT = "fa f4";

  private static final int LOAD = 0x8000;
  private static final int START_UP = 0x9000;

  private final ByteArrayOutputStream console = new ByteArrayOutputStream();

  private RunResult run(int cpus, String first) {
    return run(cpus, first, SECOND, FlatLoader.Mode.PROTECTED);
  }

  private RunResult run(int cpus, String first, String second, FlatLoader.Mode mode) {
    byte[] image = new byte[START_UP - LOAD + 0x100];
    put(first, image, 0);
    put(second, image, START_UP - LOAD);
    MachineConfig config =
        MachineConfig.builder(
                new SoftHypervisor(), new FlatLoader("test", image, LOAD, LOAD, mode, ""))
            .memory(4 << 20)
            .cpus(cpus)
            .consoleOutput(console)
            .timeout(Duration.ofSeconds(60))
            .build();
    try (Machine machine = new Machine(config)) {
      return machine.run(Sinks.NONE);
    }
  }

  private static void put(String code, byte[] image, int at) {
    byte[] bytes = HexFormat.of().parseHex(code.replace(" ", ""));
    System.arraycopy(bytes, 0, image, at, bytes.length);
  }

  @Test
  void oneStartsTheOtherAndBothMakeProgress() {
    RunResult result = run(2, FIRST);
    assertThat(result.end()).as(result.text()).isEqualTo(RunEnd.DEBUG_EXIT);
    assertThat(result.detail()).isEqualTo(5);
    assertThat(console).hasToString("BA");
  }

  @Test
  void twoRunsAreTheSameToTheInstruction() {
    RunResult first = run(2, FIRST);
    RunResult second = run(2, FIRST);
    assertThat(second.instructions()).isEqualTo(first.instructions());
    assertThat(second.exitsByReason()).isEqualTo(first.exitsByReason());
    assertThat(second.guestNanos()).isEqualTo(first.guestNanos());
    assertThat(first.exits(ExitReason.INTERRUPTED)).as("nobody is called out").isZero();
  }

  @Test
  void oneClockServesBoth() {
    RunResult result = run(2, FIRST);
    long stalls = 3 * 1000;
    assertThat(result.guestNanos())
        .as("instructions of both, and three port accesses of a microsecond")
        .isBetween(result.instructions() - 20_000, result.instructions() + stalls);
  }

  /** Its exceptions take guest time, so that its turns end. */
  @Test
  void oneThatOnlyFaultsDoesNotStopTheOther() {
    RunResult result = run(2, COUNTING, FAULTING, FlatLoader.Mode.PROTECTED);
    assertThat(result.end()).as(result.text()).isEqualTo(RunEnd.DEBUG_EXIT);
    assertThat(result.detail()).isEqualTo(5);
    assertThat(result.exits(ExitReason.EXCEPTION_OR_NMI)).isGreaterThan(1000);
    assertThat(result.exits(ExitReason.INTERRUPTED)).as("nobody is called out").isZero();
  }

  /** What one writes to its task-priority register it reads from CR8. */
  @Test
  void taskPriorityIsOneRegister() {
    // 64-bit code at 0x8000: mov eax,0xfee00080; mov dword [rax],0x57; mov rax,cr8; out 0xf4,al
    RunResult result =
        run(1, "b88000e0fe c70057000000 440f20c0 e6f4 f4", SECOND, FlatLoader.Mode.LONG);
    assertThat(result.detail()).isEqualTo(5);
  }

  @Test
  void aMachineWhoseOthersNeverStartEndsWhenTheFirstHalts() {
    RunResult result = run(3, HALT);
    assertThat(result.end()).isEqualTo(RunEnd.HALTED);
    assertThat(result.text()).isEqualTo("halted with interrupts off");
  }
}
