package io.trapscope.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class StandardOutputTest {

  @Test
  void aReaderThatWentAwayClosesQuietly() {
    PrintStream out = failing("Broken pipe");
    assertThatThrownBy(() -> out.println("x"))
        .isInstanceOf(StandardOutput.Closed.class)
        .hasMessage("Broken pipe"); // a summary shows it
  }

  @Test
  void aFullDiskIsTheHostsFault() {
    PrintStream out = failing("No space left on device");
    assertThatThrownBy(() -> out.println("x"))
        .isInstanceOfSatisfying(
            UserError.class, e -> assertThat(e.status()).isEqualTo(ExitStatus.HOST_LACKS))
        .hasMessage("cannot write to standard output: No space left on device");
  }

  @Test
  void aFailureIsReportedOnce() {
    PrintStream out = failing("No space left on device");
    assertThatThrownBy(() -> out.println("x")).isInstanceOf(UserError.class);
    out.println("y");
    out.flush();
  }

  private static PrintStream failing(String reason) {
    OutputStream target =
        new OutputStream() {
          @Override
          public void write(int b) throws IOException {
            throw new IOException(reason);
          }
        };
    return new PrintStream(new StandardOutput(target), true, StandardCharsets.UTF_8);
  }
}
