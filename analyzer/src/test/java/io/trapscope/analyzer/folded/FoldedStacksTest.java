package io.trapscope.analyzer.folded;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.analyzer.pipeline.MemoryTrace;
import io.trapscope.analyzer.symbols.SymbolTable;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.event.Field;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FoldedStacksTest {
  private static final long TEXT = 0xffff_ffff_8100_0000L;

  private static final String MAP =
      """
      ffffffff81000000 T start_kernel
      ffffffff81001000 T console_write
      ffffffff81002000 t io_serial_out
      ffffffff81003000 t idle
      """;

  @TempDir Path directory;

  private final MemoryTrace trace = new MemoryTrace(2);
  private long time = 100;

  private void stack(int vcpu, int cpl, int reason, int nanos, long rip, long... callers) {
    ByteBuffer data = ByteBuffer.allocate(8 * callers.length).order(ByteOrder.LITTLE_ENDIAN);
    for (long caller : callers) {
      data.putLong(caller);
    }
    trace.add(
        vcpu,
        EventType.STACK,
        event ->
            event
                .put(Field.TIME, time++)
                .put(Field.RIP, rip)
                .put(Field.CPL, cpl)
                .put(Field.GUEST_TIME, nanos)
                .put(Field.DEVICE_TIME, 2 * nanos)
                .put(Field.DETAIL, reason)
                .putBytes(Field.DATA, data.array(), 0, data.capacity()));
  }

  private static SymbolTable symbols() throws IOException {
    return SymbolTable.of("map", ByteBuffer.wrap(MAP.getBytes(StandardCharsets.US_ASCII)));
  }

  private FoldedStacks.Written written;

  private String folded(FoldedStacks.Weight weight, SymbolTable symbols) throws IOException {
    Path file = directory.resolve("folded");
    written = FoldedStacks.write(trace, symbols, weight, file);
    return Files.readString(file);
  }

  @Test
  void outermostFirstAndTheReasonLast() throws IOException {
    for (int vcpu = 0; vcpu < 2; vcpu++) {
      stack(vcpu, 0, 30, 7, TEXT + 0x2016, TEXT + 0x1040, TEXT + 0x20);
    }
    stack(0, 0, 30, 5, TEXT + 0x2016, TEXT + 0x1080, TEXT + 0x20); // another call of the same
    stack(0, 0, 12, 1000, TEXT + 0x3001);
    assertThat(folded(FoldedStacks.Weight.COUNT, symbols()))
        .isEqualTo(
            """
            idle;HLT 1
            start_kernel;console_write;io_serial_out;IO_INSTRUCTION 3
            """);
    assertThat(written.describe()).isEqualTo("4 exits with a stack, 3 of them with callers");
    assertThat(folded(FoldedStacks.Weight.GUEST_NS, symbols()))
        .endsWith("io_serial_out;IO_INSTRUCTION 19\n");
    assertThat(folded(FoldedStacks.Weight.HANDLING_NS, symbols()))
        .endsWith("io_serial_out;IO_INSTRUCTION 38\n");
  }

  /** A stack repeats its exit's times but for the kernel's; what is filtered out has none. */
  @Test
  void handlingIsThatOfTheExitBefore() throws IOException {
    exit(0, time, 9000);
    exit(1, time, 400);
    stack(0, 0, 30, 7, TEXT + 0x2016);
    exit(0, time - 1, 80_000);
    stack(0, 0, 30, 100, TEXT + 0x2016);
    assertThat(folded(FoldedStacks.Weight.HANDLING_NS, symbols()))
        .isEqualTo("io_serial_out;IO_INSTRUCTION " + (9000 + 2 * 100) + "\n");
    assertThat(folded(FoldedStacks.Weight.GUEST_NS, symbols()))
        .isEqualTo("io_serial_out;IO_INSTRUCTION 107\n");
  }

  private void exit(int vcpu, long at, int inKernel) {
    trace.add(
        vcpu,
        EventType.PIO,
        event ->
            event
                .put(Field.TIME, at)
                .put(Field.REASON, ExitReason.IO_INSTRUCTION.code())
                .put(Field.KERNEL_TIME, inKernel - 10)
                .put(Field.DEVICE_TIME, 10));
  }

  /** The call may be the last instruction of its function: the return address is the next one's. */
  @Test
  void aCallThatNeverReturnsIsItsCallers() throws IOException {
    stack(0, 0, 30, 1, TEXT + 0x2016, TEXT + 0x2000);
    assertThat(folded(FoldedStacks.Weight.COUNT, symbols()))
        .isEqualTo("console_write;io_serial_out;IO_INSTRUCTION 1\n");
  }

  @Test
  void whatIsNoCodeEndsTheStack() throws IOException {
    stack(0, 0, 30, 1, TEXT + 0x2016, TEXT + 0x1040, 0xffff_c900_0000_1000L, TEXT + 0x20);
    assertThat(folded(FoldedStacks.Weight.COUNT, symbols()))
        .isEqualTo("console_write;io_serial_out;IO_INSTRUCTION 1\n");
    assertThat(folded(FoldedStacks.Weight.COUNT, SymbolTable.EMPTY))
        .isEqualTo(
            "0xffffffff81000020;0xffffc90000001000;0xffffffff81001040;0xffffffff81002016;"
                + "IO_INSTRUCTION 1\n");
  }

  @Test
  void aProgramsFramesStayAddresses() throws IOException {
    stack(0, 3, 48, 1, 0x40_1000, 0x40_2000);
    stack(0, 0, 30, 1, TEXT + 0x2016, TEXT + 0x1040, 0x40_2000);
    assertThat(folded(FoldedStacks.Weight.COUNT, symbols()))
        .isEqualTo(
            """
            0x402000;0x401000;EPT_VIOLATION 1
            0x402000;console_write;io_serial_out;IO_INSTRUCTION 1
            """);
  }

  @Test
  void aGuestWithoutFramePointersIsCalledThat() throws IOException {
    for (int i = 0; i < 50; i++) {
      stack(0, 0, 30, 1, TEXT + 0x2016, i == 0 ? TEXT + 0x1040 : 0xffff_c900_0000_1000L);
    }
    folded(FoldedStacks.Weight.COUNT, symbols());
    assertThat(written.describe())
        .isEqualTo(
            "50 exits with a stack, 1 of them with callers: this guest's code keeps no frame"
                + " pointers");
  }

  /** In any order of the stacks the same is left, and no exit is lost. */
  @Test
  void tooManyStacksLoseTheirOuterHalf() {
    StackSums there = new StackSums(10);
    StackSums back = new StackSums(10);
    for (int i = 0; i < 40; i++) {
      there.add(new StackSums.Stack(30, false, new long[] {1, i % 4, i % 8, i}), i);
      int j = 39 - i;
      back.add(new StackSums.Stack(30, false, new long[] {1, j % 4, j % 8, j}), j);
    }
    long[] exits = new long[2];
    there.forEach(
        (stack, sum) -> {
          assertThat(stack.addresses()).hasSize(2);
          exits[0] += sum.exits();
          exits[1] += sum.weight();
          back.forEach((other, same) -> assertThat(!other.equals(stack) || same.equals(sum)));
        });
    assertThat(there.depth()).isEqualTo(2).isEqualTo(back.depth());
    assertThat(exits).containsExactly(40, 780);
  }
}
