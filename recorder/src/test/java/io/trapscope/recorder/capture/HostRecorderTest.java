package io.trapscope.recorder.capture;

import static org.assertj.core.api.Assertions.assertThat;

import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.event.RunEnd;
import io.trapscope.recorder.trace.EventCursor;
import io.trapscope.recorder.trace.TraceHeader;
import io.trapscope.recorder.trace.TraceHeader.VcpuThread;
import io.trapscope.recorder.trace.TraceReader;
import io.trapscope.recorder.trace.TraceWriter;
import io.trapscope.recorder.tracepoint.KvmTracepoint;
import io.trapscope.recorder.tracepoint.Tracepoint;
import io.trapscope.recorder.tracepoint.TracepointFormat;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Threads of several VMMs, each vCPU in a stream of its own. */
class HostRecorderTest {
  private static final Tracepoint ENTRY =
      tracepoint(KvmTracepoint.ENTRY, "unsigned int vcpu_id", 8);
  private static final Tracepoint EXIT =
      tracepoint(KvmTracepoint.EXIT, "unsigned int exit_reason", 8);
  private static final Tracepoint IRQ = tracepoint(KvmTracepoint.SET_IRQ, "unsigned int gsi", 8);
  private static final Tracepoint EOI = tracepoint(KvmTracepoint.EOI, "unsigned int vector", 8);
  private static final int HLT = 12;

  @TempDir private Path folder;

  private static Tracepoint tracepoint(KvmTracepoint kind, String field, int at) {
    return new Tracepoint(
        kind,
        TracepointFormat.parse(
            "name: "
                + kind.title()
                + "\nID: 7\n\tfield:"
                + field
                + ";\toffset:"
                + at
                + ";\tsize:4;\tsigned:0;\n"));
  }

  private static final Processes HOST =
      new Processes() {
        @Override
        public boolean isWanted(int pid) {
          return pid != 666 && pid != 777;
        }

        @Override
        public boolean isUnknown(int pid) {
          return pid == 777;
        }

        @Override
        public String process(int pid) {
          return pid == 100 ? "qemu-system-x86" : "firecracker";
        }

        @Override
        public String thread(int pid, int tid) {
          return switch (pid) {
            case 100 -> "qemu-system-x86";
            case 300 -> "vcpu99999999999"; // as long as a name may be
            default -> "fc_vcpu " + (tid - 200);
          };
        }
      };

  private static void record(
      HostRecorder recorder, Tracepoint tracepoint, int value, long nanos, int pid, int tid) {
    ByteBuffer raw = ByteBuffer.allocate(16).order(ByteOrder.LITTLE_ENDIAN).putInt(8, value);
    recorder.record(tracepoint, raw, 0, 16, nanos, pid, tid);
  }

  private interface Script {
    void play(HostRecorder recorder);
  }

  private TraceReader record(EnumSet<EventType> types, Script script) throws Exception {
    TraceHeader header = TraceHeader.builder().cpus(0).build();
    try (TraceWriter trace = TraceWriter.create(folder.resolve("trace"), false, header)) {
      HostRecorder recorder = new HostRecorder(trace, header, HOST, types);
      script.play(recorder);
      recorder.finish();
      assertThat(recorder.failure()).isEmpty();
      trace.finish(RunEnd.DETACHED, 0, "", recorder.counters());
    }
    return TraceReader.open(folder.resolve("trace"));
  }

  private static List<String> events(TraceReader trace) {
    List<String> lines = new ArrayList<>();
    EventCursor cursor = trace.merged();
    while (cursor.next()) {
      lines.add(
          (cursor.event().has(Field.VCPU) ? "vcpu-" + cursor.event().vcpu() : "other")
              + " "
              + cursor.event().type()
              + "@"
              + cursor.event().time());
    }
    return lines;
  }

  @Test
  void eachVcpuGetsAStreamAndTheHeaderSaysWhoseItIs() throws Exception {
    TraceReader trace =
        record(
            EnumSet.allOf(EventType.class),
            recorder -> {
              record(recorder, IRQ, 4, 10, 100, 100); // QEMU's main thread
              record(recorder, ENTRY, 1, 20, 100, 102); // its vCPU 1
              record(recorder, EXIT, HLT, 30, 666, 667); // somebody else's
              record(recorder, EXIT, HLT, 40, 200, 203);
              record(recorder, ENTRY, 0, 50, 100, 101);
              record(recorder, EXIT, HLT, 60, 100, 102);
              record(recorder, EXIT, HLT, 70, 100, 101);
              record(recorder, IRQ, 4, 80, 100, 100);
            });
    assertThat(trace.header().cpus()).isEqualTo(3);
    assertThat(trace.header().threads())
        .containsExactly(
            // KVM's own number where its records tell it; the name's otherwise.
            new VcpuThread(0, 1, 100, "qemu-system-x86", 102, "qemu-system-x86"),
            new VcpuThread(1, 3, 200, "firecracker", 203, "fc_vcpu 3"),
            new VcpuThread(2, 0, 100, "qemu-system-x86", 101, "qemu-system-x86"));
    assertThat(events(trace))
        .containsExactly(
            "other IRQ_LINE@10",
            "vcpu-1 HLT@40",
            "vcpu-0 HLT@60",
            "vcpu-2 HLT@70",
            "other IRQ_LINE@80");
    assertThat(trace.end().orElseThrow().counters())
        .extracting(counter -> counter.of() + " " + counter.name() + " " + counter.total())
        .containsExactly(
            "tracepoint-selected kvm_set_irq 2",
            "tracepoint-selected kvm_entry 2",
            "tracepoint-selected kvm_exit 3");
  }

