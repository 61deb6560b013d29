package io.trapscope.recorder.trace;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The parts of one queue file. */
final class QueueParts implements StreamParts {
  private final TraceEnd.StreamEnd recorded;
  private final List<StreamCursor> cursors = new ArrayList<>();
  private final List<Long> sizes = new ArrayList<>();

  /**
   * Cuts a queue file.
   *
   * @param file null where the stream is missing: one part, which says so
   * @param bytes least bytes of a part, but for the last
   */
  QueueParts(Path file, int vcpu, TraceEnd.StreamEnd recorded, boolean unclean, long bytes) {
    this.recorded = recorded;
    List<Long> borders = borders(file, vcpu, Math.max(1, bytes));
    for (int i = 0; i + 1 < borders.size(); i++) {
      long from = borders.get(i);
      long to = borders.get(i + 1);
      boolean last = i + 2 == borders.size();
      cursors.add(new StreamCursor(file, vcpu, null, unclean, from, last ? Long.MAX_VALUE : to));
      sizes.add(Math.max(1, to - from));
    }
  }

  /** Where each part begins, and the end of the file. */
  private static List<Long> borders(Path file, int vcpu, long bytes) {
    List<Long> borders = new ArrayList<>();
    borders.add(0L);
    long size = 0;
    try {
      size = file == null ? 0 : Files.size(file);
      StreamCursor search = new StreamCursor(file, vcpu, null, false);
      long place = bytes;
      while (place < size - bytes / 2) {
        long border = search.borderAfter(place);
        if (border >= 0) {
          borders.add(border);
        }
        place = border < 0 ? place + Math.max(bytes, StreamCursor.SEARCH_BYTES) : border + bytes;
      }
    } catch (IOException | InternalError e) {
      // The file cannot be read: the cursor of its one part says so.
      borders.subList(1, borders.size()).clear();
    }
    borders.add(size);
    return borders;
  }

  /**
   * Where a cursor has to begin to see what happened at {@code time} and after it: the document of
   * a batch that begins no later, not far from it, or 0.
   */
  static long borderBefore(Path file, int vcpu, long time) {
    long low = 0;
    try {
      long high = file == null ? 0 : Files.size(file);
      StreamCursor search = new StreamCursor(file, vcpu, null, false);
      while (high - low > StreamCursor.SEARCH_BYTES) {
        long middle = (low + high) >>> 1;
        long border = search.borderAfter(middle);
        if (border < 0 || border >= high || search.baseTimeAt(border) > time) {
          high = middle;
        } else {
          low = border;
        }
      }
    } catch (IOException | InternalError e) {
      // Whoever reads from the beginning meets it too, and says so.
      return 0;
    }
    return low;
  }

  /** What the last batches of a queue file show, and their numbers beside the footer's account. */
  static Anomalies atEnd(Path file, int vcpu, TraceEnd.StreamEnd recorded, boolean unclean) {
    long from = borderBefore(file, vcpu, Long.MAX_VALUE);
    StreamCursor last = new StreamCursor(file, vcpu, null, unclean, from, Long.MAX_VALUE);
    while (last.next()) {
      // Its numbers are all that is wanted.
    }
    if (recorded != null) {
      // Events that were lost may have left holes in the numbers.
      boolean tooMany = last.sequence() > recorded.events() + recorded.lost();
      long records = tooMany ? last.sequence() : Math.min(last.sequence(), recorded.events());
      recorded.compare(records, last.anomalies());
    }
    return last.anomalies();
  }

  @Override
  public int size() {
    return cursors.size();
  }

  @Override
  public long bytes(int part) {
    return sizes.get(part);
  }

  @Override
  public BlockCursor cursor(int part) {
    return cursors.get(part);
  }

  @Override
  public Optional<Anomalies> anomalies() {
    Anomalies all = new Anomalies();
    long records = 0;
    for (int i = 0; i < cursors.size(); i++) {
      StreamCursor cursor = cursors.get(i);
      if (i > 0 && !cursor.follows(cursors.get(i - 1))) {
        return Optional.empty();
      }
      all.addAll(cursor.anomalies());
      records += cursor.records();
    }
    if (recorded != null) {
      recorded.compare(records, all);
    }
    return Optional.of(all);
  }
}
