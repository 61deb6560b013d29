package io.trapscope.recorder.event;

import java.util.List;

/** The schema table as text: what SPECIFICATION and dump's help show. */
public final class EventReference {
  /** Version of the schema: the highest "since" of any type or field. */
  public static final int VERSION = 3;

  private EventReference() {}

  /** The whole table in Markdown. */
  public static String markdown() {
    StringBuilder out = new StringBuilder();
    out.append("Schema version ").append(VERSION).append(".\n\n## Every event\n\n");
    fields(out, EventLayout.of(EventType.PIO), EventType.COMMON);
    for (EventType type : EventType.values()) {
      out.append(String.format("%n## %d %s: %s%n%n", type.id(), type.name(), type.title()));
      out.append(type.meaning()).append("\n\n");
      fields(out, EventLayout.of(type), type.details());
    }
    return out.toString().replace(System.lineSeparator(), "\n");
  }

  private static void fields(StringBuilder out, EventLayout layout, List<Field> fields) {
    out.append("| id | name | wire | offset | presence bit | unit | since | meaning |\n");
    out.append("|---|---|---|---|---|---|---|---|\n");
    for (Field field : fields) {
      out.append(
          String.format(
              "| %d | `%s` | %s | %s | %s | %s | %d | %s |%n",
              field.id(),
              field.column(),
              field.wire(),
              offset(layout, field),
              layout.presenceBit(field) < 0 ? "" : layout.presenceBit(field),
              field.kind().unit(),
              field.since(),
              field.meaning()));
    }
  }

  private static String offset(EventLayout layout, Field field) {
    if (layout.offset(field) < 0) {
      return "";
    }
    return layout.offset(field) + (layout.shift(field) == 0 ? "" : " (high half)");
  }
}