  @Test
  void aVcpuIsKnownByWhatOnlyItDoesOrByItsName() throws Exception {
    TraceReader trace =
        record(
            EnumSet.allOf(EventType.class),
            recorder -> {
              record(recorder, IRQ, 4, 10, 100, 100); // QEMU's main thread
              record(recorder, EOI, 4, 20, 100, 101); // acknowledged by a vCPU of no name
              record(recorder, IRQ, 4, 30, 100, 101);
              record(recorder, IRQ, 4, 40, 200, 203); // fc_vcpu 3
            });
    assertThat(events(trace))
        .containsExactly(
            "other IRQ_LINE@10", "vcpu-0 EOI@20", "vcpu-0 IRQ_LINE@30", "vcpu-1 IRQ_LINE@40");
    assertThat(trace.header().threads())
        .containsExactly(
            new VcpuThread(0, 0, 100, "qemu-system-x86", 101, "qemu-system-x86"),
            new VcpuThread(1, 3, 200, "firecracker", 203, "fc_vcpu 3"));
  }

  @Test
  void vcpusWithoutNumberAreNumberedInTheOrderOfTheirThreads() throws Exception {
    TraceReader trace =
        record(
            EnumSet.allOf(EventType.class),
            recorder -> {
              record(recorder, EXIT, HLT, 10, 100, 103);
              record(recorder, EXIT, HLT, 20, 100, 102);
              record(recorder, EXIT, HLT, 30, 300, 301); // a name that ends in no number
            });
    assertThat(trace.header().threads())
        .extracting(each -> each.stream() + " " + each.vcpu() + " " + each.tid())
        .containsExactly("0 1 103", "1 0 102", "2 0 301");
  }

  @Test
  void recordsOfVcpusThatCannotBeToldAreCountedAndNotTakenForOthers() throws Exception {
    TraceReader trace =
        record(
            EnumSet.allOf(EventType.class),
            recorder -> {
              record(recorder, IRQ, 4, 10, 0, 0); // of an interrupt on an idle CPU
              record(recorder, EXIT, HLT, 20, 0, 0);
              record(recorder, EXIT, HLT, 30, 200, 203);
              record(recorder, ENTRY, 1, 40, 0, 0);
              record(recorder, EXIT, HLT, 50, 777, 778); // ended before its name was read
              record(recorder, IRQ, 4, 60, 777, 777);
              record(recorder, EXIT, HLT, 70, 666, 667); // somebody else's
              assertThat(recorder.hidden()).isEqualTo(3);
            });
    assertThat(events(trace)).containsExactly("other IRQ_LINE@10", "vcpu-0 HLT@30");
    assertThat(trace.header().threads()).hasSize(1);
  }

  @Test
  void lossEndsWhatIsOpenAndIsCounted() throws Exception {
    TraceReader trace =
        record(
            EnumSet.allOf(EventType.class),
            recorder -> {
              record(recorder, EXIT, HLT, 40, 100, 101);
              recorder.lost(9, 50);
              record(recorder, ENTRY, 0, 60, 100, 101);
              record(recorder, EXIT, HLT, 70, 100, 101);
            });
    assertThat(events(trace)).containsExactly("vcpu-0 HLT@40", "other GAP@50", "vcpu-0 HLT@70");
    assertThat(trace.end().orElseThrow().lost()).isEqualTo(9);
  }

  @Test
  void ofAVcpuThatGetsNoStreamNoExitIsMissing() throws Exception {
    TraceHeader header = TraceHeader.builder().cpus(0).build();
    Path folder = this.folder.resolve("trace");
    try (TraceWriter trace = TraceWriter.create(folder, false, header)) {
      Files.createFile(folder.resolve("vcpu-1"));
      HostRecorder recorder = new HostRecorder(trace, header, HOST, EnumSet.allOf(EventType.class));
      for (int i = 0; i < 3; i++) {
        record(recorder, EXIT, HLT, 10 + i, 100, 101);
        record(recorder, EXIT, HLT, 20 + i, 100, 102);
      }
      recorder.finish();
      assertThat(recorder.failure()).contains("cannot add a vCPU");
      assertThat(recorder.vcpus()).hasSize(1);
      trace.finish(RunEnd.DETACHED, 0, "", recorder.counters());
    }
    assertThat(events(TraceReader.open(folder)))
        .containsExactly(
            "vcpu-0 HLT@10",
            "vcpu-0 HLT@11",
            "vcpu-0 HLT@12",
            "other HLT@20",
            "other HLT@21",
            "other HLT@22");
  }

  @Test
  void whatIsNotSelectedIsNotRecorded() throws Exception {
    TraceReader trace =
        record(
            EnumSet.of(EventType.IRQ_LINE),
            recorder -> {
              record(recorder, EXIT, HLT, 40, 100, 101);
              record(recorder, IRQ, 4, 50, 100, 101);
            });
    assertThat(events(trace)).containsExactly("vcpu-0 IRQ_LINE@50");
  }

  @Test
  void aTimeThatRunsBackwardsIsHeld() throws Exception {
    TraceReader trace =
        record(
            EnumSet.allOf(EventType.class),
            recorder -> {
              record(recorder, EXIT, HLT, 40, 100, 101);
              record(recorder, EXIT, HLT, 39, 100, 101);
            });
    assertThat(events(trace)).containsExactly("vcpu-0 HLT@40", "vcpu-0 HLT@40");
  }
}
