package io.trapscope.vmm.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.trapscope.recorder.event.EventLog;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.event.ExitSink;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.event.RunEnd;
import io.trapscope.vmm.boot.BootSource;
import io.trapscope.vmm.device.ConsoleFilter;
import io.trapscope.vmm.hypervisor.CpuState;
import io.trapscope.vmm.hypervisor.VmExit;
import io.trapscope.vmm.memory.GuestMemory;
import io.trapscope.vmm.memory.MemoryLayout;
import io.trapscope.vmm.memory.MemoryRegion;
import io.trapscope.vmm.pc.SimpleBoard;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** The loop, the dispatcher and the encoder against exits written by hand. */
class MachineTest {

  static final BootSource NOTHING =
      new BootSource() {
        @Override
        public String description() {
          return "nothing";
        }

        @Override
        public void load(GuestMemory memory, List<MemoryRegion> ram, int cpus, CpuState state) {}
      };

  private final FakeHypervisor fake = new FakeHypervisor();
  private final EventLog exits = new EventLog(0, 1 << 16);
  private final EventLog other = new EventLog(EventReader.NO_VCPU, 1 << 16);
  private final ByteArrayOutputStream console = new ByteArrayOutputStream();
  private final List<String> messages = new ArrayList<>();

  private RunResult run(UnaryOperator<MachineConfig.Builder> options) {
    MachineConfig.Builder builder =
        MachineConfig.builder(fake, NOTHING)
            .memory(4 << 20)
            .board(SimpleBoard::new)
            .consoleOutput(console)
            .messages(messages::add)
            .timeout(Duration.ofSeconds(30));
    try (Machine machine = new Machine(options.apply(builder).build())) {
      return machine.run(
          new Sinks() {
            @Override
            public ExitSink vcpu(int index) {
              return exits;
            }

            @Override
            public ExitSink other() {
              return other;
            }
          });
    }
  }

  private RunResult run() {
    return run(builder -> builder);
  }

  /** One line an event: type and the fields named, where captured. */
  private static List<String> lines(EventLog log, Field... fields) {
    List<String> lines = new ArrayList<>();
    log.forEach(
        event -> {
          StringBuilder line = new StringBuilder(event.type().name());
          for (Field field : fields) {
            if (event.has(field)) {
              line.append(' ').append(field).append('=').append(Long.toHexString(event.get(field)));
            }
          }
          lines.add(line.toString());
        });
    return lines;
  }

  private static List<String> texts(EventLog log) {
    List<String> texts = new ArrayList<>();
    log.forEach(
        event ->
            texts.add(
                event.type()
                    + " "
                    + new String(event.getBytes(Field.DATA), StandardCharsets.UTF_8)));
    return texts;
  }

  @Test
  void recordsWhatTheGuestWroteAndWhatItRead() {
    fake.out(0x600, 0x5a);
    fake.then(
        ExitReason.IO_INSTRUCTION,
        exit -> {
          exit.port = 0x600;
          exit.size = 2;
        });
    fake.then(
        ExitReason.MMIO,
        exit -> {
          exit.gpa = 0xd800_0000L;
          exit.size = 4;
        });
    RunResult result = run();
    assertThat(lines(exits, Field.DIRECTION, Field.PORT, Field.SIZE, Field.VALUE))
        .containsExactly(
            "PIO DIRECTION=1 PORT=600 SIZE=1 VALUE=5a",
            "PIO DIRECTION=0 PORT=600 SIZE=2 VALUE=5a",
            "MMIO DIRECTION=0 SIZE=4 VALUE=ffffffff",
            "EXIT");
    assertThat(result.end()).isEqualTo(RunEnd.TRIPLE_FAULT);
    assertThat(result.exits()).isEqualTo(4);
    assertThat(result.exits(ExitReason.IO_INSTRUCTION)).isEqualTo(2);
    assertThat(result.unclaimedReads()).isEqualTo(1);
    assertThat(result.events()).isEqualTo(exits.size() + other.size());
  }

  @Test
  void stringInputFillsTheDataAndIsInTheEvent() {
    byte[] got = new byte[4];
    fake.out(0x604, 0x11);
    fake.then(
        ExitReason.IO_INSTRUCTION,
        exit -> {
          exit.port = 0x604;
          exit.size = 1;
          exit.count = 4;
        });
    fake.then(
        ExitReason.IO_INSTRUCTION,
        exit -> {
          exit.port = 0x3f8;
          exit.size = 1;
          exit.count = 3;
          exit.write = true;
          System.arraycopy(exit.data, 0, got, 0, 4);
          System.arraycopy("abc".getBytes(StandardCharsets.US_ASCII), 0, exit.data, 0, 3);
        });
    run();
    assertThat(got).containsExactly(0x11, 0x11, 0x11, 0x11);
    assertThat(console).hasToString("abc");
    assertThat(lines(exits, Field.COUNT, Field.VALUE))
        .containsSubsequence("PIO COUNT=4 VALUE=11", "PIO COUNT=3 VALUE=61");
    assertThat(texts(exits).get(1)).isEqualTo("PIO \u0011\u0011\u0011\u0011");
  }

