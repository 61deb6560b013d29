package io.trapscope.analyzer.pipeline;

import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.EventWriter;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.event.Field;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import java.util.function.Consumer;

/**
 * Random exits of few kinds, places and values, so that everything a report looks for comes up:
 * loops, repetitions, the same from several vCPUs. Any field may be missing.
 */
public final class RandomTrace {
  private static final long KERNEL = 0xffff_ffff_8100_0000L;

  /** What the console says, mostly; and what begins phases of a boot. */
  private static final String[] TEXTS = {"a\n", "b", "a\n", "b"};

  private static final String[] BOOT = {
    "Decompressing Linux... done\n",
    "devtmpfs: initialized\n",
    "Run /init as init process\n",
    "~ # ls\n",
    "reboot: Restarting system\n"
  };

  private static final int[] PORTS = {0x70, 0x71, 0x71, 0xcf8, 0xcfc, 0x3f8, 0x3fd, 0x3fd, 0x80};

  /** Where events go. */
  interface Sink {
    void add(int vcpu, EventType type, Consumer<EventWriter> fill);
  }

  private final Random random;
  private final Sink trace;
  private final int vcpus;
  private long time;

  /** Whether the host's kernel tells of exits. */
  private final boolean kernelTells;

  /** When each vCPU exited last. */
  private final long[] exited;

  RandomTrace(Random random, int vcpus, long time, Sink trace) {
    this.random = random;
    this.vcpus = vcpus;
    this.time = time;
    this.trace = trace;
    this.kernelTells = random.nextInt(3) == 0;
    this.exited = new long[vcpus];
    Arrays.fill(exited, time);
  }

  /** A trace of this many events. */
  public static MemoryTrace of(long seed, int vcpus, int events) {
    MemoryTrace trace = new MemoryTrace(vcpus);
    new RandomTrace(new Random(seed), vcpus, 1000, trace::add).add(events);
    return trace;
  }

  /** Makes this many events more. */
  void add(int events) {
    for (int i = 0; i < events; i++) {
      add();
    }
  }

  private void add() {
    int kind = random.nextInt(20);
    if (kind < 9) {
      exit(EventType.PIO, ExitReason.IO_INSTRUCTION, this::port);
    } else if (kind < 12) {
      exit(EventType.MMIO, ExitReason.EPT_MISCONFIGURATION, this::memory);
    } else if (kind < 15) {
      exit(EventType.EPT_FAULT, ExitReason.EPT_VIOLATION, this::fault);
    } else if (kind < 16) {
      exit(EventType.MSR, ExitReason.WRMSR, this::msr);
    } else if (kind < 17) {
      exit(EventType.HLT, ExitReason.HLT, event -> maybe(event, Field.IDLE_TIME, 1 << 20));
    } else if (kind < 18) {
      exit(EventType.CPUID, ExitReason.CPUID, event -> maybe(event, Field.LEAF, 3));
    } else if (kind < 19) {
      ExitReason[] reasons = ExitReason.values();
      exit(EventType.EXIT, reasons[random.nextInt(reasons.length)], event -> {});
    } else {
      String[] texts = random.nextInt(8) == 0 ? BOOT : TEXTS;
      byte[] text = texts[random.nextInt(texts.length)].getBytes(StandardCharsets.US_ASCII);
      trace.add(
          vcpus - 1,
          EventType.CONSOLE_OUTPUT,
          event -> event.put(Field.TIME, time).putBytes(Field.DATA, text, 0, text.length));
    }
  }

  private interface Details {
    void fill(EventWriter event);
  }

  private void exit(EventType type, ExitReason reason, Details details) {
    int step = random.nextInt(50) == 0 ? 1 << 24 : random.nextInt(10) == 0 ? 100_000 : 1000;
    time += 1 + random.nextInt(step);
    int vcpu = random.nextInt(vcpus);
    // A guest cannot have run since before the exit before.
    int longest = (int) Math.min(Integer.MAX_VALUE, time - exited[vcpu]);
    exited[vcpu] = time;
    trace.add(
        vcpu,
        type,
        event -> {
          event.put(Field.TIME, time).put(Field.REASON, reason.code());
          maybe(event, Field.GUEST_TIME, longest);
          maybe(event, Field.LOOP_TIME, 50);
          maybe(event, Field.DEVICE_TIME, 1 << random.nextInt(16));
          if (kernelTells) {
            maybe(event, Field.KERNEL_TIME, 1 << random.nextInt(20));
            maybe(event, Field.USER_TIME, 1 << random.nextInt(16));
          }
          maybe(event, Field.CPL, random.nextInt(10) == 0 ? 4 : 1);
          if (random.nextInt(20) != 0) {
            boolean low = random.nextInt(16) == 0;
            event.put(Field.RIP, low ? 0x1000L * random.nextInt(2) : KERNEL + random.nextInt(4));
          }
          details.fill(event);
        });
  }

  private void port(EventWriter event) {
    event.put(Field.DIRECTION, random.nextInt(2)).put(Field.SIZE, random.nextInt(8) == 0 ? 2 : 1);
    event.put(Field.PORT, PORTS[random.nextInt(PORTS.length)]);
    if (random.nextInt(20) != 0) {
      event.put(Field.COUNT, random.nextInt(20) == 0 ? 7 : 1);
    }
    maybe(event, Field.VALUE, 2);
  }

  private void memory(EventWriter event) {
    event.put(Field.DIRECTION, random.nextInt(2)).put(Field.SIZE, 4);
    event.put(Field.GPA, 0xfec0_0000L + 4 * random.nextInt(6));
    maybe(event, Field.VALUE, 2);
  }

  private void msr(EventWriter event) {
    event.put(Field.DIRECTION, random.nextInt(2)).put(Field.MSR, 0x10 + random.nextInt(2));
    maybe(event, Field.VALUE, 2);
  }

  private void fault(EventWriter event) {
    maybe(event, Field.REGION, 4);
    maybe(event, Field.QUALIFICATION, 8);
    maybe(event, Field.EPT_PAGE, 22);
    maybe(event, Field.GPA, 1 << 20);
    maybe(event, Field.FIRST_TOUCH, 2);
  }

  private void maybe(EventWriter event, Field field, int bound) {
    if (random.nextInt(12) != 0) {
      event.put(field, random.nextInt(bound));
    }
  }
}
