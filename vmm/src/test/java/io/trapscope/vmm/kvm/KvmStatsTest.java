package io.trapscope.vmm.kvm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trapscope.recorder.event.Counter;
import io.trapscope.recorder.event.Counter.Kind;
import io.trapscope.recorder.event.Counter.Unit;
import io.trapscope.recorder.event.ExitReason;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

class KvmStatsTest {
  private static final int NAME_SIZE = 12;

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private static ByteBuffer header(int count) {
    return buffer(24).putInt(4, NAME_SIZE).putInt(8, count).putInt(16, 100).putInt(20, 200);
  }

  private static void describe(
      ByteBuffer table, int flags, int exponent, int size, int at, int bucket, String name) {
    int start = table.position();
    table.putInt(flags).putShort((short) exponent).putShort((short) size);
    table.putInt(at).putInt(bucket).put(name.getBytes(StandardCharsets.US_ASCII));
    table.position(start + 16 + NAME_SIZE);
  }

  @Test
  void descriptorsSayWhatTheValuesAre() {
    ByteBuffer table = buffer(5 * (16 + NAME_SIZE));
    describe(table, 0x000, 0, 1, 0, 0, "exits");
    describe(table, 0x021, -9, 1, 8, 0, "wait_ns");
    describe(table, 0x112, 10, 1, 16, 0, "pages");
    describe(table, 0x023, -9, 3, 24, 500, "hist");
    describe(table, 0x044, 0, 2, 48, 0, "twelve_chars"); // as long as the name can be: no NUL
    ByteBuffer values = buffer(64);
    for (int i = 0; i < 8; i++) {
      values.putLong(8 * i, 100 + i);
    }
    assertThat(KvmStats.decode("vm", header(5), table, values))
        .containsExactly(
            new Counter("vm", "exits", Kind.CUMULATIVE, Unit.NONE, 10, 0, 0, List.of(100L)),
            new Counter("vm", "wait_ns", Kind.INSTANT, Unit.SECONDS, 10, -9, 0, List.of(101L)),
            new Counter("vm", "pages", Kind.PEAK, Unit.BYTES, 2, 10, 0, List.of(102L)),
            new Counter(
                "vm",
                "hist",
                Kind.LINEAR_HISTOGRAM,
                Unit.SECONDS,
                10,
                -9,
                500,
                List.of(103L, 104L, 105L)),
            new Counter(
                "vm",
                "twelve_chars",
                Kind.LOG_HISTOGRAM,
                Unit.BOOLEAN,
                10,
                0,
                0,
                List.of(106L, 107L)));
  }

  @Test
  void aKindThatIsNewIsLeftOut() {
    ByteBuffer table = buffer(2 * (16 + NAME_SIZE));
    describe(table, 0x00f, 0, 1, 0, 0, "strange");
    describe(table, 0x000, 0, 1, 8, 0, "known");
    assertThat(KvmStats.decode("vm", header(2), table, buffer(16)))
        .extracting(Counter::name)
        .containsExactly("known");
  }

  @Test
  void kvmCountsTheExitsOfItsVcpus() {
    // mov [rbx], al; mov [rbx], al; hlt
    try (KvmGuest guest = KvmGuest.longMode(0x88, 0x03, 0x88, 0x03, 0xF4)) {
      assumeTrue(!guest.vm.counters().isEmpty(), "this KVM has no KVM_CAP_BINARY_STATS_FD");
      guest.set(io.trapscope.vmm.hypervisor.CpuState.RBX, 0xE000_0000L);
      List<Counter> before = guest.vm.counters();
      guest.expect(ExitReason.MMIO);
      guest.expect(ExitReason.MMIO);
      guest.expect(ExitReason.HLT);
      List<Counter> change = Counter.change(before, guest.vm.counters());
      assertThat(change).extracting(Counter::of).contains("vm", "vcpu-0");
      assertThat(change)
          .filteredOn(counter -> counter.name().equals("mmio_exits"))
          .singleElement()
          .matches(counter -> counter.total() == 2);
    }
  }
}