  @Test
  void consoleLinesAndTheEndAreInTheOtherStream() {
    "hi\nyou".chars().forEach(c -> fake.out(0x3f8, c));
    fake.out(0xf4, 0x2a);
    RunResult result = run(builder -> builder.consoleFilter(ConsoleFilter.UPPER));
    assertThat(console).hasToString("HI\nYOU");
    assertThat(texts(other))
        .containsExactly(
            "INPUT ", "CONSOLE_OUTPUT HI\n", "CONSOLE_OUTPUT YOU", "END debug exit with 0x2a");
    assertThat(result.end()).isEqualTo(RunEnd.DEBUG_EXIT);
    assertThat(result.detail()).isEqualTo(0x2a);
    assertThat(result.consoleBytes()).isEqualTo(6);
    // The access that ended the run is recorded, and nothing runs after it.
    assertThat(lines(exits, Field.PORT)).hasSize(7).last().isEqualTo("PIO PORT=f4");
  }

  @Test
  void haltWithInterruptsOffEndsTheRun() {
    fake.vcpu.interruptsOn = false;
    fake.then(ExitReason.HLT, exit -> {});
    RunResult result = run();
    assertThat(result.end()).isEqualTo(RunEnd.HALTED);
    assertThat(result.text()).isEqualTo("halted with interrupts off");
    assertThat(lines(exits)).containsExactly("HLT");
  }

  @Test
  void haltWithNothingToWaitForEndsTheRun() {
    fake.then(ExitReason.HLT, exit -> {});
    assertThat(run().text()).isEqualTo("halted, and nothing is left that could wake it");
  }

  @Test
  void haltWaitsForTheTimerAndTakesItsInterrupt() {
    // PIC: vectors from 0x20, IRQ 0 open. PIT counter 0, mode 2, 1193 pulses: 1 ms.
    int[][] setUp = {
      {0x20, 0x11},
      {0x21, 0x20},
      {0x21, 4},
      {0x21, 1},
      {0x21, 0xfe},
      {0x43, 0x34},
      {0x40, 0xa9},
      {0x40, 4}
    };
    for (int[] step : setUp) {
      fake.out(step[0], step[1]);
    }
    // The mode's own rise of OUT interrupted already: end that.
    fake.out(0x20, 0x20);
    fake.then(ExitReason.HLT, exit -> {});
    RunResult result = run();
    assertThat(fake.calls)
        .containsSubsequence("inject 32", "deadline 1000686", "idle until 1000686", "inject 32");
    assertThat(lines(exits, Field.VECTOR)).containsSubsequence("HLT", "INJECTION VECTOR=20");
    assertThat(result.end()).isEqualTo(RunEnd.TRIPLE_FAULT);
  }

  @Test
  void anInterruptThatCannotGoInYetWaitsForAWindow() {
    int[][] setUp = {
      {0x20, 0x11},
      {0x21, 0x20},
      {0x21, 4},
      {0x21, 1},
      {0x21, 0xfe},
      {0x43, 0x30},
      {0x40, 1},
      {0x40, 0}
    };
    for (int[] step : setUp) {
      fake.out(step[0], step[1]);
    }
    fake.then(
        ExitReason.PREEMPTION_TIMER,
        exit -> {
          fake.vcpu.interruptsOn = false;
          fake.vcpu.idleUntil(1_000_000);
        });
    fake.then(ExitReason.INTERRUPT_WINDOW, exit -> fake.vcpu.interruptsOn = true);
    run();
    assertThat(fake.calls).containsSubsequence("window true", "inject 32", "window false");
  }

  @Test
  void cpuidAndMsrsAreAnsweredAndUnknownMsrsFault() {
    fake.then(ExitReason.CPUID, exit -> exit.leaf = 0);
    fake.then(
        ExitReason.WRMSR,
        exit -> {
          exit.index = 0x175;
          exit.value = 0x1234;
          exit.write = true;
        });
    fake.then(ExitReason.RDMSR, exit -> exit.index = 0x175);
    fake.then(ExitReason.RDMSR, exit -> exit.index = 0x9999);
    run();
    assertThat(lines(exits, Field.EBX, Field.MSR, Field.VALUE, Field.FAULT))
        .containsExactly(
            "CPUID EBX=70617254",
            "MSR MSR=175 VALUE=1234 FAULT=0",
            "MSR MSR=175 VALUE=1234 FAULT=0",
            "MSR MSR=9999 FAULT=1",
            "EXIT");
  }

