package io.trapscope.analyzer.report;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.analyzer.pipeline.Analysis;
import io.trapscope.analyzer.pipeline.MemoryTrace;
import io.trapscope.analyzer.table.Table;
import io.trapscope.analyzer.table.TableText;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.EventWriter;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.event.Field;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class RegisterUseReportTest {
  private static final int READ = 0;
  private static final int WRITE = 1;

  private final MemoryTrace trace = new MemoryTrace(2);
  private long time;

  /** An exit of 1,000 ns guest time and 100 ns of handling. */
  private void exit(int vcpu, EventType type, ExitReason reason, Consumer<EventWriter> fill) {
    time += 1100;
    long now = time;
    trace.add(
        vcpu,
        type,
        event -> {
          event.put(Field.TIME, now).put(Field.REASON, reason.code()).put(Field.GUEST_TIME, 1000);
          event.put(Field.LOOP_TIME, 10).put(Field.DISPATCH_TIME, 20).put(Field.DEVICE_TIME, 70);
          fill.accept(event);
        });
  }

  private void port(int direction, int size, int port, long value, long rip) {
    port(0, direction, size, port, value, rip);
  }

  private void port(int vcpu, int direction, int size, int port, long value, long rip) {
    exit(
        vcpu,
        EventType.PIO,
        ExitReason.IO_INSTRUCTION,
        event -> {
          event.put(Field.DIRECTION, direction).put(Field.SIZE, size).put(Field.PORT, port);
          event.put(Field.COUNT, 1).put(Field.VALUE, value).put(Field.RIP, rip);
        });
  }

  private void memory(int direction, int size, long gpa, long value, long rip) {
    exit(
        0,
        EventType.MMIO,
        ExitReason.EPT_MISCONFIGURATION,
        event -> {
          event.put(Field.DIRECTION, direction).put(Field.SIZE, size).put(Field.GPA, gpa);
          event.put(Field.VALUE, value).put(Field.RIP, rip);
        });
  }

  private void msr(int direction, long msr, long value) {
    exit(
        0,
        EventType.MSR,
        direction == READ ? ExitReason.RDMSR : ExitReason.WRMSR,
        event -> event.put(Field.DIRECTION, direction).put(Field.MSR, msr).put(Field.VALUE, value));
  }

  private void cpuid() {
    exit(0, EventType.CPUID, ExitReason.CPUID, event -> event.put(Field.LEAF, 1));
  }

  /** The table with this name as text, all of it. */
  private String table(String name) {
    for (Table table : Analysis.run(trace, List.of(Reports.named("register_use")), 1).tables()) {
      if (table.schema().name().equals(name)) {
        return new TableText(0, 0).render(table);
      }
    }
    throw new AssertionError(name);
  }

  @Test
  void aPollLoopHasItsLengthItsCostAndItsEnd() {
    for (int i = 0; i < 5; i++) {
      port(READ, 1, 0x64, 0x1c, 0x2000);
      cpuid(); // other exits do not matter
    }
    port(READ, 1, 0x64, 0x1d, 0x2000);
    for (int i = 0; i < 7; i++) {
      port(READ, 1, 0x64, 0x1d, 0x2000);
    }
    assertThat(table("poll_loops"))
        .isEqualTo(
            """
            Poll loops
              device         register        target     size  location  loops  reads  longest  elapsed  longest elapsed  handling ns  guest ns  changed  value
              i8042-command  status/command  port 0x64   1 B  0x2000        2     13        8  16.7 us          8.90 us      1.30 us   11.0 us        1   0x1d
            """);
  }

  /** A guest may run at address 0: that is a place like any other, and not one that is unknown. */
  @Test
  void addressZeroIsAPlace() {
    for (int i = 0; i < 5; i++) {
      port(READ, 1, 0x64, 0x1c, 0);
    }
    for (int i = 0; i < 6; i++) {
      port(WRITE, 1, 0x5678, i, 0);
    }
    for (int i = 0; i < 4; i++) {
      msr(READ, 0x10, 7); // without a RIP
    }
    assertThat(table("poll_loops"))
        .isEqualTo(
            """
            Poll loops
              device         register                 target     size  location  loops  reads  longest  elapsed  longest elapsed  handling ns  guest ns  changed  value
              i8042-command  status/command           port 0x64   1 B  0x0           1      5        5  4.50 us          4.50 us       500 ns   4.00 us        0   0x1c
              msr            IA32_TIME_STAMP_COUNTER  msr 0x10                       1      4        4  3.40 us          3.40 us       400 ns   3.00 us        0    0x7
            """);
    assertThat(table("combinable_accesses"))
        .isEqualTo(
            """
            Sequences that could be fewer accesses
              target       size  kind    direction  location  sequences  accesses  could be  handling ns  saved ns
              port 0x5678   1 B  STRING  WRITE      0x0               1         6         1       600 ns    500 ns
            """);
  }

  /** Whether an access to a data register belongs to a pair follows from what was before it. */
  @Test
  void aPollLoopMayBeTheVeryFirstThing() {
    for (int i = 0; i < 6; i++) {
      port(READ, 1, 0x71, 0x26, 0x2000);
    }
    assertThat(table("poll_loops")).contains("port 0x71   1 B  0x2000        1      6        6");
  }

  @Test
  void onlyWhatIsLongEnoughIsAPollLoopWhereverItBegins() {
    for (int before = 0; before < 200; before++) {
      for (int reads : new int[] {3, 4, 1, 5, 2}) {
        for (int i = 0; i < reads; i++) {
          port(READ, 1, 0x64, reads, 0x2000);
        }
        port(WRITE, 1, 0x80, 0, 0x2000);
      }
      port(WRITE, 1, 0x80 + before % 3, 0, 0x3000);
    }
    assertThat(table("poll_loops")).contains("port 0x64   1 B  0x2000      400  1,800        5");
  }

  @Test
  void threeReadsAreNoPollLoop() {
    for (int i = 0; i < 3; i++) {
      port(READ, 1, 0x64, 0x1c, 0x2000);
    }
    port(READ, 1, 0x60, 0, 0x2000);
    port(READ, 1, 0x64, 0x1c, 0x2000);
    port(1, READ, 1, 0x64, 0x1c, 0x2000); // another vCPU does not continue it
    assertThat(table("poll_loops").lines()).hasSize(2);
  }

  @Test
  void whatHoldsItsValueIsRedundantAndWhatActsIsNot() {
    for (int i = 0; i < 3; i++) {
      port(WRITE, 1, 0x21, 0xff, 0x3000);
      port(WRITE, 1, 0x20, 0x20, 0x3010);
      port(READ, 1, 0x3fd, 0x60, 0x3020);
    }
    port(WRITE, 1, 0x21, 0xfe, 0x3000);
    msr(WRITE, 0xc0000080L, 0x500);
    msr(READ, 0xc0000080L, 0x500);
    port(WRITE, 2, 0x5678, 1, 0x3030);
    port(WRITE, 2, 0x5678, 1, 0x3030);
    assertThat(table("unchanged_accesses"))
        .isEqualTo(
            """
            Accesses that change nothing
              device  register   target          size  direction  verdict    count  unchanged    share  handling ns  unchanged ns  location
              pic     command    port 0x20        1 B  WRITE      ACTS           3          2   66.7 %       300 ns        200 ns  0x3010
              pic     mask/ICW   port 0x21        1 B  WRITE      REDUNDANT      4          2   50.0 %       400 ns        200 ns  0x3000
              uart    LSR        port 0x3fd       1 B  READ       POLLED         3          2   66.7 %       300 ns        200 ns  0x3020
                                 port 0x5678      2 B  WRITE      UNKNOWN        2          1   50.0 %       200 ns        100 ns  0x3030
              msr     IA32_EFER  msr 0xc0000080        READ       REDUNDANT      1          1  100.0 %       100 ns        100 ns
            """);
  }

  @Test
  void whatItsIndexRegisterSelectsIsARegisterOfItsOwn() {
    for (int i = 0; i < 2; i++) {
      for (int function = 0; function < 3; function++) {
        port(WRITE, 4, 0xcf8, 0x8000_0000L + 0x100 * function, 0x4000);
        port(READ, 4, 0xcfc, 0x1234_0000L + function, 0x4004);
      }
    }
    assertThat(table("unchanged_accesses"))
        .contains("port 0xcfc[0x80000000]   4 B  READ")
        .contains("port 0xcfc[0x80000100]   4 B  READ")
        .contains("port 0xcfc[0x80000200]   4 B  READ");
    assertThat(table("combinable_accesses"))
        .isEqualTo(
            """
            Sequences that could be fewer accesses
              device    register     target      size  kind  direction  location  sequences  accesses  could be  handling ns  saved ns
              pci-host  CONFIG_DATA  port 0xcfc   4 B  PAIR  READ       0x4004            6        12         6      1.20 us    600 ns
            """);
  }

  @Test
  void bytesFromOnePlaceCouldBeOneStringInstruction() {
    "Hello, world".chars().forEach(letter -> port(WRITE, 1, 0x3f8, letter, 0x5000));
    for (int i = 0; i < 8; i++) {
      memory(WRITE, 1, 0xd000_0002L + i, i, 0x6000 + i);
    }
    for (int i = 0; i < 9; i++) {
      port(WRITE, 1, 0x20, 0x20, 0x7000); // each interrupt is ended for its own sake
    }
    assertThat(table("combinable_accesses"))
        .isEqualTo(
            """
            Sequences that could be fewer accesses
              device  register     target           size  kind       direction  location  sequences  accesses  could be  handling ns  saved ns
              uart    RBR/THR/DLL  port 0x3f8        1 B  STRING     WRITE      0x5000            1        12         1      1.20 us   1.10 us
                                   mmio 0xd0000002   1 B  ASCENDING  WRITE      0x6000            1         8         2       800 ns    600 ns
            """);
  }

  @Test
  void peopleAreShownFindingsOnly() {
    for (int i = 0; i < 3; i++) {
      port(WRITE, 1, 0x21, 0xff, 0x3000);
      port(WRITE, 1, 0x20, 0x20, 0x3010);
    }
    List<Table> summary = Analysis.run(trace, List.of(Reports.named("register_use")), 1).summary();
    assertThat(new TableText(0, 0).render(summary.get(1)))
        .contains("port 0x21")
        .doesNotContain("port 0x20");
  }

  @Test
  void thePlaceIsTheBusiestOfAllVcpus() {
    for (int i = 0; i < 4; i++) {
      port(0, WRITE, 1, 0x21, 0xff, 0x3000);
    }
    for (int i = 0; i < 3; i++) {
      port(0, WRITE, 1, 0x21, 0xff, 0x4000);
      port(1, WRITE, 1, 0x21, 0xff, 0x4000);
    }
    assertThat(table("unchanged_accesses").strip()).endsWith("  0x4000");
  }
}
