package io.trapscope.analyzer.pipeline;

import io.trapscope.recorder.event.EventLayout;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.EventWriter;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.event.ExitSink;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.event.Kind;
import io.trapscope.recorder.event.RunEnd;
import io.trapscope.recorder.event.Wire;
import io.trapscope.recorder.trace.TraceException;
import io.trapscope.recorder.trace.TraceHeader;
import io.trapscope.recorder.trace.TraceWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;

/**
 * Writes traces of random events for {@code analyzer/differential}: some plausible ({@link
 * RandomTrace}), some with any field of any event at any value, some for {@code compare}.
 *
 * <p>Usage: RandomTraceFile DIRECTORY SEED plausible|hostile|run COUNT. Of several traces the
 * directories end in -0, -1 and so on, and the seeds follow one another.
 */
public final class RandomTraceFile {
  private static final long FIRST_TIME = 5_000_000_000L;

  /** Values at which arithmetic goes wrong. */
  private static final long[] EXTREMES = {
    0,
    1,
    2,
    3,
    4,
    7,
    0x7f,
    0x80,
    0xff,
    0x3f8,
    0x7fff,
    0xffff,
    0x7fff_ffffL,
    0xffff_ffffL,
    1L << 32,
    1L << 52,
    (1L << 53) - 1,
    1L << 53,
    Long.MAX_VALUE,
    Long.MIN_VALUE,
    -1,
    -4096
  };

  private static final String[] TEXTS = {
    "Linux version 6.1\n",
    "half a ",
    "line\r\n",
    "\u001b[31mred\u001b[0m\n",
    "<b>&\"'</b>\n",
    "\u2028 caf\u00e9 \u00e4\n",
    "a,b\n",
    "\n",
    "\0\u0001\n",
    "devtmpfs: initialized\n",
    "~ # \n",
    "Run /sbin/init as init process\n",
    "reboot: Restarting system\n"
  };

  private final Random random;
  private final int vcpus;
  private final TraceWriter writer;
  private long time = FIRST_TIME;

  private RandomTraceFile(Random random, int vcpus, TraceWriter writer) {
    this.random = random;
    this.vcpus = vcpus;
    this.writer = writer;
  }

  public static void main(String[] arguments) throws TraceException {
    long seed = Long.parseLong(arguments[1]);
    int count = Integer.parseInt(arguments[3]);
    for (int i = 0; i < count; i++) {
      write(Path.of(arguments[0] + (count == 1 ? "" : "-" + i)), seed + i, arguments[2]);
    }
  }

  private static void write(Path directory, long seed, String kind) throws TraceException {
    Random random = new Random(seed);
    int vcpus = 1 + random.nextInt(3);
    TraceHeader header = header(random, vcpus);
    try (TraceWriter writer = TraceWriter.create(directory, true, header)) {
      RandomTraceFile file = new RandomTraceFile(random, vcpus, writer);
      switch (kind) {
        case "plausible" ->
            new RandomTrace(random, vcpus, FIRST_TIME, file::add).add(random.nextInt(1500));
        case "hostile" -> file.hostile(random.nextInt(300));
        case "run" -> file.run();
        default -> throw new IllegalArgumentException(kind);
      }
      if (random.nextInt(4) != 0) {
        writer.finish(RunEnd.HALTED, 0, "");
      }
    }
  }

  private static TraceHeader header(Random random, int vcpus) {
    TraceHeader.Builder header =
        TraceHeader.builder()
            .product("trapscope test")
            .backEnd("kvm", "random events")
            .cpus(vcpus)
            .commandLine(List.of("trapscope", "record", "<script>alert(1)</script>"))
            .clocks(1_767_323_045_000_000_000L, 1000, 0);
    if (random.nextInt(4) != 0) {
      header
          .region(0, "ram-low", 0, 0xa0000, "ram")
          .region(1, "ram-high", 0x100000, 1L << 20 + random.nextInt(24), "ram");
    }
    if (random.nextInt(3) == 0) {
      header.note("protocol", "bzImage, " + (random.nextBoolean() ? "64-bit entry" : "unpacked"));
    }
    if (random.nextBoolean()) {
      header.note(
          "regions",
          "address-space: memory\n"
              + "  00000000fec00000-00000000fec00fff (device): ioapic\n"
              + "address-space: I/O\n"
              + "  0070-0071 (device): rtc\n  03f8-03ff (device): uart0\n");
    }
    return header.build();
  }

