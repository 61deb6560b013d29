package io.trapscope.recorder.trace;

import io.trapscope.recorder.event.CpuMode;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.event.ExitSink;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.event.KvmExit;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;

/** Made-up events and headers for the tests of this package. */
public final class TestTraces {
  public static final long BASE_TIME = 1_000_000_000L;

  private TestTraces() {}

  public static TraceHeader header(int cpus) {
    return TraceHeader.builder()
        .product("trapscope test")
        .backEnd("soft", "asked for")
        .host("Linux 6.1", "a \"quoted\" CPU", 2)
        .cpuModel("qemu64")
        .cpuid(0x8000_0001L, 0, 1, 2, 0xffff_ffffL, 4)
        .commandLine(List.of("trapscope", "record", "--append", "a b"))
        .image("guest", "hello", "00ff", 12)
        .memoryBytes(256L << 20)
        .cpus(cpus)
        .region(1, "ram", 0, 256L << 20, "ram")
        .region(2, "lapic", 0xfee0_0000L, 4096, "mmio")
        .clocks(1_700_000_000_000_000_000L, BASE_TIME, 1_000_000_000L)
        .surfaced(EnumSet.of(ExitReason.IO_INSTRUCTION, ExitReason.HLT))
        .unseen(Map.of(ExitReason.CPUID, "KVM answers it"))
        .note("rip", "at the instruction")
        .build();
  }

  /** Writes the port access that {@link #check} expects for this number. */
  public static void write(ExitSink sink, long n) {
    sink.claim(EventType.PIO)
        .put(Field.GUEST_TIME, 500 + n)
        .put(Field.RIP, 0x1000 + n)
        .put(Field.TIME, BASE_TIME + n * 1000)
        .put(Field.INSTRUCTIONS, n * 7)
        .put(Field.LOOP_TIME, 60)
        .put(Field.DISPATCH_TIME, 70)
        .put(Field.DEVICE_TIME, 80)
        .put(Field.REASON, ExitReason.IO_INSTRUCTION.code())
        .put(Field.KVM_EXIT, KvmExit.IO)
        .put(Field.MODE, CpuMode.LONG.code())
        .put(Field.CPL, 0)
        .put(Field.DIRECTION, 1)
        .put(Field.SIZE, 1)
        .put(Field.PORT, 0x3f8)
        .put(Field.COUNT, 1)
        .put(Field.VALUE, n * 0x9e37_79b9_7f4a_7c15L);
    sink.commit();
  }

  /** Whether an event is the one {@link #write} wrote for this number. */
  public static boolean check(EventReader event, long n) {
    return event.type() == EventType.PIO
        && event.get(Field.GUEST_TIME) == 500 + n
        && event.get(Field.RIP) == 0x1000 + n
        && event.time() == BASE_TIME + n * 1000
        && event.get(Field.INSTRUCTIONS) == n * 7
        && event.get(Field.DEVICE_TIME) == 80
        && event.reasonCode() == ExitReason.IO_INSTRUCTION.code()
        && event.get(Field.PORT) == 0x3f8
        && event.get(Field.VALUE) == n * 0x9e37_79b9_7f4a_7c15L;
  }
}
