package io.trapscope.vmm.host;

import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * Gives up descriptors whose closing waits in the kernel, without waiting for it.
 *
 * <p>They are sent through a socket together with that socket itself, and then closed here. Nobody
 * can receive them any more, so the kernel's own collector of descriptors in flight (unix(7),
 * SCM_RIGHTS) closes them, since Linux 6.8 in a thread of the kernel's. Before that, and where the
 * host does not let them be sent, the caller waits after all.
 */
public final class Descriptors {
  private static final long SYS_SENDMSG = 46;
  private static final long SYS_SOCKETPAIR = 53;

  // linux/socket.h, linux/net.h; SCM_MAX_FD of net/scm.h, one of which is the socket.
  private static final int AF_UNIX = 1;
  private static final int SOCK_DGRAM_CLOEXEC = 2 | 0x80000;
  private static final int SOL_SOCKET = 1;
  private static final int SCM_RIGHTS = 1;
  private static final int MOST = 253 - 1;

  // struct msghdr: iovec pointer at 16, count 24, control pointer 32, its bytes 40; struct iovec:
  // pointer, length u64; struct cmsghdr: length u64, level u32, type u32, then the descriptors.
  private static final int MESSAGE_BYTES = 56;
  private static final int CONTROL_HEADER = 16;

  private Descriptors() {}

  /** Closes all of them; some may stay open inside the kernel for a while. */
  public static void closeWithoutWaiting(List<Integer> descriptors) {
    ByteBuffer pair = LibC.allocate(8);
    long made = LibC.syscall(SYS_SOCKETPAIR, AF_UNIX, SOCK_DGRAM_CLOEXEC, 0, LibC.address(pair), 0);
    if (made == 0) {
      for (int from = 0; from < descriptors.size(); from += MOST) {
        int to = Math.min(descriptors.size(), from + MOST);
        send(descriptors.subList(from, to), pair.getInt(0), pair.getInt(4));
      }
    }
    descriptors.forEach(LibC::close);
    if (made == 0) {
      LibC.close(pair.getInt(4));
      LibC.close(pair.getInt(0));
    }
  }

  private static void send(List<Integer> descriptors, int through, int receiver) {
    int bytes = CONTROL_HEADER + 4 * (descriptors.size() + 1);
    ByteBuffer control = LibC.allocate(bytes + 7 & ~7);
    control.putLong(bytes).putInt(SOL_SOCKET).putInt(SCM_RIGHTS);
    descriptors.forEach(control::putInt);
    control.putInt(receiver);
    ByteBuffer word = LibC.allocate(1);
    ByteBuffer vector = LibC.allocate(16).putLong(0, LibC.address(word)).putLong(8, 1);
    ByteBuffer message = LibC.allocate(MESSAGE_BYTES);
    message.putLong(16, LibC.address(vector)).putLong(24, 1);
    message.putLong(32, LibC.address(control)).putLong(40, control.capacity());
    LibC.syscall(SYS_SENDMSG, through, LibC.address(message), 0, 0, 0);
    Reference.reachabilityFence(word);
    Reference.reachabilityFence(vector);
    Reference.reachabilityFence(control);
  }
}
