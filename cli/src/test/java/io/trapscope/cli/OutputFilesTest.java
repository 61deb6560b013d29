package io.trapscope.cli;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OutputFilesTest {
  @TempDir Path directory;

  @Test
  void whatATraceConsistsOfIsNoPlaceForOutput() throws IOException {
    Path trace = Files.createDirectories(directory.resolve("a/trace"));
    Path link = Files.createSymbolicLink(directory.resolve("link"), trace);
    for (String part : new String[] {"trace.json", "end.json", "vcpu-0", "other/x", "files/k"}) {
      for (Path named : new Path[] {trace, link, directory.resolve("a/../link")}) {
        assertThatThrownBy(() -> OutputFiles.checkSpared(trace, named.resolve(part)))
            .as("%s in %s", part, named)
            .isInstanceOf(UserError.class)
            .hasMessage("cannot write " + named.resolve(part) + ": it is a part of the trace");
      }
    }
  }

  @Test
  void besideItEverythingGoes() throws IOException {
    Path trace = Files.createDirectories(directory.resolve("trace"));
    for (Path output :
        new Path[] {
          null,
          trace,
          trace.resolve("analysis"),
          trace.resolve("page.html"),
          directory.resolve("trace.json"),
          directory.resolve("absent/vcpu-0"),
          Path.of("vcpu-0")
        }) {
      assertThatCode(() -> OutputFiles.checkSpared(trace, output)).doesNotThrowAnyException();
    }
  }
}
