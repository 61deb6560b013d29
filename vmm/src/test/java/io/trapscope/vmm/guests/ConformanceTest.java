package io.trapscope.vmm.guests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trapscope.recorder.event.EventLog;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.event.ExitSink;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.event.RunEnd;
import io.trapscope.vmm.boot.FlatLoader;
import io.trapscope.vmm.device.ConsoleFilter;
import io.trapscope.vmm.hypervisor.HostOptions;
import io.trapscope.vmm.hypervisor.Hypervisor;
import io.trapscope.vmm.hypervisor.HypervisorException;
import io.trapscope.vmm.hypervisor.IrqChip;
import io.trapscope.vmm.hypervisor.MemoryOptions;
import io.trapscope.vmm.kvm.KvmHypervisor;
import io.trapscope.vmm.kvm.KvmProbe;
import io.trapscope.vmm.run.ConsoleInput;
import io.trapscope.vmm.run.Machine;
import io.trapscope.vmm.run.MachineConfig;
import io.trapscope.vmm.run.RunResult;
import io.trapscope.vmm.run.Sinks;
import io.trapscope.vmm.run.TypedInput;
import io.trapscope.vmm.soft.SoftHypervisor;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Every bundled guest on every back end: what it prints, how it ends, which exits it causes. */
class ConformanceTest {

  /** A back end to run on. */
  enum BackEnd {
    SOFT {
      @Override
      Hypervisor open() {
        return new SoftHypervisor();
      }

      @Override
      HostKind host() {
        return HostKind.SOFT;
      }
    },
    KVM {
      @Override
      Hypervisor open() {
        KvmProbe probe = KvmProbe.probe();
        assumeTrue(probe.usable(), "skipped on KVM: " + probe.explanation());
        return new KvmHypervisor();
      }

      @Override
      HostKind host() {
        return HostKind.of("kvm", KvmProbe.probe().isParavirtual());
      }
    };

    abstract Hypervisor open();

    abstract HostKind host();
  }

  private static final long TOUCHED = 16 << 20;

  private final EventLog exits = new EventLog(0, 8 << 20);
  private final EventLog others = new EventLog(1, 8 << 20);
  private final EventLog idle = new EventLog(2, 8 << 20);
  private final EventLog other = new EventLog(EventReader.NO_VCPU, 1 << 20);
  private final ByteArrayOutputStream console = new ByteArrayOutputStream();
  private final List<String> messages = new ArrayList<>();

  private RunResult run(
      BackEnd backEnd,
      Guests guest,
      String commandLine,
      UnaryOperator<MachineConfig.Builder> options) {
    try (Hypervisor hypervisor = backEnd.open()) {
      MachineConfig.Builder builder =
          MachineConfig.builder(hypervisor, guest.boot(commandLine, backEnd.host()))
              .memory(64 << 20)
              .consoleOutput(console)
              .messages(messages::add)
              .timeout(Duration.ofSeconds(120));
      try (Machine machine = new Machine(options.apply(builder).build())) {
        RunResult result = machine.run(sinks());
        List<EventLog> logs = List.of(exits, others, idle, other);
        assertThat(logs).as("events that found no room").allMatch(log -> log.lost() == 0);
        assertThat(result.events()).isEqualTo(logs.stream().mapToLong(EventLog::size).sum());
        logs.forEach(ConformanceTest::assertInOrder);
        return result;
      }
    }
  }

  private static void assertInOrder(EventLog log) {
    List<Long> times = new ArrayList<>();
    log.forEach(event -> times.add(event.get(Field.TIME)));
    assertThat(times).as("times of a stream").isSorted();
  }

  private Sinks sinks() {
    return new Sinks() {
      @Override
      public ExitSink vcpu(int index) {
        return List.of(exits, others, idle).get(index);
      }

      @Override
      public ExitSink other() {
        return other;
      }
    };
  }

  @ParameterizedTest
  @EnumSource
  void hello(BackEnd backEnd) {
    RunResult result = run(backEnd, Guests.HELLO, "", b -> b);
    assertThat(console).hasToString("Hello, world!\n");
    assertThat(result.end()).isEqualTo(Guests.HELLO.expectedEnd());
    assertThat(result.text()).isEqualTo("halted with interrupts off");
    assertThat(result.exits(ExitReason.IO_INSTRUCTION)).isEqualTo(14);
    assertThat(result.exits(ExitReason.HLT)).isEqualTo(1);
  }

