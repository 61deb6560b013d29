package io.trapscope.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;

/** Writes one JSON value to the command's output. */
final class Json {

  /** Writes the value's parts. */
  @FunctionalInterface
  interface Body {
    void write(JsonGenerator json) throws IOException;
  }

  private Json() {}

  /** Writes an indented value and a line end. */
  static void print(PrintWriter out, Body body) {
    write(out, body, true);
  }

  /** Writes a value on one line. */
  static void line(PrintWriter out, Body body) {
    write(out, body, false);
  }

  private static void write(PrintWriter out, Body body, boolean indented) {
    JsonFactory factory = new JsonFactory();
    factory.disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET);
    factory.disable(JsonGenerator.Feature.FLUSH_PASSED_TO_STREAM);
    try (JsonGenerator json = factory.createGenerator(out)) {
      if (indented) {
        json.setPrettyPrinter(new DefaultPrettyPrinter());
      }
      body.write(json);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    out.println();
  }
}
