package io.trapscope.vmm.host;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.trapscope.vmm.hypervisor.HypervisorException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every binding that this JDK has gives the same answers. */
class LibCTest {
  private static final long SYS_LSEEK = 8;
  private static final long SYS_PREAD64 = 17;
  private static final int SEEK_END = 2;

  static Stream<Binding> bindings() {
    List<Binding> all = new ArrayList<>(List.of(new JnaBinding()));
    if (LibC.hasForeign()) {
      all.add(new ForeignBinding());
    }
    return all.stream();
  }

  @BeforeEach
  void assumeLinux() {
    assumeTrue(
        System.getProperty("os.name").equals("Linux")
            && System.getProperty("os.arch").equals("amd64"),
        "needs Linux on x86-64");
  }

  @ParameterizedTest
  @MethodSource("bindings")
  void anErrorIsTheNegativeNumber(Binding binding) {
    assertThat(binding.syscall(SYS_LSEEK, -1, 0, 0, 0, 0, 0)).isEqualTo(-LibC.EBADF);
    assertThat(binding.syscall(99_999, 0, 0, 0, 0, 0, 0)).isEqualTo(-38); // ENOSYS
    assertThat(binding.syscall(SYS_LSEEK, 0, 0, 99, 0, 0, 0)).isNegative();
  }

  @ParameterizedTest
  @MethodSource("bindings")
  void allSixArgumentsArrive(Binding binding) {
    // mmap takes six, and answers each that is wrong: a mapping of a file at an offset shows its
    // bytes from there on.
    int fd = LibC.open("/proc/self/exe", LibC.O_CLOEXEC);
    assertThat(fd).isPositive();
    try {
      long address = binding.syscall(LibC.SYS_MMAP, 0, 4096, 1, 2, fd, 4096);
      assertThat(address).isPositive();
      ByteBuffer expected = LibC.allocate(4096);
      assertThat(binding.syscall(SYS_PREAD64, fd, binding.address(expected), 4096, 4096, 0, 0))
          .isEqualTo(4096);
      assertThat(binding.view(address, 4096).order(ByteOrder.LITTLE_ENDIAN)).isEqualTo(expected);
      assertThat(binding.syscall(LibC.SYS_MUNMAP, address, 4096, 0, 0, 0, 0)).isZero();
      assertThat(binding.syscall(SYS_LSEEK, fd, 0, SEEK_END, 0, 0, 0)).isGreaterThan(4096);
    } finally {
      LibC.close(fd);
    }
  }

  @ParameterizedTest
  @MethodSource("bindings")
  void functionsOfTheCLibraryCanBeCalled(Binding binding) {
    assertThat((int) binding.call(binding.symbol("abs"), -77, 0, 0)).isEqualTo(77);
    assertThat((int) binding.call(binding.symbol("isdigit"), 'x', 0, 0)).isZero();
  }

  @ParameterizedTest
  @MethodSource("bindings")
  void theAddressOfABufferIsThatOfItsFirstByte(Binding binding) {
    ByteBuffer buffer = LibC.allocate(64);
    long address = binding.address(buffer);
    buffer.position(13);
    assertThat(binding.address(buffer)).isEqualTo(address);
    binding.view(address, 64).put(5, (byte) 99);
    assertThat(buffer.get(5)).isEqualTo((byte) 99);
  }

  @Test
  void aFailureNamesTheStepTheReasonAndTheNumber() {
    assertThat(LibC.describe(LibC.ENOENT)).isEqualTo("No such file or directory (errno 2)");
    assertThat(LibC.open("/nowhere/at/all", 0)).isEqualTo(-LibC.ENOENT);
    assertThatThrownBy(() -> LibC.check(-LibC.EMFILE, "opening a door"))
        .isInstanceOf(HypervisorException.class)
        .hasMessage(
            "opening a door failed: Too many open files (errno 24); the limit on open files"
                + " (ulimit -n) is hit");
    assertThat(LibC.check(5, "nothing")).isEqualTo(5);
  }

  @Test
  void theBindingSaysWhatItIs() {
    assertThat(LibC.binding()).startsWith(LibC.hasForeign() ? "java.lang.foreign" : "JNA");
  }
}
