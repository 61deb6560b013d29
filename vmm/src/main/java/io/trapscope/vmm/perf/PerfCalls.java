package io.trapscope.vmm.perf;

import io.trapscope.vmm.host.LibC;
import java.nio.ByteBuffer;

/** The system calls that a ring needs, so that a test can make any one of them fail. */
interface PerfCalls {
  /** The kernel's own. */
  PerfCalls REAL =
      new PerfCalls() {
        @Override
        public int open(ByteBuffer attributes, int pid, int cpu) {
          return (int)
              LibC.syscall(
                  PerfAbi.SYS_PERF_EVENT_OPEN,
                  LibC.address(attributes),
                  pid,
                  cpu,
                  -1,
                  PerfAbi.PERF_FLAG_FD_CLOEXEC);
        }

        @Override
        public int ioctl(int fd, long request, long argument) {
          return LibC.ioctl(fd, request, argument);
        }

        @Override
        public long mmap(int fd, long bytes) {
          return LibC.mmap(0, bytes, LibC.PROT_READ_WRITE, LibC.MAP_SHARED, fd, 0);
        }
      };

  /** perf_event_open: a descriptor, or the negative error number. */
  int open(ByteBuffer attributes, int pid, int cpu);

  /** 0 or more, or the negative error number. */
  int ioctl(int fd, long request, long argument);

  /** The address of the event's ring, or the negative error number. */
  long mmap(int fd, long bytes);
}
