package io.trapscope.vmm.kvm;

import io.trapscope.vmm.hypervisor.HypervisorException;
import java.nio.ByteBuffer;

/**
 * The signal that makes KVM_RUN return. Its handler is {@code abs} of the C library: a function
 * that takes an int and does nothing else, so no Java code runs in a signal handler. Real-time
 * signals are left alone by the JVM but for SIGRTMAX-2, which java.nio uses.
 */
final class KickSignal {
  // asm/signal.h, and glibc's struct sigaction: handler, mask of 128 bytes, flags, restorer.
  private static final int FIRST_CANDIDATE = 44; // SIGRTMIN + 10
  private static final int LAST_CANDIDATE = 58; // SIGRTMAX - 6
  private static final int SIGACTION_BYTES = 152;
  private static final int SIGACTION_HANDLER = 0;
  private static final int SIGACTION_FLAGS = 136;
  private static final int SA_RESTART = 0x10000000;
  private static final long SIG_DFL = 0;
  private static final int SIG_UNBLOCK = 1;

  private static int number;

  private KickSignal() {}

  /**
   * Installs the handler once a process, on the first of the candidates that nobody else handles.
   *
   * @throws HypervisorException where none is free or the host refuses
   */
  static synchronized int install() {
    if (number != 0) {
      return number;
    }
    ByteBuffer old = LibC.allocate(SIGACTION_BYTES);
    ByteBuffer action = LibC.allocate(SIGACTION_BYTES);
    action.putLong(SIGACTION_HANDLER, LibC.function("abs"));
    // Other calls of the vCPU's thread go on as if nothing had happened; KVM_RUN returns EINTR
    // either way.
    action.putInt(SIGACTION_FLAGS, SA_RESTART);
    for (int signal = FIRST_CANDIDATE; signal <= LAST_CANDIDATE; signal++) {
      LibC.check(LibC.sigaction(signal, 0, LibC.address(old)), "asking for a signal's handler");
      if (old.getLong(SIGACTION_HANDLER) == SIG_DFL) {
        LibC.check(
            LibC.sigaction(signal, LibC.address(action), 0),
            "installing the kick signal's handler");
        number = signal;
        return signal;
      }
    }
    throw new HypervisorException("no real-time signal is free to stop a vCPU with");
  }

  /** Lets the signal through to the calling thread, whatever mask its creator had. */
  static void unblock(int signal) {
    ByteBuffer set = LibC.allocate(128);
    set.putLong(0, 1L << (signal - 1));
    int error = LibC.pthread_sigmask(SIG_UNBLOCK, LibC.address(set), 0);
    if (error != 0) {
      throw LibC.failure("unblocking the kick signal", error);
    }
  }

  /** Sends the signal to a thread of this process; a thread that has ended gets none. */
  static void send(int signal, long thread) {
    LibC.syscall(LibC.SYS_TGKILL, LibC.syscall(LibC.SYS_GETPID, 0, 0, 0), thread, signal);
  }
}
