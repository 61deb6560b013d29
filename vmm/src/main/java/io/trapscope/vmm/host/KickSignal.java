package io.trapscope.vmm.host;

import io.trapscope.vmm.hypervisor.HypervisorException;
import java.nio.ByteBuffer;

/**
 * The signal that makes KVM_RUN return. Its handler is {@code abs} of the C library: a function
 * that takes an int and does nothing else, so no Java code runs in a signal handler. Real-time
 * signals are left alone by the JVM but for SIGRTMAX-2, which java.nio uses.
 */
public final class KickSignal {
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
   * @throws HypervisorException where none is free
   */
  public static synchronized int install() {
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
      boolean free =
          LibC.sigaction(signal, 0, LibC.address(old)) == 0
              && old.getLong(SIGACTION_HANDLER) == SIG_DFL;
      if (free && LibC.sigaction(signal, LibC.address(action), 0) == 0) {
        number = signal;
        return signal;
      }
    }
    throw new HypervisorException("no real-time signal is free to stop a vCPU with");
  }

  /** Lets the signal through to the calling thread, whatever mask its creator had. */
  public static void unblock(int signal) {
    LibC.check(LibC.sigprocmask(SIG_UNBLOCK, 1L << (signal - 1)), "unblocking the kick signal");
  }

  /** Sends the signal to a thread of this process; a thread that has ended gets none. */
  public static void send(int signal, int thread) {
    LibC.signal(thread, signal);
  }
}
