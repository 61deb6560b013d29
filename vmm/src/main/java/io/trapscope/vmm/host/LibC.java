package io.trapscope.vmm.host;

import io.trapscope.vmm.hypervisor.HypervisorException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Linux system calls for x86-64, and the few functions of the C library that are none. Addresses
 * are longs. A call that fails returns the negative error number; nothing here throws on its own,
 * because an exception costs more than the exit it reports.
 */
public final class LibC {
  // asm-generic/fcntl.h, asm-generic/mman-common.h, asm-generic/mman.h.
  public static final int O_RDWR = 2;
  public static final int O_CLOEXEC = 0x80000;
  public static final int PROT_READ_WRITE = 3;
  public static final int PROT_READ_EXECUTE = 5;
  public static final int MAP_SHARED = 1;
  public static final int MAP_PRIVATE_ANONYMOUS_NORESERVE = 0x02 | 0x20 | 0x4000;
  public static final int MAP_PRIVATE_ANONYMOUS_HUGETLB = 0x02 | 0x20 | 0x40000;

  /** Where mmap's flags have log2 of the size of a huge page. */
  public static final int MAP_HUGE_SHIFT = 26;

  public static final int MADV_HUGEPAGE = 14;

  /** From Linux 5.14. */
  public static final int MADV_POPULATE_WRITE = 23;

  // asm-generic/errno-base.h.
  public static final int EPERM = 1;
  public static final int ENOENT = 2;
  public static final int EINTR = 4;
  public static final int ENXIO = 6;
  public static final int E2BIG = 7;
  public static final int EBADF = 9;
  public static final int EAGAIN = 11;
  public static final int ENOMEM = 12;
  public static final int EACCES = 13;
  public static final int EFAULT = 14;
  public static final int EBUSY = 16;
  public static final int EEXIST = 17;
  public static final int ENODEV = 19;
  public static final int EINVAL = 22;
  public static final int EMFILE = 24;

  // asm/unistd_64.h.
  private static final long SYS_READ = 0;
  private static final long SYS_WRITE = 1;
  private static final long SYS_OPEN = 2;
  private static final long SYS_CLOSE = 3;
  static final long SYS_MMAP = 9;
  static final long SYS_MPROTECT = 10;
  static final long SYS_MUNMAP = 11;
  private static final long SYS_RT_SIGPROCMASK = 14;
  private static final long SYS_IOCTL = 16;
  private static final long SYS_PREAD64 = 17;
  private static final long SYS_MADVISE = 28;
  private static final long SYS_GETPID = 39;
  private static final long SYS_FTRUNCATE = 77;
  private static final long SYS_GETTID = 186;
  private static final long SYS_SCHED_SETAFFINITY = 203;
  private static final long SYS_SCHED_GETAFFINITY = 204;
  private static final long SYS_TGKILL = 234;
  private static final long SYS_MEMFD_CREATE = 319;
  private static final long SYS_FSOPEN = 430;
  private static final long SYS_FSCONFIG = 431;
  private static final long SYS_FSMOUNT = 432;

  // linux/mount.h: descriptors that are not inherited, and the command that makes the file system.
  private static final int FSOPEN_CLOEXEC = 1;
  private static final int FSMOUNT_CLOEXEC = 1;
  private static final int FSCONFIG_CMD_CREATE = 6;

  /** linux/memfd.h. */
  private static final int MFD_CLOEXEC = 1;

  /** Room for 8,192 CPUs, the most that Linux can be built for. */
  private static final int CPU_SET_BYTES = 1024;

  /** Bytes of a signal mask as the kernel has it. */
  private static final int SIGSET_BYTES = 8;

  /** First JDK whose java.lang.foreign is final. */
  private static final int FOREIGN_SINCE = 22;

  private static final Binding BINDING = choose();

  private LibC() {}

  /** Which binding is in use, in a few words. */
  public static String binding() {
    return BINDING.description();
  }

  /** JNA where java.lang.foreign is not there, and for comparing the two. */
  private static Binding choose() {
    boolean jna = "jna".equals(System.getProperty("trapscope.native"));
    return hasForeign() && !jna ? new ForeignBinding() : new JnaBinding();
  }

  /** Whether this JVM has java.lang.foreign. */
  static boolean hasForeign() {
    return Runtime.version().feature() >= FOREIGN_SINCE;
  }

  /** Opens a file; returns its descriptor. */
  public static int open(String path, int flags) {
    ByteBuffer name = terminated(path);
    return (int) syscall(SYS_OPEN, address(name), flags, 0);
  }

  private static ByteBuffer terminated(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    return allocate(bytes.length + 1).put(bytes);
  }

  public static int close(int fd) {
    return (int) syscall(SYS_CLOSE, fd, 0, 0);
  }

  public static int ioctl(int fd, long request, long argument) {
    return (int) BINDING.syscall(SYS_IOCTL, fd, request, argument, 0, 0, 0);
  }

  /** Reads; returns how many bytes came. */
  public static long read(int fd, long to, long length) {
    return syscall(SYS_READ, fd, to, length);
  }

  /** Writes; returns how many bytes went. */
  public static long write(int fd, long from, long length) {
    return syscall(SYS_WRITE, fd, from, length);
  }

  /** Reads from a place in a file; returns how many bytes came. */
  public static long pread(int fd, long to, long length, long at) {
    return BINDING.syscall(SYS_PREAD64, fd, to, length, at, 0, 0);
  }

  /** Maps memory; returns its address. */
  public static long mmap(long address, long length, int protection, int flags, int fd, long at) {
    return BINDING.syscall(SYS_MMAP, address, length, protection, flags, fd, at);
  }