  private void add(int vcpu, EventType type, Consumer<EventWriter> fill) {
    // As recorders do: what is no vCPU's goes to the stream of everything else.
    boolean other = type == EventType.CONSOLE_OUTPUT;
    ExitSink sink = other ? writer.other() : writer.vcpu(vcpu);
    fill.accept(sink.claim(type));
    sink.commit();
  }

  /**
   * A few reasons with about so many exits and about such times: one recording of many alike. Not
   * all of them have all phases.
   */
  private void run() {
    int[] means = {300, 40, 900};
    ExitReason[] reasons = {ExitReason.IO_INSTRUCTION, ExitReason.CPUID, ExitReason.EPT_VIOLATION};
    String[] begins = {"devtmpfs: initialized\n", "Run /init as init process\n", "reboot: \n"};
    for (int kind = 0; kind < means.length; kind++) {
      if (random.nextInt(3) != 0) {
        byte[] text = begins[kind].getBytes(StandardCharsets.UTF_8);
        add(
            0,
            EventType.CONSOLE_OUTPUT,
            event -> event.put(Field.TIME, time).putBytes(Field.DATA, text, 0, text.length));
      }
      long count = Math.round(means[kind] + random.nextGaussian() * Math.sqrt(means[kind]));
      for (int i = 0; i < count; i++) {
        ExitReason reason = reasons[kind];
        time += 1000 + random.nextInt(1000);
        add(
            0,
            EventType.of(reason),
            event ->
                event
                    .put(Field.TIME, time)
                    .put(Field.REASON, reason.code())
                    .put(Field.GUEST_TIME, 500 + random.nextInt(100))
                    .put(Field.DEVICE_TIME, Math.round(2000 + 300 * random.nextGaussian())));
      }
    }
  }

  private void hostile(int events) {
    EventType[] types = EventType.values();
    for (int i = 0; i < events; i++) {
      EventType type = types[random.nextInt(random.nextBoolean() ? 10 : types.length)];
      // Mostly by less than a second, now and then by an hour.
      time +=
          random.nextInt(30) == 0 ? 3_600_000_000_000L : random.nextInt(1 << random.nextInt(30));
      if (random.nextInt(30) == 0) {
        time = Math.max(1, time - random.nextInt(1 << random.nextInt(31)));
      }
      boolean other = !type.isExit() && random.nextInt(4) == 0;
      ExitSink sink = other ? writer.other() : writer.vcpu(random.nextInt(vcpus));
      fill(type, sink.claim(type).put(Field.TIME, time));
      sink.commit();
    }
  }

  private void fill(EventType type, EventWriter event) {
    List<Field> fields = new ArrayList<>(EventType.COMMON);
    fields.addAll(type.details());
    int missing = 2 + random.nextInt(8);
    for (Field field : fields) {
      boolean stored = field != Field.TIME && EventLayout.of(type).has(field);
      if (!stored || field.wire() == Wire.DERIVED || random.nextInt(missing) == 0) {
        continue;
      }
      if (field.wire() == Wire.BYTES) {
        byte[] data = data(type);
        event.putBytes(field, data, 0, data.length);
      } else {
        event.put(field, value(field));
      }
    }
  }

  private byte[] data(EventType type) {
    boolean text =
        type == EventType.CONSOLE_OUTPUT
            || type == EventType.CONSOLE_INPUT
            || type == EventType.MARK;
    if (text && random.nextInt(8) != 0) {
      return TEXTS[random.nextInt(TEXTS.length)].getBytes(StandardCharsets.UTF_8);
    }
    byte[] bytes = new byte[8 * random.nextInt(5)];
    random.nextBytes(bytes);
    return bytes;
  }

  private long value(Field field) {
    if (field == Field.REASON) {
      ExitReason[] reasons = ExitReason.values();
      return random.nextInt(10) == 0
          ? random.nextInt(256)
          : reasons[random.nextInt(reasons.length)].code();
    }
    if (field.kind() == Kind.FLAG) {
      return random.nextInt(2);
    }
    if (field.kind() == Kind.DURATION && random.nextInt(4) != 0) {
      return random.nextInt(1 << random.nextInt(24));
    }
    return random.nextInt(3) == 0
        ? random.nextLong() >>> random.nextInt(64)
        : EXTREMES[random.nextInt(EXTREMES.length)];
  }
}