  @ParameterizedTest
  @EnumSource
  void helloThroughTheUpperCaseFilter(BackEnd backEnd) {
    run(backEnd, Guests.HELLO, "", b -> b.consoleFilter(ConsoleFilter.UPPER));
    assertThat(console).hasToString("HELLO, WORLD!\n");
  }

  /** How many port accesses have 0, 1, 2 callers and so on: start, then outer, middle and inner. */
  @ParameterizedTest
  @EnumSource
  void callsHasItsCallers(BackEnd backEnd) {
    RunResult result = run(backEnd, Guests.CALLS, "", b -> b.stacks(8));
    assertThat(result.end()).isEqualTo(Guests.CALLS.expectedEnd());
    int[] byCallers = new int[5];
    exits.forEach(
        event -> {
          if (event.type() == EventType.STACK
              && event.get(Field.DETAIL) == ExitReason.IO_INSTRUCTION.code()) {
            byCallers[event.getBytes(Field.DATA).length / 8]++;
          }
        });
    // The debug exit and leaf, whose caller has no frame; outer; middle; inner.
    assertThat(byCallers).containsExactly(2, 7, 21, 105, 0);
  }

  @ParameterizedTest
  @EnumSource
  void exitsAreExactlyThoseOfTheTable(BackEnd backEnd) {
    RunResult result = run(backEnd, Guests.EXITS, "", b -> b);
    assertThat(result.end()).as(result.text() + ", " + console).isEqualTo(RunEnd.DEBUG_EXIT);
    assertThat(console).hasToString("exits: done\n");
    assertThat(result.detail()).isZero();
    GroundTruth truth = GroundTruth.load();
    exits.forEach(truth::accept);
    assertThat(truth.differences(backEnd.host())).isEmpty();
  }

  @ParameterizedTest
  @EnumSource
  void translateFindsTheValueBehindBothPages(BackEnd backEnd) {
    RunResult result = run(backEnd, Guests.TRANSLATE, "", b -> b);
    assertThat(console)
        .hasToString(
            """
            GVA 0x712345678018
              PML4 index 226 entry 0x200023
              PDPT index 141 entry 0x201023
              PD   index 43 entry 0x202023
              PT   index 120 entry 0x305063
            GPA 0x305018
            value 1772334
            GVA 0x712380345678
              PML4 index 226 entry 0x200023
              PDPT index 142 entry 0x203023
              PD   index 1 entry 0x6000e3
            GPA 0x745678
            value 1772334
            """);
    assertThat(result.detail()).isZero();
    List<String> walks = new ArrayList<>();
    other.forEach(
        event -> {
          if (event.type() == EventType.TRANSLATION) {
            walks.add(
                String.format(
                    "%x %x %d %d",
                    event.get(Field.GVA),
                    event.get(Field.GPA),
                    event.get(Field.GUEST_PAGE),
                    event.get(Field.VALUE)));
          }
        });
    assertThat(walks)
        .containsExactly("712345678018 305018 12 1772334", "712380345678 745678 21 1772334");
    assertThat(messages).contains("GPA 0x305018, 4 KiB page", "GPA 0x745678, 2 MiB page");
    assertThat(messages).filteredOn("value 1772334"::equals).hasSize(2);
  }

  /** GPA and access of each fault from 16 MiB on, where the guest touches pages. */
  private List<String> touched() {
    List<String> found = new ArrayList<>();
    exits.forEach(
        event -> {
          if (event.type() == EventType.EPT_FAULT && event.get(Field.GPA) >= TOUCHED) {
            found.add(String.format("%x %d", event.get(Field.GPA), event.get(Field.ACCESS)));
          }
        });
    return found;
  }

