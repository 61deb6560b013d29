package io.trapscope.analyzer.html;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.trapscope.analyzer.table.PartFile;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Puts a page's data, script, style and the chart library into one file that needs no other. */
public final class HtmlPage {
  private static final String UPLOT = "/META-INF/resources/webjars/uplot/1.6.30/";

  private HtmlPage() {}

  /** What goes into a page. */
  public interface Content {
    /** Writes one JSON object. */
    void write(JsonGenerator json) throws IOException;
  }

  /**
   * Writes {@code target}; it appears complete or not at all.
   *
   * @param title the document's
   * @param script the resource that makes this kind of page, after {@code page.js}
   * @throws IOException with one line that names the file, where it cannot be written
   */
  public static void write(Path target, String title, String script, Content content)
      throws IOException {
    StringWriter data = new StringWriter();
    try (JsonGenerator json = new JsonFactory().createGenerator(data)) {
      content.write(json);
    }
    String library = resource(UPLOT + "dist/uPlot.iife.min.js");
    String page =
        resource("page.html")
            .replace("@TITLE@", escape(title))
            .replace("/*@STYLE@*/", resource(UPLOT + "dist/uPlot.min.css") + resource("page.css"))
            .replace("/*@LIBRARY@*/", "/*\n" + resource(UPLOT + "LICENSE") + "*/\n" + library)
            .replace("/*@SCRIPT@*/", resource("page.js") + resource(script))
            // Last, because the data may hold anything; a "<" in it must not end the element.
            .replace("/*@DATA@*/", data.toString().replace("<", "\\u003c"));
    try (PartFile file = new PartFile(target)) {
      file.write(ByteBuffer.wrap(page.getBytes(StandardCharsets.UTF_8)));
      file.commit();
    }
  }

  private static String escape(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }

  private static String resource(String name) throws IOException {
    try (InputStream in = HtmlPage.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new IOException("the page's part " + name + " is not in the jar");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }
}
