package io.trapscope.replay;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.EventWriter;
import io.trapscope.recorder.event.ExitSink;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.event.LossCause;
import io.trapscope.recorder.event.RunEnd;
import io.trapscope.recorder.event.Wire;
import io.trapscope.recorder.trace.TraceException;
import io.trapscope.recorder.trace.TraceHeader;
import io.trapscope.recorder.trace.TraceReader;
import io.trapscope.recorder.trace.TraceWriter;
import io.trapscope.vmm.boot.FlatLoader;
import io.trapscope.vmm.guests.Guests;
import io.trapscope.vmm.guests.HostKind;
import io.trapscope.vmm.run.ConsoleInput;
import io.trapscope.vmm.run.Machine;
import io.trapscope.vmm.run.MachineConfig;
import io.trapscope.vmm.run.RunResult;
import io.trapscope.vmm.run.Sinks;
import io.trapscope.vmm.run.Until;
import io.trapscope.vmm.soft.SoftHypervisor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ReplaySessionTest {
  private static final TraceHeader HEADER = header(1);

  @TempDir private Path folder;

  /** The machine that is recorded. */
  private Machine recording;

  private static MachineConfig.Builder config(Guests guest) {
    return MachineConfig.builder(new SoftHypervisor(), guest.boot("count=500", HostKind.SOFT))
        .timeout(Duration.ofMinutes(2));
  }

  private static TraceHeader header(int cpus) {
    return TraceHeader.builder().backEnd("soft", "test").cpus(cpus).build();
  }

  private TraceReader record(MachineConfig.Builder config) throws TraceException {
    return record(config, HEADER);
  }

  private TraceReader record(MachineConfig.Builder config, TraceHeader header)
      throws TraceException {
    Path directory = folder.resolve("trace");
    try (Machine machine = new Machine(config.build());
        TraceWriter trace = TraceWriter.create(directory, false, header)) {
      recording = machine;
      RunResult result = machine.run(Sinks.of(trace::vcpu, trace.other()));
      trace.finish(result.end(), result.detail(), result.text());
    }
    return TraceReader.open(directory);
  }

  @ParameterizedTest
  @EnumSource(Guests.class)
  void everyBundledGuestReplays(Guests guest) throws TraceException {
    TraceReader trace = record(config(guest));

    ReplaySession.Outcome outcome = new ReplaySession(trace, config(guest)).verify(false, true);

    assertThat(outcome.divergence()).isNull();
    assertThat(outcome.verified()).isEqualTo(trace.end().orElseThrow().events());
    assertThat(outcome.result().end()).isEqualTo(guest.expectedEnd());
  }

  @Test
  void aRunThatWasStoppedReplaysUpToThere() throws TraceException {
    MachineConfig.Builder spin = config(Guests.SPIN).until(Until.parse("exits=100"));
    TraceReader trace = record(spin);

    ReplaySession.Outcome outcome =
        new ReplaySession(trace, config(Guests.SPIN)).verify(false, true);

    assertThat(outcome.divergence()).isNull();
    // All but the end, which the replay cannot know of.
    assertThat(outcome.verified()).isEqualTo(trace.end().orElseThrow().events() - 1);
  }

  /**
   * Of this run there is nothing on vCPU 0, and lines of the console up to where it was stopped.
   */
  @Test
  void aFilteredRunThatWasStoppedReplaysUpToThere() throws TraceException {
    Set<EventType> lines = EnumSet.of(EventType.CONSOLE_OUTPUT, EventType.INPUT, EventType.END);
    TraceReader trace = record(config(Guests.TRANSLATE).events(lines).consoleOutput(stopAtLine(4)));
    assertThat(trace.end().orElseThrow().how()).isEqualTo(RunEnd.INTERRUPTED);

    MachineConfig.Builder again = config(Guests.TRANSLATE).events(lines);
    ReplaySession.Outcome outcome = new ReplaySession(trace, again).verify(false, false);

    assertThat(outcome.divergence()).isNull();
    // The wall clock and all lines; the last one's exit was the run's.
    assertThat(outcome.verified()).isEqualTo(1 + 4);
  }

  /** The lines of another vCPU than 0, which has done little and then halts. */
  @Test
  void aFilteredRunOfSeveralVcpusThatWasStoppedReplaysUpToThere() throws TraceException {
    Set<EventType> lines = EnumSet.of(EventType.CONSOLE_OUTPUT, EventType.INPUT, EventType.END);
    TraceReader trace = record(printing().events(lines).consoleOutput(stopAtLine(4)), header(2));
    assertThat(trace.end().orElseThrow().how()).isEqualTo(RunEnd.INTERRUPTED);

    MachineConfig.Builder again = printing().events(lines);
    ReplaySession.Outcome outcome = new ReplaySession(trace, again).verify(false, false);

    assertThat(outcome.divergence()).isNull();
    // All but the end.
    assertThat(outcome.verified()).isEqualTo(1 + 4);
    assertThat(outcome.verified()).isEqualTo(trace.end().orElseThrow().events() - 1);
  }

  /**
   * 32-bit code at 0x8000 enables its local APIC, starts APIC 1 at 0x9000 and halts; 16-bit code
   * there prints a letter a line for ever.
   */
  private static MachineConfig.Builder printing() {
    String first =
        "a1f000e0fe 0d00010000 a3f000e0fe c7051003e0fe00000001 c7050003e0fe00450000"
            + "c7051003e0fe00000001 c7050003e0fe09460000 fa f4";
    return startingAnother(first, "baf803 b041 ee b00a ee ebf8");
  }

  private static MachineConfig.Builder startingAnother(String first, String second) {
    byte[] image = new byte[0x1100];
    put(first, image, 0);
    put(second, image, 0x1000);
    return MachineConfig.builder(
            new SoftHypervisor(),
            new FlatLoader("print", image, 0x8000, 0x8000, FlatLoader.Mode.PROTECTED, ""))
        .cpus(2)
        .timeout(Duration.ofMinutes(2));
  }

  /**
   * As {@link #printing()}, but the first vCPU counts and makes a debug exit, and all that the
   * second one does is to raise exceptions, each by the handler of the one before.
   */
  private static MachineConfig.Builder faulting() {
    String first =
        "a1f000e0fe 0d00010000 a3f000e0fe c7051003e0fe00000001 c7050003e0fe00450000"
            + "c7051003e0fe00000001 c7050003e0fe09460000 b940420f00 49 75fd b005 e6f4 fa f4";
    String second = "31c0 8ed8 b80020 8ed0 66c706180012000009 0f0b";
    return startingAnother(first, second);
  }

  @Test
  void endlessExceptionsReplay() throws TraceException {
    TraceReader trace = record(faulting(), header(2));
    assertThat(trace.end().orElseThrow().how()).isEqualTo(RunEnd.DEBUG_EXIT);

    ReplaySession.Outcome outcome = new ReplaySession(trace, faulting()).verify(false, true);

    assertThat(outcome.divergence()).isNull();
    assertThat(outcome.verified()).isEqualTo(trace.end().orElseThrow().events());
  }

  private static void put(String code, byte[] image, int at) {
    byte[] bytes = HexFormat.of().parseHex(code.replace(" ", ""));
    System.arraycopy(bytes, 0, image, at, bytes.length);
  }

  private OutputStream stopAtLine(int number) {
    int[] lines = new int[1];
    return new OutputStream() {
      @Override
      public void write(int b) {
        if (b == '\n' && ++lines[0] == number) {
          recording.stop();
        }
      }
    };
  }

  @Test
  void aRunThatWasStoppedJustAfterAKeyReplaysUpToThere() throws TraceException {
    TraceReader trace = record(computing().consoleInput(new StoppingKey()));
    assertThat(trace.end().orElseThrow().how()).isEqualTo(RunEnd.INTERRUPTED);

    ReplaySession.Outcome outcome = new ReplaySession(trace, computing()).verify(true, true);

    assertThat(outcome.divergence()).isNull();
  }

  /** A guest that does nothing but jump to itself. */
  private static MachineConfig.Builder computing() {
    byte[] loop = {(byte) 0xeb, (byte) 0xfe};
    return MachineConfig.builder(
        new SoftHypervisor(),
        new FlatLoader("compute", loop, 0x1000, 0x1000, FlatLoader.Mode.REAL, ""));
  }

  /** Keys that come at these times, ns of guest clock. */
  private static class Keys implements ConsoleInput {
    private final long[] times;
    private int taken;

    Keys(long... times) {
      this.times = times;
    }

    @Override
    public boolean isWaiting(long guestNanos) {
      return guestNanos >= wakesAt() && isOpen();
    }

    @Override
    public long wakesAt() {
      return isOpen() ? times[taken] : Long.MAX_VALUE;
    }

    @Override
    public boolean isOpen() {
      return taken < times.length;
    }

    @Override
    public int peek(byte[] to) {
      to[0] = 'x';
      return 1;
    }

    @Override
    public void take(int count) {
      taken++;
    }

    @Override
    public void onChange(Runnable action) {
      // What it has is there from the start.
    }
  }

  /** A key that comes at 50 ms, and whose taking stops the run. */
  private final class StoppingKey extends Keys {
    StoppingKey() {
      super(50_000_000);
    }

    @Override
    public void take(int count) {
      super.take(count);
      recording.stop();
    }
  }

  @Test
  void anotherGuestDiverges() throws TraceException {
    TraceReader trace = record(config(Guests.HELLO));

    ReplaySession.Outcome outcome =
        new ReplaySession(trace, config(Guests.SPIN)).verify(false, true);

    assertThat(outcome.divergence()).isNotNull();
    assertThat(outcome.divergence().sequence()).isZero();
  }

  @Test
  void aChangedValueIsFoundWhereItIs() throws TraceException {
    TraceReader trace = record(config(Guests.HELLO));
    // The comma.
    long victim = portWrites(trace).get(5);
    TraceReader changed =
        rewrite(
            trace,
            (event, writer) -> {
              if (event.sequence() == victim && event.type() == EventType.PIO) {
                writer.put(Field.VALUE, event.get(Field.VALUE) ^ 0x20);
              }
            },
            -1);

    Divergence divergence =
        new ReplaySession(changed, config(Guests.HELLO)).verify(false, true).divergence();

    assertThat(divergence.sequence()).isEqualTo(victim);
    assertThat(divergence.stream()).isZero();
    assertThat(divergence.what()).isEqualTo("value");
    assertThat(divergence.expected()).isEqualTo("0xc");
    assertThat(divergence.came()).isEqualTo("0x2c");
    assertThat(divergence.describe()).startsWith("event " + victim + " of vcpu-0: value: ");
  }

  @Test
  void aMissingEventIsFoundWhereItIs() throws TraceException {
    TraceReader trace = record(config(Guests.HELLO));
    long victim = portWrites(trace).get(2);
    TraceReader changed = rewrite(trace, (event, writer) -> {}, victim);

    Divergence divergence =
        new ReplaySession(changed, config(Guests.HELLO)).verify(false, true).divergence();

    assertThat(divergence.sequence()).isEqualTo(victim);
  }

  /** How a trace can lack events. */
  private enum Lack {
    /** No end, and no event from there on: the recorder was killed. */
    CUT_OFF,
    /** The recorder had no more room from there on. */
    LOST,
    /** One event is lost, and the trace goes on. */
    GAP
  }

  /** Of the guest's 508 events of vCPU 0, the one from which on they are not there. */
  @ParameterizedTest
  @CsvSource({"CUT_OFF, 400", "LOST, 400", "GAP, 400", "CUT_OFF, 0", "LOST, 0", "GAP, 0"})
  void anIncompleteTraceAgreesAsFarAsItGoes(Lack lack, int from) throws TraceException {
    TraceReader trace = record(config(Guests.SPIN));
    TraceReader incomplete = without(trace, 0, from, lack);

    ReplaySession.Outcome outcome =
        new ReplaySession(incomplete, config(Guests.SPIN)).verify(false, true);

    assertThat(outcome.divergence()).isNull();
    assertThat(outcome.verified()).isEqualTo(1 + from);
    assertThat(outcome.anomalies().isIncomplete()).isTrue();
    assertThat(outcome.result().end()).isEqualTo(RunEnd.INTERRUPTED);
    assertThat(outcome.lacking()).isEqualTo("event " + from + " of vcpu-0");
  }

  @ParameterizedTest
  @EnumSource
  void aDifferenceBeforeTheEndOfAnIncompleteTraceIsOne(Lack lack) throws TraceException {
    TraceReader trace = record(config(Guests.SPIN));
    TraceReader incomplete = without(trace, 0, 400, lack);

    MachineConfig.Builder fewer =
        MachineConfig.builder(new SoftHypervisor(), Guests.SPIN.boot("count=300", HostKind.SOFT));
    Divergence divergence = new ReplaySession(incomplete, fewer).verify(false, true).divergence();

    assertThat(divergence.what()).isEqualTo("type");
    assertThat(divergence.sequence()).isEqualTo(306);
  }

  /** The guest does otherwise where a key is missing, which is no difference to speak of. */
  @ParameterizedTest
  @EnumSource(names = {"LOST", "GAP"})
  void whereInputIsLostNothingBehindItIsCompared(Lack lack) throws TraceException {
    MachineConfig.Builder typed =
        echoing().consoleInput(new Keys(1_000, 5_000)).until(Until.parse("exits=9000"));
    TraceReader trace = record(typed);
    assertThat(new ReplaySession(trace, echoing()).verify(true, true).divergence()).isNull();
    TraceReader incomplete = without(trace, EventReader.NO_VCPU, 2, lack);

    ReplaySession.Outcome outcome = new ReplaySession(incomplete, echoing()).verify(true, true);

    assertThat(outcome.divergence()).isNull();
    assertThat(outcome.lacking()).isEqualTo("event 2 of other");
  }

  /** Polls the serial port, and writes what comes to port 0x600. */
  private static MachineConfig.Builder echoing() {
    byte[] code = HexFormat.of().parseHex("bafd03eca80174fbbaf803ecba0006eeebee");
    return MachineConfig.builder(
            new SoftHypervisor(),
            new FlatLoader("echo", code, 0x1000, 0x1000, FlatLoader.Mode.REAL, ""))
        .timeout(Duration.ofMinutes(2));
  }

  @Test
  void theConsolePlaysAtItsPace() throws TraceException, IOException, InterruptedException {
    TraceReader trace = record(config(Guests.HELLO));
    List<Long> pauses = new ArrayList<>();
    ByteArrayOutputStream out = new ByteArrayOutputStream();

    long bytes = new ConsolePlayer(1, Duration.ofNanos(7), pauses::add).play(trace, out);

    assertThat(out.toString(StandardCharsets.UTF_8)).startsWith("Hello, world!");
    assertThat(bytes).isEqualTo(out.size());
    assertThat(pauses).isNotEmpty().allMatch(pause -> pause <= 7);
  }

  private static List<Long> portWrites(TraceReader trace) {
    List<Long> sequences = new ArrayList<>();
    trace.stream(0)
        .forEach(
            event -> {
              if (event.type() == EventType.PIO) {
                sequences.add(event.sequence());
              }
            });
    return sequences;
  }

  /** Copies a trace event by event, with one change or without one event of vCPU 0. */
  private TraceReader rewrite(
      TraceReader trace, BiConsumer<EventReader, EventWriter> change, long without)
      throws TraceException {
    Path directory = folder.resolve("changed");
    try (TraceWriter copy = TraceWriter.create(directory, false, HEADER)) {
      copy(
          trace,
          copy,
          (event, sink) -> {
            if (event.vcpu() == EventReader.NO_VCPU || event.sequence() != without) {
              EventWriter writer = sink.claim(event.type());
              copy(event, writer);
              change.accept(event, writer);
              sink.commit();
            }
          });
      copy.finish(trace.end().orElseThrow().how(), 0, "");
    }
    return TraceReader.open(directory);
  }

  /** Copies a trace without the events of a stream from one on, or without that one. */
  private TraceReader without(TraceReader trace, int stream, long from, Lack lack)
      throws TraceException {
    Path directory = folder.resolve("incomplete");
    try (TraceWriter copy = TraceWriter.create(directory, false, HEADER)) {
      copy(
          trace,
          copy,
          (event, sink) -> {
            long past = event.vcpu() == stream ? event.sequence() - from : -1;
            if (past == 0 || past > 0 && lack == Lack.LOST) {
              copy.addLost(sink, 1, LossCause.DISK_FULL);
            } else if (past < 0 || lack == Lack.GAP) {
              copy(event, sink.claim(event.type()));
              sink.commit();
            }
          });
      if (lack != Lack.CUT_OFF) {
        copy.finish(trace.end().orElseThrow().how(), 0, "");
      }
    }
    return TraceReader.open(directory);
  }

  private static void copy(
      TraceReader trace, TraceWriter to, BiConsumer<EventReader, ExitSink> each) {
    for (int stream : trace.streams()) {
      ExitSink sink = stream == EventReader.NO_VCPU ? to.other() : to.vcpu(stream);
      trace.stream(stream).forEach(event -> each.accept(event, sink));
    }
  }

  private static void copy(EventReader event, EventWriter writer) {
    List<Field> fields = new ArrayList<>(EventType.COMMON);
    fields.addAll(event.type().details());
    for (Field field : fields) {
      if (field.wire() == Wire.DERIVED || !event.has(field)) {
        continue;
      }
      if (field.wire() == Wire.BYTES) {
        byte[] bytes = event.getBytes(field);
        writer.putBytes(field, bytes, 0, bytes.length);
      } else {
        writer.put(field, event.get(field));
      }
    }
  }
}