  @ParameterizedTest
  @EnumSource
  void firstTouchesAreExactlyThePagesThatTheGuestTouches(BackEnd backEnd) {
    MemoryOptions faults =
        new MemoryOptions(true, MemoryOptions.Dirty.NONE, false, MemoryOptions.Pages.DEFAULT);
    RunResult result;
    try {
      result = run(backEnd, Guests.TOUCH, "pages=1201", b -> b.host(HostOptions.of(faults)));
    } catch (HypervisorException e) {
      assumeFalse(e.getMessage().contains("not permitted"), "skipped: " + e.getMessage());
      throw e;
    }
    assertThat(result.end()).as(result.text()).isEqualTo(RunEnd.DEBUG_EXIT);
    List<String> wanted = new ArrayList<>();
    for (int i = 0; i < 1201; i++) {
      wanted.add(String.format("%x %d", TOUCHED + i * 4096L, i % 2 == 0 ? 2 : 1));
    }
    assertThat(touched()).isEqualTo(wanted);
    assertThat(result.exits(ExitReason.EPT_VIOLATION)).isGreaterThan(1201).isLessThan(1220);
    exits.forEach(
        event -> {
          if (event.type() == EventType.EPT_FAULT) {
            assertThat(event.get(Field.FIRST_TOUCH)).isEqualTo(1);
            assertThat(event.get(Field.REGION)).isZero();
            assertThat(event.has(Field.HVA)).isTrue();
          }
        });
  }

  private static void addDirty(EventReader event, BitSet written) {
    if (event.type() == EventType.DIRTY) {
      int first = (int) (event.get(Field.GPA) / 4096);
      written.set(first, first + (int) event.get(Field.PAGES));
    }
  }

  /** With a ring each vCPU's are in its own stream; the log has no vCPU. */
  @ParameterizedTest
  @EnumSource(names = {"LOG", "RING"})
  void thePagesThatTheGuestWritesAreDirty(MemoryOptions.Dirty how) {
    MemoryOptions dirty = new MemoryOptions(false, how, false, MemoryOptions.Pages.DEFAULT);
    try {
      run(BackEnd.KVM, Guests.TOUCH, "pages=300", b -> b.host(HostOptions.of(dirty)));
    } catch (HypervisorException e) {
      assumeFalse(e.getMessage().contains("no dirty ring"), "skipped: " + e.getMessage());
      throw e;
    }
    BitSet written = new BitSet();
    BitSet byVcpu = new BitSet();
    other.forEach(event -> addDirty(event, written));
    exits.forEach(event -> addDirty(event, byVcpu));
    assertThat(byVcpu.isEmpty() || written.isEmpty()).isTrue();
    assertThat(byVcpu.isEmpty()).isNotEqualTo(how == MemoryOptions.Dirty.RING);
    written.or(byVcpu);
    assertThat(written.get((int) (TOUCHED / 4096), 64 << 8).cardinality()).isEqualTo(300);
  }

  @ParameterizedTest
  @CsvSource({"SOFT, USER", "KVM, USER", "KVM, SPLIT", "KVM, KERNEL"})
  void twoVcpusSpinAtOnce(BackEnd backEnd, IrqChip irqchip) {
    RunResult result = spin(backEnd, 2, irqchip);
    assertThat(result.end()).as(result.text()).isEqualTo(RunEnd.DEBUG_EXIT);
    assertThat(writes(exits, 0x600)).isEqualTo(3001);
    assertThat(writes(others, 0x600)).isEqualTo(3001);
  }

  /** Which of the two others comes first, and so writes, is open. */
  @ParameterizedTest
  @CsvSource({"SOFT, USER", "KVM, USER", "KVM, SPLIT", "KVM, KERNEL"})
  void noMoreVcpusSpinThanAreToldTo(BackEnd backEnd, IrqChip irqchip) {
    RunResult result = spin(backEnd, 3, irqchip);
    assertThat(result.end()).as(result.text()).isEqualTo(RunEnd.DEBUG_EXIT);
    assertThat(writes(exits, 0x600)).isEqualTo(3001);
    assertThat(List.of(writes(others, 0x600), writes(idle, 0x600)))
        .containsExactlyInAnyOrder(3001L, 0L);
  }

  /** The guest {@code spin} on two of these vCPUs. */
  private RunResult spin(BackEnd backEnd, int vcpus, IrqChip irqchip) {
    return run(
        backEnd,
        Guests.SPIN,
        "count=3001 cpus=2",
        b -> b.cpus(vcpus).host(HostOptions.of(irqchip)));
  }

