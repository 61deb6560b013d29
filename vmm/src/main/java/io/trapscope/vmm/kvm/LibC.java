package io.trapscope.vmm.kvm;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import com.sun.jna.Pointer;
import io.trapscope.vmm.hypervisor.HypervisorException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/**
 * The C library, by JNA direct mapping with primitive arguments only: about 0.1 us a call, where an
 * interface mapping takes 0.5. Addresses are longs. A call that fails returns -1 and leaves its
 * error in {@link #errno()}; nothing here throws on its own, because an exception costs more than
 * the exit it reports.
 */
final class LibC {
  // asm-generic/fcntl.h, asm-generic/mman-common.h, asm-generic/mman.h.
  static final int O_RDWR = 2;
  static final int O_CLOEXEC = 0x80000;
  static final int PROT_READ_WRITE = 3;
  static final int PROT_READ_EXECUTE = 5;
  static final int MAP_SHARED = 1;
  static final int MAP_PRIVATE_ANONYMOUS_NORESERVE = 0x02 | 0x20 | 0x4000;
  static final long MAP_FAILED = -1;

  // asm-generic/errno-base.h.
  static final int EPERM = 1;
  static final int ENOENT = 2;
  static final int EINTR = 4;
  static final int ENXIO = 6;
  static final int E2BIG = 7;
  static final int ENOMEM = 12;
  static final int EACCES = 13;
  static final int EBUSY = 16;
  static final int EEXIST = 17;
  static final int ENODEV = 19;
  static final int EINVAL = 22;
  static final int EMFILE = 24;

  // asm/unistd_64.h.
  static final long SYS_GETPID = 39;
  static final long SYS_GETTID = 186;
  static final long SYS_TGKILL = 234;

  static {
    Native.register(LibC.class, Platform.C_LIBRARY_NAME);
  }

  private LibC() {}

  static native int open(long path, int flags);

  static native int close(int fd);

  static native int ioctl(int fd, long request, long argument);

  static native long mmap(long address, long length, int protection, int flags, int fd, long at);

  static native int mprotect(long address, long length, int protection);

  static native int munmap(long address, long length);

  static native long syscall(long number, long first, long second, long third);

  static native int sigaction(int signal, long action, long oldAction);

  // Returns the error itself, not -1.
  static native int pthread_sigmask(int how, long set, long oldSet);

  private static native long strerror(int errno);

  /** The error of this thread's last failed call. */
  static int errno() {
    return Native.getLastError();
  }

  /** A zeroed little-endian buffer outside the heap, for a structure that a call takes. */
  static ByteBuffer allocate(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** The address of a direct buffer's first byte. */
  static long address(ByteBuffer direct) {
    return Pointer.nativeValue(Native.getDirectBufferPointer(direct));
  }

  /** A little-endian view of native memory, which the caller keeps mapped while it is in use. */
  static ByteBuffer view(long address, long length) {
    return new Pointer(address).getByteBuffer(0, length).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** The address of one of the C library's own functions. */
  static long function(String name) {
    return Pointer.nativeValue(
        NativeLibrary.getInstance(Platform.C_LIBRARY_NAME).getFunction(name));
  }

  /** Opens a file; returns its descriptor or -1. */
  static int open(String path, int flags) {
    byte[] bytes = path.getBytes(StandardCharsets.UTF_8);
    ByteBuffer terminated = allocate(bytes.length + 1).put(bytes);
    return open(address(terminated), flags);
  }

  /**
   * The result of a call that returns -1 for failure.
   *
   * @throws HypervisorException where {@code result} is negative, with the step and the host's
   *     reason
   */
  static int check(int result, String step) {
    if (result < 0) {
      throw failure(step, errno());
    }
    return result;
  }

  /** One line for the user: the step, what the host said, and what usually lies behind it. */
  static HypervisorException failure(String step, int errno) {
    String hint = hint(errno);
    return new HypervisorException(
        step + " failed: " + describe(errno) + (hint.isEmpty() ? "" : "; " + hint));
  }

  /** The host's text for an error number, with the number. */
  static String describe(int errno) {
    return new Pointer(strerror(errno)).getString(0) + " (errno " + errno + ")";
  }

  private static String hint(int errno) {
    return switch (errno) {
      case EBUSY -> "another hypervisor may hold the processor's virtualization";
      case ENOMEM -> "the host has no memory left for this, or a limit (ulimit -v, cgroup) is hit";
      case EMFILE -> "the limit on open files (ulimit -n) is hit";
      default -> "";
    };
  }
}
