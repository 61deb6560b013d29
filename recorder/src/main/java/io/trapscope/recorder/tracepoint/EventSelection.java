package io.trapscope.recorder.tracepoint;

import io.trapscope.recorder.event.EventType;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What is recorded: types of events, and the tracepoints that are read. Made of the words of {@code
 * --events} and {@code --exclude}: a type of event ({@code pio}), a group of KVM's tracepoints
 * ({@code exits}), one of them ({@code kvm_pio}), or any other tracepoint ({@code kvm:kvm_fpu}),
 * which is recorded as text. What belongs to no exit and no tracepoint (the console, the end, gaps)
 * is always recorded.
 *
 * @param types of events
 * @param tracepoints that become events
 * @param others {@code SYSTEM:NAME} of tracepoints that are recorded as text
 */
public record EventSelection(
    Set<EventType> types, Set<KvmTracepoint> tracepoints, Set<String> others) {

  private static final Set<EventType> ALWAYS =
      EnumSet.of(
          EventType.END,
          EventType.CONSOLE_OUTPUT,
          EventType.CONSOLE_INPUT,
          EventType.INPUT,
          EventType.MARK,
          EventType.GAP,
          EventType.TRANSLATION,
          EventType.STACK);

  /** Without these no other one of an exit can be placed. */
  private static final Set<KvmTracepoint> FRAME =
      EnumSet.of(KvmTracepoint.EXIT, KvmTracepoint.ENTRY, KvmTracepoint.USERSPACE_EXIT);

  /** Everything but each interpreted instruction. */
  public static final EventSelection DEFAULT =
      new EventSelection(EnumSet.allOf(EventType.class), KvmTracepoint.DEFAULT, Set.of());

  /** Copies the sets. */
  public EventSelection {
    Set<EventType> copy = EnumSet.copyOf(ALWAYS);
    copy.addAll(types);
    types = Collections.unmodifiableSet(copy);
    Set<KvmTracepoint> points = EnumSet.noneOf(KvmTracepoint.class);
    points.addAll(tracepoints);
    tracepoints = Collections.unmodifiableSet(points);
    others = Collections.unmodifiableSet(new LinkedHashSet<>(others));
  }

  /**
   * The selection of these words.
   *
   * @param events what to record; empty for {@link #DEFAULT}
   * @param exclude what to leave out of that
   * @throws IllegalArgumentException with a line for the user, where a word means nothing
   */
  public static EventSelection of(List<String> events, List<String> exclude) {
    Set<EventType> types = EnumSet.noneOf(EventType.class);
    Set<KvmTracepoint> tracepoints = EnumSet.noneOf(KvmTracepoint.class);
    Set<String> others = new LinkedHashSet<>();
    if (events.isEmpty()) {
      types.addAll(DEFAULT.types);
      tracepoints.addAll(DEFAULT.tracepoints);
    }
    for (String word : events) {
      Meaning meaning = Meaning.of(word);
      types.addAll(meaning.types);
      tracepoints.addAll(meaning.tracepoints);
      if (meaning.types.stream().anyMatch(EventType::isExit)) {
        tracepoints.addAll(FRAME);
      }
      others.addAll(meaning.others);
    }
    for (String word : exclude) {
      Meaning meaning = Meaning.of(word);
      if (!meaning.one) {
        types.removeAll(meaning.types);
      }
      tracepoints.removeIf(
          point -> meaning.tracepoints.contains(point) && (meaning.one || !isFrame(point, types)));
      others.removeAll(meaning.others);
    }
    return new EventSelection(types, tracepoints, others);
  }

  /** Whether the tracepoint is still needed for exits that remain. */
  private static boolean isFrame(KvmTracepoint point, Set<EventType> types) {
    return FRAME.contains(point) && types.stream().anyMatch(EventType::isExit);
  }

  /** Whether everything is recorded that is unless somebody says otherwise. */
  public boolean isDefault() {
    return equals(DEFAULT);
  }

  /** Whether no tracepoint is read. */
  public boolean hasNoTracepoints() {
    return tracepoints.isEmpty() && others.isEmpty();
  }

  /** Every word there is, for help: types, groups; any tracepoint's name is one, too. */
  public static List<String> words() {
    Set<String> words = new LinkedHashSet<>();
    for (KvmTracepoint.Group group : KvmTracepoint.Group.values()) {
      words.add(group.title());
    }
    for (EventType type : EventType.values()) {
      if (!ALWAYS.contains(type)) {
        words.add(word(type));
      }
    }
    return List.copyOf(words);
  }

  /** The word for a type of event. */
  public static String word(EventType type) {
    return type.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /**
   * What one word stands for.
   *
   * @param one whether it names one tracepoint, and means no more than that when it is excluded
   */
  private record Meaning(
      Set<EventType> types, Set<KvmTracepoint> tracepoints, Set<String> others, boolean one) {

    static Meaning of(String word) {
      String plain = word.strip().toLowerCase(Locale.ROOT);
      for (KvmTracepoint.Group group : KvmTracepoint.Group.values()) {
        if (group.title().equals(plain)) {
          return of(group);
        }
      }
      for (EventType type : EventType.values()) {
        if (word(type).equals(plain.replace('_', '-')) && !ALWAYS.contains(type)) {
          return of(type);
        }
      }
      KvmTracepoint point = KvmTracepoint.named(plain);
      if (point != null) {
        Set<EventType> yields = point == KvmTracepoint.EXIT ? exits() : point.yields();
        return new Meaning(yields, EnumSet.of(point), Set.of(), true);
      }
      if (plain.matches("[a-z0-9_]+:[a-z0-9_]+")) {
        return text(plain);
      }
      if (plain.startsWith("kvm_")) {
        return text("kvm:" + plain);
      }
      throw new IllegalArgumentException(
          "no event is called '"
              + word
              + "'; there are "
              + String.join(", ", words())
              + ", and the names of tracepoints (kvm_pio, kvm:kvm_fpu)");
    }

    private static Meaning of(KvmTracepoint.Group group) {
      Set<EventType> types = EnumSet.noneOf(EventType.class);
      Set<KvmTracepoint> points = EnumSet.noneOf(KvmTracepoint.class);
      for (KvmTracepoint point : KvmTracepoint.values()) {
        if (point.group() == group) {
          points.add(point);
          types.addAll(point.yields());
        }
      }
      if (group == KvmTracepoint.Group.EXITS) {
        types.addAll(exits());
      }
      return new Meaning(types, points, Set.of(), false);
    }

    private static Meaning of(EventType type) {
      Set<KvmTracepoint> points =
          Arrays.stream(KvmTracepoint.values())
              .filter(point -> point.yields().contains(type))
              .collect(Collectors.toCollection(() -> EnumSet.noneOf(KvmTracepoint.class)));
      return new Meaning(EnumSet.of(type), points, Set.of(), false);
    }

    private static Meaning text(String name) {
      return new Meaning(EnumSet.of(EventType.TRACEPOINT), Set.of(), Set.of(name), true);
    }

    private static Set<EventType> exits() {
      return Arrays.stream(EventType.values())
          .filter(EventType::isExit)
          .collect(Collectors.toCollection(() -> EnumSet.noneOf(EventType.class)));
    }
  }
}
