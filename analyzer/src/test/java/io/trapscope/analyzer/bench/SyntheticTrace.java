package io.trapscope.analyzer.bench;

import io.trapscope.recorder.event.CpuMode;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.EventWriter;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.event.ExitSink;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.event.RunEnd;
import io.trapscope.recorder.trace.TraceException;
import io.trapscope.recorder.trace.TraceHeader;
import io.trapscope.recorder.trace.TraceWriter;
import java.nio.file.Path;

/**
 * Writes a trace of any size with the mix of exits that a Linux boot has: mostly port I/O, some
 * MMIO, EPT faults, MSRs, CPUID, halts. The same arguments give the same events.
 *
 * <p>Usage: SyntheticTrace DIRECTORY EVENTS VCPUS
 */
public final class SyntheticTrace {
  private static final int FIRST_TIME = 1000;

  private static final int[] PORTS = {0x20, 0x21, 0x40, 0x43, 0x61, 0x70, 0x71, 0xcf8, 0xcfc};

  private long seed = 0x9e3779b97f4a7c15L;
  private long time = FIRST_TIME;
  private long instructions;

  private SyntheticTrace() {}

  /** Writes the trace; vCPUs take turns. */
  public static void write(Path directory, long events, int vcpus) throws TraceException {
    SyntheticTrace state = new SyntheticTrace();
    TraceHeader header =
        TraceHeader.builder()
            .product("trapscope synthetic")
            .backEnd("soft", "synthetic")
            .cpus(vcpus)
            .region(0, "ram", 0, 1L << 30, "ram")
            .clocks(1_767_323_045_000_000_000L, 0, 0)
            .build();
    try (TraceWriter writer = TraceWriter.create(directory, true, header)) {
      for (long i = 0; i < events; i++) {
        state.exit(writer.vcpu((int) (i % vcpus)));
      }
      if (writer.lost() != 0) {
        throw new IllegalStateException(writer.lost() + " events lost: " + writer.failure());
      }
      writer.finish(RunEnd.HALTED, 0, "");
    }
  }

  public static void main(String[] arguments) throws TraceException {
    write(Path.of(arguments[0]), Long.parseLong(arguments[1]), Integer.parseInt(arguments[2]));
  }

  /** xorshift64: quick, and the same everywhere. */
  private int next(int bound) {
    seed ^= seed << 13;
    seed ^= seed >>> 7;
    seed ^= seed << 17;
    return (int) ((seed >>> 33) % bound);
  }

  private void exit(ExitSink sink) {
    int kind = next(100);
    if (kind < 60) {
      // A serial port whose line status is read again and again, and a little of everything else.
      int port = next(4) == 0 ? PORTS[next(PORTS.length)] : 0x3f8 + 5 * (kind & 1);
      EventWriter event = begin(sink, EventType.PIO, ExitReason.IO_INSTRUCTION, port, 1);
      event.put(Field.DIRECTION, kind & 1).put(Field.SIZE, 1).put(Field.PORT, port);
      event.put(Field.COUNT, 1).put(Field.VALUE, next(8) == 0 ? next(256) : 0x60);
    } else if (kind < 75) {
      int register = 16 * next(1 << next(7));
      EventWriter event = begin(sink, EventType.MMIO, ExitReason.EPT_VIOLATION, register, 2);
      event.put(Field.DIRECTION, kind & 1).put(Field.SIZE, 4);
      event.put(Field.GPA, 0xfee0_0000L + register).put(Field.VALUE, next(1 << 30));
    } else if (kind < 85) {
      long page = next(1 << 18);
      EventWriter event = begin(sink, EventType.EPT_FAULT, ExitReason.EPT_VIOLATION, 0, 10);
      event.put(Field.GPA, page << 12).put(Field.GVA, 0xffff_8880_0000_0000L + (page << 12));
      event.put(Field.HPA, page << 12).put(Field.QUALIFICATION, 0x180 + (1 << next(3)));
      event.put(Field.GUEST_PAGE, 21).put(Field.EPT_PAGE, 12).put(Field.REGION, 0);
      event.put(Field.FIRST_TOUCH, 1);
    } else if (kind < 92) {
      EventWriter event = begin(sink, EventType.MSR, ExitReason.WRMSR, 0x6e0, 1);
      event.put(Field.DIRECTION, 1).put(Field.MSR, 0x6e0).put(Field.VALUE, time);
    } else if (kind < 97) {
      int leaf = next(32);
      EventWriter event = begin(sink, EventType.CPUID, ExitReason.CPUID, leaf, 1);
      event.put(Field.LEAF, leaf).put(Field.SUBLEAF, 0).put(Field.EAX, next(1 << 30));
      event.put(Field.EBX, 1).put(Field.ECX, 2).put(Field.EDX, 3);
    } else {
      EventWriter event = begin(sink, EventType.HLT, ExitReason.HLT, 0, 1);
      event.put(Field.IDLE_TIME, next(1_000_000));
    }
    sink.commit();
  }

  /**
   * Puts what every exit has. Its place in the guest is one of 2^places for what it accesses, the
   * first of them by far the most frequent: a Linux boot has some thousands of places.
   */
  private EventWriter begin(
      ExitSink sink, EventType type, ExitReason reason, int register, int places) {
    int guest = 200 + next(1 << next(16));
    time += guest + 500;
    instructions += guest;
    long place = (type.id() * 4096L + register) * 0x9e3779b1L & 0x3f_ffff;
    return sink.claim(type)
        .put(Field.GUEST_TIME, guest)
        .put(Field.RIP, 0xffff_ffff_8100_0000L + place + 3L * next(1 << next(places + 1)))
        .put(Field.TIME, time)
        .put(Field.INSTRUCTIONS, instructions)
        .put(Field.LOOP_TIME, 40 + next(20))
        .put(Field.DISPATCH_TIME, 60 + next(40))
        .put(Field.DEVICE_TIME, 20 + next(1 << next(12)))
        .put(Field.REASON, reason.code())
        .put(Field.MODE, CpuMode.LONG.code())
        .put(Field.CPL, 0);
  }
}
