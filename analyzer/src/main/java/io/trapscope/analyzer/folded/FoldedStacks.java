package io.trapscope.analyzer.folded;

import io.trapscope.analyzer.folded.StackSums.Stack;
import io.trapscope.analyzer.symbols.SymbolTable;
import io.trapscope.analyzer.table.PartFile;
import io.trapscope.analyzer.tally.Stage;
import io.trapscope.recorder.event.EventReader;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.EventWriter;
import io.trapscope.recorder.event.ExitReason;
import io.trapscope.recorder.event.Field;
import io.trapscope.recorder.trace.EventCursor;
import io.trapscope.recorder.trace.TraceReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * The call stacks of a trace, folded: a line a stack, outermost function first, then the exit's
 * reason, a blank, and the weight. Flame-graph programs read it: flamegraph.pl, inferno,
 * speedscope.
 *
 * <pre>
 * start_kernel;console_init;serial8250_console_write;io_serial_out;IO_INSTRUCTION 17316
 * </pre>
 */
public final class FoldedStacks {
  /** What a stack weighs. */
  public enum Weight {
    /** Exits. */
    COUNT,
    /** Guest time before them, ns. */
    GUEST_NS,
    /** Time of handling them, ns. */
    HANDLING_NS
  }

  /**
   * What was written.
   *
   * @param stacks exits whose stack was recorded
   * @param withCallers those among them with a caller, as far as symbols tell what is code
   * @param depth addresses kept of a stack, where there were too many different ones; else 0
   */
  public record Written(long stacks, long withCallers, int depth) {
    /** One sentence for people. */
    public String describe() {
      String text =
          String.format(
              Locale.ROOT, "%,d exits with a stack, %,d of them with callers", stacks, withCallers);
      if (withCallers < stacks / SELDOM) {
        text += ": this guest's code keeps no frame pointers";
      }
      return depth == 0 ? text : text + "; of each stack the innermost " + depth + " are kept";
    }
  }

  /** When an exit was, and the time of handling it, ns. */
  private record Times(long time, long handling) {}

  /** Fewer callers than one in so many exits come by chance, from what is no frame pointer. */
  private static final int SELDOM = 20;

  private final SymbolTable symbols;
  private final Weight weight;
  private final StackSums sums = new StackSums();
  private final byte[] data = new byte[EventWriter.MAX_DATA];
  private final ByteBuffer words = ByteBuffer.wrap(data).order(ByteOrder.LITTLE_ENDIAN);

  /** By vCPU, its last exit. */
  private final Map<Integer, Times> before = new HashMap<>();

  private long stacks;
  private long withCallers;

  private FoldedStacks(SymbolTable symbols, Weight weight) {
    this.symbols = symbols;
    this.weight = weight;
  }

  /**
   * Writes {@code target}; it appears complete or not at all.
   *
   * @param symbols names of guest addresses, where the guest runs them
   * @throws IOException with one line that names the file, where it cannot be written
   */
  public static Written write(TraceReader trace, SymbolTable symbols, Weight weight, Path target)
      throws IOException {
    FoldedStacks folded = new FoldedStacks(symbols, weight);
    EventCursor cursor = trace.merged();
    while (cursor.next()) {
      EventReader event = cursor.event();
      if (event.type() == EventType.STACK) {
        folded.add(event);
      } else if (event.isExit() && weight == Weight.HANDLING_NS) {
        folded.before.put(event.vcpu(), new Times(event.time(), Stage.handling(event)));
      }
    }
    try (PartFile file = new PartFile(target)) {
      file.write(ByteBuffer.wrap(folded.text().getBytes(StandardCharsets.UTF_8)));
      file.commit();
    }
    int depth = folded.sums.depth();
    return new Written(folded.stacks, folded.withCallers, depth == Integer.MAX_VALUE ? 0 : depth);
  }

  private void add(EventReader event) {
    int callers = event.has(Field.DATA) ? event.getBytes(Field.DATA, data, 0) / Long.BYTES : 0;
    boolean placed = event.has(Field.RIP);
    long[] addresses = new long[(placed ? 1 : 0) + callers];
    if (placed) {
      addresses[0] = event.get(Field.RIP);
    }
    for (int i = 0; i < callers; i++) {
      addresses[addresses.length - callers + i] = words.getLong(Long.BYTES * i);
    }
    boolean user =
        event.has(Field.CPL) ? event.get(Field.CPL) == 3 : placed && event.get(Field.RIP) >= 0;
    stacks++;
    int reason = (int) event.get(Field.DETAIL, ExitReason.UNKNOWN.code());
    sums.add(new Stack(reason, user, addresses), weight(event));
  }

  private long weight(EventReader event) {
    return switch (weight) {
      case COUNT -> 1;
      case GUEST_NS -> Stage.GUEST.nanos(event);
      case HANDLING_NS -> handling(event);
    };
  }

  /** A stack does not repeat the kernel's stages of the exit before it, which may be missing. */
  private long handling(EventReader stack) {
    Times exit = before.get(stack.vcpu());
    boolean there = exit != null && exit.time == stack.time();
    return there ? exit.handling : Stage.handling(stack);
  }

  private String text() {
    Map<String, Long> lines = new TreeMap<>();
    sums.forEach(
        (stack, sum) -> {
          List<String> frames = frames(stack);
          withCallers += frames.size() > 1 ? sum.exits() : 0;
          frames.add(ExitReason.of(stack.reason()).name());
          lines.merge(String.join(";", frames), sum.weight(), Long::sum);
        });
    StringBuilder text = new StringBuilder();
    lines.forEach((line, sum) -> text.append(line).append(' ').append(sum).append('\n'));
    return text.toString();
  }

  /** Names of the functions, outermost first. */
  private List<String> frames(Stack stack) {
    List<String> frames = new ArrayList<>();
    long[] addresses = stack.addresses();
    for (int i = 0; i < addresses.length; i++) {
      // A return address may lie behind the caller's last instruction: its call is before it.
      // Behind the kernel's frames may come those of the program that called it.
      boolean user = stack.user() || addresses[0] < 0 && addresses[i] >= 0;
      int index = symbols.indexOf(i == 0 ? addresses[i] : addresses[i] - 1, user);
      if (index < 0 && i > 0 && addresses[i] < 0 && symbols.size() > 0) {
        break; // no code of the kernel: what was taken for frames has ended before
      }
      frames.add(index < 0 ? "0x" + Long.toHexString(addresses[i]) : symbols.name(index));
    }
    Collections.reverse(frames);
    return frames;
  }
}
