package io.trapscope.cli;

import io.trapscope.recorder.tracepoint.EventSelection;
import io.trapscope.vmm.perf.TracepointRing;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** The options that say which events are recorded. */
final class EventOptions {
  private static final long MOST_BUFFER = 1L << 30;

  @Option(
      names = "--events",
      paramLabel = "NAME",
      split = ",",
      description =
          "Record only these: a type (pio, msr), a group of KVM's tracepoints (exits, interrupts,"
              + " halt, mmu, emulation), or a tracepoint (kvm_pio, kvm:kvm_fpu); may be repeated.")
  private List<String> events = new ArrayList<>();

  @Option(
      names = "--exclude",
      paramLabel = "NAME",
      split = ",",
      description = "Leave these out; names as for --events.")
  private List<String> exclude = new ArrayList<>();

  @Option(
      names = "--kernel-buffer",
      paramLabel = "SIZE",
      converter = Quantities.SizeConverter.class,
      description =
          "Ring buffer for the kernel's records, of each vCPU or, to attach, each CPU (default:"
              + " 8M); when records are lost, a larger one helps.")
  private long buffer = TracepointRing.DEFAULT_BYTES;

  /**
   * What the options select.
   *
   * @throws UserError where a name means nothing
   */
  EventSelection selection() {
    try {
      return EventSelection.of(events, exclude);
    } catch (IllegalArgumentException e) {
      throw UserError.badInput(e.getMessage(), e);
    }
  }

  /** Bytes of each ring buffer. */
  int buffer() {
    if (buffer > MOST_BUFFER) {
      throw UserError.badInput("--kernel-buffer: 1G at most");
    }
    return (int) buffer;
  }
}