  private static long writes(EventLog log, int port) {
    long[] count = new long[1];
    log.forEach(
        event -> {
          if (event.type() == EventType.PIO && event.get(Field.PORT) == port) {
            count[0]++;
          }
        });
    return count[0];
  }

  @ParameterizedTest
  @EnumSource(names = {"SPLIT", "KERNEL"})
  void withInterruptControllersInTheKernelItsAffairsDoNotExit(IrqChip irqchip) {
    RunResult result = run(BackEnd.KVM, Guests.EXITS, "", b -> b.host(HostOptions.of(irqchip)));
    assertThat(result.end()).as(result.text() + ", " + console).isEqualTo(RunEnd.DEBUG_EXIT);
    assertThat(console).hasToString("exits: done\n");
    assertThat(result.detail()).isZero();
    assertThat(result.exits(ExitReason.HLT)).isZero();
    boolean all = irqchip == IrqChip.KERNEL;
    assertThat(writes(exits, 0x20) > 0).as("accesses to the 8259 exit").isEqualTo(!all);
    assertThat(writes(exits, 0x40) > 0).as("accesses to the timer exit").isEqualTo(!all);
  }

  @ParameterizedTest
  @EnumSource(names = {"SPLIT", "KERNEL"})
  void aGuestThatHaltsForGoodInsideTheKernelEnds(IrqChip irqchip) {
    RunResult result = run(BackEnd.KVM, Guests.HELLO, "", b -> b.host(HostOptions.of(irqchip)));
    assertThat(result.end()).isEqualTo(RunEnd.HALTED);
    assertThat(result.text()).isEqualTo("halted with interrupts off");
    assertThat(result.exits(ExitReason.HLT)).isEqualTo(1);
  }

  /** sti; hlt; jmp back. */
  private static final String WITHOUT_TIMER = "fbf4ebfd";

  /** Has the local APIC's timer interrupt in some minutes, first. */
  private static final String WITH_TIMER =
      "bb0000e0fe" // mov ebx, 0xfee00000
          + "c783f0000000ff010000" // spurious vector: enabled
          + "c7832003000020000000" // LVT timer: once, vector 0x20
          + "c783e00300000a000000" // divide by 128
          + "c78380030000ffffffff" // initial count
          + WITHOUT_TIMER;

  /** Has the serial port interrupt for what is typed, first; there is nothing to handle it. */
  private static final String WITH_INPUT =
      "bb0000e0fe" // mov ebx, 0xfee00000
          + "c783f0000000ff010000" // spurious vector: enabled
          + "c7835003000000070000" // LVT LINT0: ExtINT
          + "b011e620b020e621b004e621b001e621" // 8259: ICW1 to ICW4, vectors from 0x20 on
          + "b0efe621" // lets through IRQ 4 only
          + "66baf903b001ee" // IER: received data
          + "66bafc03b00aee" // MCR: RTS and OUT2
          + WITHOUT_TIMER;

  private RunResult wait(String code, IrqChip irqchip, ConsoleInput input, Consumer<String> told) {
    return wait(code, HostOptions.of(irqchip), input, told);
  }

  private RunResult wait(String code, HostOptions host, ConsoleInput input, Consumer<String> told) {
    byte[] bytes = HexFormat.of().parseHex(code);
    try (Hypervisor hypervisor = BackEnd.KVM.open();
        Machine machine =
            new Machine(
                MachineConfig.builder(
                        hypervisor,
                        new FlatLoader("wait", bytes, 0x1000, 0x1000, FlatLoader.Mode.LONG, ""))
                    .host(host)
                    .consoleInput(input)
                    .messages(told)
                    .timeout(Duration.ofSeconds(2))
                    .build())) {
      return machine.run(sinks());
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"USER", "SPLIT", "KERNEL"})
  void aGuestThatWaitsForAnInterruptWhichNothingCanRaiseEnds(IrqChip irqchip) {
    List<String> told = new ArrayList<>();
    RunResult result = wait(WITHOUT_TIMER, irqchip, null, told::add);
    assertThat(result.end()).isEqualTo(RunEnd.HALTED);
    assertThat(result.text()).isEqualTo("halted, and nothing is left that could wake it");
    assertThat(result.exits(ExitReason.HLT)).isEqualTo(1);
    assertThat(told).isEmpty();
  }