  public static int munmap(long address, long length) {
    return (int) syscall(SYS_MUNMAP, address, length, 0);
  }

  /** Says how mapped memory will be used. */
  public static int madvise(long address, long length, int advice) {
    return (int) syscall(SYS_MADVISE, address, length, advice);
  }

  /** A file that is only memory, of this size; returns its descriptor. */
  public static int memoryFile(String name, long bytes) {
    ByteBuffer text = terminated(name);
    int fd = (int) syscall(SYS_MEMFD_CREATE, address(text), MFD_CLOEXEC, 0);
    if (fd < 0) {
      return fd;
    }
    int result = (int) syscall(SYS_FTRUNCATE, fd, bytes, 0);
    if (result < 0) {
      close(fd);
      return result;
    }
    return fd;
  }

  /** The host's number of the calling thread. */
  public static int gettid() {
    return (int) syscall(SYS_GETTID, 0, 0, 0);
  }

  /** Keeps the calling thread on one CPU of the host. */
  public static int pinThisThread(int cpu) {
    ByteBuffer mask = allocate(CPU_SET_BYTES);
    mask.put(cpu >> 3, (byte) (1 << (cpu & 7)));
    return (int) syscall(SYS_SCHED_SETAFFINITY, 0, CPU_SET_BYTES, address(mask));
  }

  /** Whether a CPU of the host is among those that this process may use. */
  public static boolean mayUse(int cpu) {
    ByteBuffer mask = allocate(CPU_SET_BYTES);
    long bytes = syscall(SYS_SCHED_GETAFFINITY, 0, CPU_SET_BYTES, address(mask));
    return cpu >= 0 && cpu >> 3 < bytes && (mask.get(cpu >> 3) >> (cpu & 7) & 1) != 0;
  }

  /** Whether a thread of this process sleeps; false for one that has ended. */
  public static boolean isAsleep(int thread) {
    try {
      // proc(5): the state follows the name, which is in parentheses.
      String line = Files.readString(Path.of("/proc/self/task/" + thread + "/stat"));
      return line.startsWith(") S", line.lastIndexOf(')'));
    } catch (IOException e) {
      return false;
    }
  }

  /** Sends a signal to a thread of this process; a thread that has ended gets none. */
  public static void signal(int thread, int signal) {
    syscall(SYS_TGKILL, syscall(SYS_GETPID, 0, 0, 0), thread, signal);
  }

  /** {@code how} as in asm/signal.h; {@code mask} has bit n-1 for signal n. */
  static int sigprocmask(int how, long mask) {
    ByteBuffer set = allocate(SIGSET_BYTES).putLong(0, mask);
    return (int) BINDING.syscall(SYS_RT_SIGPROCMASK, how, address(set), 0, SIGSET_BYTES, 0, 0);
  }

  /** Begins to make a file system of this type; returns a descriptor to configure it by. */
  public static int fsopen(String type) {
    ByteBuffer name = terminated(type);
    return (int) syscall(SYS_FSOPEN, address(name), FSOPEN_CLOEXEC, 0);
  }

  /** Makes the file system that was configured. */
  public static int fsconfigCreate(int context) {
    return (int) BINDING.syscall(SYS_FSCONFIG, context, FSCONFIG_CMD_CREATE, 0, 0, 0, 0);
  }

  /** Mounts it nowhere: returns a descriptor of its root. */
  public static int fsmount(int context) {
    return (int) syscall(SYS_FSMOUNT, context, FSMOUNT_CLOEXEC, 0);
  }

  /** Any system call of up to six arguments; the result, or the negative error number. */
  public static long syscall(
      long number, long first, long second, long third, long fourth, long fifth) {
    return BINDING.syscall(number, first, second, third, fourth, fifth, 0);
  }

  private static long syscall(long number, long first, long second, long third) {
    return BINDING.syscall(number, first, second, third, 0, 0, 0);
  }

  /** The C library's sigaction, which adds the return path that the kernel wants. */
  static int sigaction(int signal, long action, long oldAction) {
    return (int) BINDING.call(BINDING.symbol("sigaction"), signal, action, oldAction);
  }

  /** A zeroed little-endian buffer outside the heap, for a structure that a call takes. */
  public static ByteBuffer allocate(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** The address of a direct buffer's first byte. */
  public static long address(ByteBuffer direct) {
    return BINDING.address(direct);
  }

  /** A little-endian view of native memory, which the caller keeps mapped while it is in use. */
  public static ByteBuffer view(long address, long length) {
    return BINDING.view(address, length).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** The address of one of the C library's own functions. */
  static long function(String name) {
    return BINDING.symbol(name);
  }

  /**
   * The result of a call.
   *
   * @throws HypervisorException where {@code result} is negative, with the step and the host's
   *     reason
   */
  public static int check(int result, String step) {
    return (int) check((long) result, step);
  }

  /** The same for a call whose result is an address. */
  public static long check(long result, String step) {
    if (result < 0) {
      throw failure(step, (int) -result);
    }
    return result;
  }

  /** One line for the user: the step, what the host said, and what usually lies behind it. */
  public static HypervisorException failure(String step, int errno) {
    String hint = hint(errno);
    return new HypervisorException(
        step + " failed: " + describe(errno) + (hint.isEmpty() ? "" : "; " + hint));
  }

  /** The host's text for an error number, with the number. */
  public static String describe(int errno) {
    ByteBuffer text = view(BINDING.call(function("strerror"), errno, 0, 0), 128);
    StringBuilder words = new StringBuilder();
    for (byte letter = text.get(); letter != 0; letter = text.get()) {
      words.append((char) letter);
    }
    return words + " (errno " + errno + ")";
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