  @Test
  void hypercallTranslateFindsTheValueAndUnknownOnesAreRefused() {
    fake.memory.writeLong(0x2000, 1772334);
    hypercall(22, 0x2000);
    hypercall(22, 0xd000_0000L);
    hypercall(9999, 0);
    run();
    assertThat(messages).contains("GPA 0x2000", "value 1772334", "no RAM at this GPA");
    assertThat(lines(exits, Field.RESULT))
        .containsSubsequence(
            "HYPERCALL RESULT=1b0b2e",
            "HYPERCALL RESULT=" + Long.toHexString(Hypercalls.KVM_EFAULT),
            "HYPERCALL RESULT=" + Long.toHexString(-1000));
    assertThat(lines(other, Field.GPA, Field.VALUE))
        .containsSubsequence("TRANSLATION GPA=2000 VALUE=1b0b2e", "TRANSLATION GPA=d0000000");
  }

  private void hypercall(long number, long rbx) {
    fake.then(
        ExitReason.VMCALL,
        exit -> {
          exit.hypercall = number;
          exit.arguments[0] = rbx;
        });
  }

  @Test
  void anEptViolationOnRamIsAFaultAndElsewhereAnAccess() {
    fake.then(
        ExitReason.EPT_VIOLATION,
        exit -> {
          exit.gpa = 0x3000;
          exit.firstTouch = true;
          exit.captured |= VmExit.FIRST_TOUCH;
        });
    fake.then(
        ExitReason.EPT_VIOLATION,
        exit -> {
          exit.gpa = MemoryLayout.TEST_MMIO + 8;
          exit.size = 8;
          exit.write = true;
          exit.value = 77;
        });
    fake.then(ExitReason.EPT_VIOLATION, exit -> exit.gpa = 0xd900_0000L);
    RunResult result = run();
    assertThat(lines(exits, Field.GPA, Field.REGION, Field.FIRST_TOUCH, Field.VALUE))
        .containsExactly(
            "EPT_FAULT GPA=3000 REGION=0 FIRST_TOUCH=1", "MMIO GPA=e0000008 VALUE=4d", "EXIT");
    assertThat(result.end()).isEqualTo(RunEnd.ERROR);
    assertThat(result.text()).contains("0xd9000000");
  }

  @Test
  void untilConditionsEndTheRun() {
    for (int i = 0; i < 20; i++) {
      fake.out(0x3f8, 'a' + i);
    }
    assertThat(run(b -> b.until(Until.parse("text=cde"))).consoleBytes()).isEqualTo(5);
    assertThat(run(b -> b.until(Until.parse("exits=3"))).exits()).isEqualTo(3);
    assertThat(run(b -> b.until(Until.parse("instructions=120"))).instructions()).isEqualTo(120);
    RunResult last = run(b -> b.until(Until.parse("time=1ns")));
    assertThat(last.end()).isEqualTo(RunEnd.UNTIL);
    assertThat(last.exits()).isEqualTo(1);
  }

  @Test
  void errorsOfTheHypervisorAreExplained() {
    fake.then(
        ExitReason.INTERNAL_ERROR,
        exit -> {
          exit.errorDetail = 1;
          exit.rip = 0x1234;
          exit.captured |= VmExit.RIP;
          exit.instructionBytes[0] = (byte) 0xcc;
          exit.instructionLength = 1;
        });
    RunResult result = run();
    assertThat(result.end()).isEqualTo(RunEnd.ERROR);
    assertThat(result.text()).isEqualTo("Internal error, code 1, at RIP 0x1234, instruction cc");
  }

  @Test
  void aTimeoutEndsAGuestThatNeverStops() {
    fake.script.add(
        new java.util.function.Consumer<>() {
          @Override
          public void accept(VmExit exit) {
            exit.reason = ExitReason.PAUSE;
            fake.script.add(this);
            Thread.onSpinWait();
          }
        });
    RunResult result = run(b -> b.timeout(Duration.ofMillis(20)));
    assertThat(result.end()).isEqualTo(RunEnd.TIMEOUT);
  }

  @Test
  void aConsoleThatBreaksDoesNotStopTheGuest() {
    fake.out(0x3f8, 'a').out(0x3f8, 'b').out(0xf4, 0);
    OutputStream broken =
        new OutputStream() {
          @Override
          public void write(int b) throws IOException {
            throw new IOException("Broken pipe");
          }
        };
    RunResult result = run(b -> b.consoleOutput(broken));
    assertThat(result.consoleBytes()).isEqualTo(2);
    assertThat(result.text()).contains("console output failed: Broken pipe");
  }

  @Test
  void aDefectOfTheVmmIsNotHidden() {
    fake.then(
        ExitReason.PAUSE,
        exit -> {
          throw new IllegalStateException("defect");
        });
    assertThatThrownBy(this::run)
        .isInstanceOf(IllegalStateException.class)
        .hasRootCauseMessage("defect");
  }
}
