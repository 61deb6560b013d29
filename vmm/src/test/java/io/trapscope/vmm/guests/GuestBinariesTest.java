package io.trapscope.vmm.guests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The binaries in the repository are what their sources assemble to. */
class GuestBinariesTest {

  @ParameterizedTest
  @EnumSource
  void isWhatItsSourceAssemblesTo(Guests guest, @TempDir Path directory)
      throws IOException, InterruptedException {
    String source = guest.title() + ".asm";
    Files.write(directory.resolve(source), Guests.resource(source));
    Files.write(directory.resolve("runtime.inc"), Guests.resource("runtime.inc"));
    Process nasm;
    try {
      nasm =
          new ProcessBuilder("nasm", "-w+all", "-f", "bin", "-o", "out.bin", source)
              .directory(directory.toFile())
              .inheritIO()
              .start();
    } catch (IOException e) {
      abort("skipped: nasm is not installed, so " + source + " was not assembled again");
      return;
    }
    assertThat(nasm.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(nasm.exitValue()).isZero();
    assertThat(Files.readAllBytes(directory.resolve("out.bin"))).isEqualTo(guest.image());
  }
}
