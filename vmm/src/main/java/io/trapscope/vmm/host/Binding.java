package io.trapscope.vmm.host;

import java.nio.ByteBuffer;

/** A way from Java to the kernel and the C library. Nothing here throws for an error of a call. */
interface Binding {

  /** What it is, in a few words, for {@code doctor}. */
  String description();

  /**
   * Makes a system call. The hot path: allocates nothing.
   *
   * @return its result, or the negative error number
   */
  long syscall(long number, long a, long b, long c, long d, long e, long f);

  /** The address of a function of the C library. */
  long symbol(String name);

  /**
   * Calls a function that takes up to three integers or addresses. Of a function that returns an
   * int, only the low half of the result counts.
   */
  long call(long function, long a, long b, long c);

  /** Native memory as a buffer, which the caller keeps mapped while it is in use. */
  ByteBuffer view(long address, long length);

  /** The address of a direct buffer's byte 0, wherever its position is. */
  long address(ByteBuffer direct);
}
