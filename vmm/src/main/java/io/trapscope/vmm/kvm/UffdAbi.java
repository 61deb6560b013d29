package io.trapscope.vmm.kvm;

/**
 * Numbers and layouts of userfaultfd. Source: {@code include/uapi/linux/userfaultfd.h}; offsets in
 * bytes from the start of the structure, all fields little-endian.
 */
final class UffdAbi {
  // asm/unistd_64.h.
  static final long SYS_PPOLL = 271;
  static final long SYS_EVENTFD2 = 290;
  static final long SYS_USERFAULTFD = 323;

  /** O_CLOEXEC | O_NONBLOCK, for both kinds of descriptor. */
  static final long CLOEXEC_NONBLOCK = 0x80800;

  /** Of /dev/userfaultfd, whose file permissions say who may: returns a descriptor. */
  static final String DEVICE = "/dev/userfaultfd";

  static final long USERFAULTFD_IOC_NEW = 0xAA00;

  static final long UFFDIO_API = 0xC018AA3FL;
  static final long UFFDIO_REGISTER = 0xC020AA00L;
  static final long UFFDIO_WAKE = 0x8010AA02L;
  static final long UFFDIO_ZEROPAGE = 0xC020AA04L;
  static final long UFFDIO_CONTINUE = 0xC020AA07L;

  // struct uffdio_api: api u64, features u64, ioctls u64.
  static final int API_BYTES = 24;
  static final int API_API = 0;
  static final int API_FEATURES = 8;
  static final long UFFD_API = 0xAA;
  static final long UFFD_FEATURE_MISSING_SHMEM = 1 << 5;
  static final long UFFD_FEATURE_THREAD_ID = 1 << 8;

  /** From Linux 5.14. */
  static final long UFFD_FEATURE_MINOR_SHMEM = 1 << 10;

  // struct uffdio_register, uffdio_zeropage, uffdio_continue: start u64, length u64, mode u64, and
  // a result. uffdio_range, of UFFDIO_WAKE, is its beginning.
  static final int RANGE_BYTES = 32;
  static final int RANGE_START = 0;
  static final int RANGE_LENGTH = 8;
  static final int RANGE_MODE = 16;
  static final long UFFDIO_REGISTER_MODE_MISSING = 1;
  static final long UFFDIO_REGISTER_MODE_MINOR = 4;

  // struct uffd_msg: event u8, reserved 7 bytes, then of a page fault flags u64, address u64,
  // thread
  // u32.
  static final int MESSAGE_BYTES = 32;
  static final int MESSAGE_EVENT = 0;
  static final int MESSAGE_FLAGS = 8;
  static final int MESSAGE_ADDRESS = 16;
  static final int MESSAGE_THREAD = 24;
  static final int UFFD_EVENT_PAGEFAULT = 0x12;
  static final long UFFD_PAGEFAULT_FLAG_WRITE = 1;
  static final long UFFD_PAGEFAULT_FLAG_MINOR = 4;

  // struct pollfd (asm-generic/poll.h): fd u32, events u16, revents u16.
  static final int POLLFD_BYTES = 8;
  static final int POLLFD_EVENTS = 4;
  static final int POLLFD_RETURNED = 6;
  static final short POLLIN = 1;

  private UffdAbi() {}
}
