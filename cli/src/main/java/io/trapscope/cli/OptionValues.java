package io.trapscope.cli;

import io.trapscope.analyzer.folded.FoldedStacks;
import io.trapscope.analyzer.pipeline.TableFormat;
import io.trapscope.recorder.event.EventType;
import io.trapscope.vmm.boot.FlatLoader;
import io.trapscope.vmm.boot.KernelEntry;
import io.trapscope.vmm.device.ConsoleFilter;
import io.trapscope.vmm.hypervisor.IrqChip;
import io.trapscope.vmm.hypervisor.MemoryOptions;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/**
 * The words for an option whose values are the constants of an enum. An option names its class
 * twice, as converter and as completion candidates: so parsing, help, the completion script and the
 * error line have the same list. Words are taken in any case.
 */
abstract class OptionValues<E extends Enum<E>> implements ITypeConverter<E>, Iterable<String> {
  private final Map<String, E> values = new LinkedHashMap<>();

  /** Words that are the constants' names in small letters. */
  OptionValues(Class<E> type) {
    this(type, OptionValues::word);
  }

  OptionValues(Class<E> type, Function<E, String> word) {
    Arrays.stream(type.getEnumConstants())
        .forEach(constant -> values.put(word.apply(constant), constant));
  }

  /** A file or folder. An empty name would be the current folder: a variable that was not set. */
  static Path path(String name) {
    if (name.isEmpty()) {
      throw new TypeConversionException("'' names no file or folder");
    }
    try {
      return Path.of(name);
    } catch (InvalidPathException e) {
      throw new TypeConversionException("'" + name + "' can be no file: " + e.getReason());
    }
  }

  /** A constant's name as users write it. */
  static String word(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT);
  }

  @Override
  public final E convert(String text) {
    for (Map.Entry<String, E> value : values.entrySet()) {
      if (value.getKey().equalsIgnoreCase(text)) {
        return value.getValue();
      }
    }
    throw new TypeConversionException(
        "'" + text + "' is none of " + String.join(", ", values.keySet()));
  }

  @Override
  public final Iterator<String> iterator() {
    return Collections.unmodifiableSet(values.keySet()).iterator();
  }

  static final class Accels extends OptionValues<Accel> {
    Accels() {
      super(Accel.class);
    }
  }

  static final class KernelEvents extends OptionValues<io.trapscope.cli.KernelEvents.Wanted> {
    KernelEvents() {
      super(io.trapscope.cli.KernelEvents.Wanted.class);
    }
  }

  static final class ConsoleFilters extends OptionValues<ConsoleFilter> {
    ConsoleFilters() {
      super(ConsoleFilter.class);
    }
  }

  static final class KernelEntries extends OptionValues<KernelEntry> {
    KernelEntries() {
      super(KernelEntry.class, KernelEntry::title);
    }
  }

  static final class Modes extends OptionValues<FlatLoader.Mode> {
    Modes() {
      super(FlatLoader.Mode.class);
    }
  }

  static final class Faults extends OptionValues<KvmOptions.Faults> {
    Faults() {
      super(KvmOptions.Faults.class);
    }
  }

  static final class Dirty extends OptionValues<MemoryOptions.Dirty> {
    Dirty() {
      super(MemoryOptions.Dirty.class);
    }
  }

  static final class Pages extends OptionValues<MemoryOptions.Pages> {
    Pages() {
      super(MemoryOptions.Pages.class, Pages::size);
    }

    private static String size(MemoryOptions.Pages pages) {
      return switch (pages) {
        case DEFAULT, TRANSPARENT -> word(pages);
        case HUGE_2M -> "2M";
        case HUGE_1G -> "1G";
      };
    }
  }

  static final class IrqChips extends OptionValues<IrqChip> {
    IrqChips() {
      super(IrqChip.class);
    }
  }

  static final class EventTypes extends OptionValues<EventType> {
    EventTypes() {
      super(EventType.class);
    }
  }

  static final class Formats extends OptionValues<TableFormat> {
    Formats() {
      super(TableFormat.class);
    }
  }

  static final class Weights extends OptionValues<FoldedStacks.Weight> {
    Weights() {
      super(FoldedStacks.Weight.class);
    }
  }
}