  /** The looks for written pages call it out ten times a second. */
  @ParameterizedTest
  @EnumSource(names = {"USER", "SPLIT", "KERNEL"})
  void itEndsAlsoWhereItsWritesAreWatched(IrqChip irqchip) {
    MemoryOptions log =
        new MemoryOptions(false, MemoryOptions.Dirty.LOG, false, MemoryOptions.Pages.DEFAULT);
    HostOptions host = new HostOptions(log, irqchip, 0, Map.of());
    RunResult result = wait(WITHOUT_TIMER, host, null, told -> {});
    assertThat(result.end()).isEqualTo(RunEnd.HALTED);
  }

  @ParameterizedTest
  @EnumSource(names = {"USER", "SPLIT", "KERNEL"})
  void aGuestThatInputCouldWakeLivesOnWhichIsToldOnce(IrqChip irqchip) {
    List<String> told = Collections.synchronizedList(new ArrayList<>());
    RunResult result = wait(WITHOUT_TIMER, irqchip, new TypedInput(), told::add);
    assertThat(result.end()).isEqualTo(RunEnd.TIMEOUT);
    assertThat(told)
        .containsExactly("the guest is halted with no timer armed; only console input can wake it");
  }

  @ParameterizedTest
  @EnumSource(names = {"USER", "SPLIT", "KERNEL"})
  void whatIsTypedWakesAGuestThatWasToldToBeIdle(IrqChip irqchip) {
    TypedInput input = new TypedInput();
    RunResult result =
        wait(WITH_INPUT, irqchip, input, told -> input.offer(new byte[] {'x'}, 0, 1));
    assertThat(result.end()).isEqualTo(RunEnd.TRIPLE_FAULT);
    assertThat(result.exits(ExitReason.HLT)).isEqualTo(irqchip == IrqChip.USER ? 1 : 0);
  }

  @ParameterizedTest
  @EnumSource(names = {"USER", "SPLIT", "KERNEL"})
  void aGuestWhoseTimerRunsDoesNotEnd(IrqChip irqchip) {
    List<String> told = new ArrayList<>();
    assertThat(wait(WITH_TIMER, irqchip, null, told::add).end()).isEqualTo(RunEnd.TIMEOUT);
    assertThat(told).isEmpty();
  }

  /** All vCPUs but the first wait for ever to be started. */
  @ParameterizedTest
  @CsvSource({"SOFT, USER, 1", "SOFT, USER, 2", "KVM, USER, 1", "KVM, USER, 2", "KVM, KERNEL, 2"})
  void theWatchdogEndsWhatComputesWithoutAnExitAndNothingElse(
      BackEnd backEnd, IrqChip irqchip, int cpus) {
    byte[] computes = {(byte) 0xeb, (byte) 0xfe}; // jmp to itself
    byte[] waits = {(byte) 0xfb, (byte) 0xf4, (byte) 0xeb, (byte) 0xfd}; // sti; hlt; jmp back
    for (byte[] code : List.of(computes, waits)) {
      FlatLoader image = new FlatLoader("dog", code, 0x1000, 0x1000, FlatLoader.Mode.LONG, "");
      try (Hypervisor hypervisor = backEnd.open();
          Machine machine =
              new Machine(
                  MachineConfig.builder(hypervisor, image)
                      .cpus(cpus)
                      .host(HostOptions.of(irqchip))
                      .consoleInput(new TypedInput())
                      .watchdog(Duration.ofMillis(200))
                      .timeout(Duration.ofSeconds(code == computes ? 60 : 1))
                      .build())) {
        RunResult result = machine.run(Sinks.NONE);
        assertThat(result.end()).isEqualTo(RunEnd.TIMEOUT);
        assertThat(result.text()).startsWith(code == computes ? "watchdog" : "timeout");
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void spinWritesAsOftenAsItWasTold(BackEnd backEnd) {
    RunResult result = run(backEnd, Guests.SPIN, "quiet count=5003", b -> b);
    assertThat(result.end()).isEqualTo(RunEnd.DEBUG_EXIT);
    assertThat(result.exits(ExitReason.IO_INSTRUCTION)).isEqualTo(5003 + 1);
  }
}
