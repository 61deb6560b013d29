package io.trapscope.vmm.kvm;

import com.sun.jna.Function;
import com.sun.jna.JNIEnv;
import com.sun.jna.Library;
import com.sun.jna.Memory;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import com.sun.jna.Pointer;
import java.util.Map;

/**
 * {@code ioctl} for the hot path: a native method whose implementation is sixteen bytes of machine
 * code that make the system call. JNA's way there, a generic dispatcher, costs half a microsecond
 * after an exit, when the guest has left the caches cold; this costs a tenth of that and runs on
 * every JDK. Where the host lets no memory be made executable, JNA's way is taken.
 *
 * <p>Design note: a JNI function gets its environment and class in front of the declared arguments,
 * so {@code ioctl} of the C library cannot be bound as it is; the code moves the arguments two
 * places down, and needs no {@code errno}, because the kernel's own answer is the negative error
 * (System V ABI for AMD64, appendix A.2.1).
 */
final class DirectIoctl {
  /** JNI specification, interface function table: the index of RegisterNatives. */
  private static final int REGISTER_NATIVES = 215;

  private static final Map<String, Object> WITH_OBJECTS =
      Map.of(Library.OPTION_ALLOW_OBJECTS, Boolean.TRUE);

  // In:  rdi JNIEnv, rsi class, edx fd, rcx request, r8 argument.
  // Out: rdi fd, rsi request, rdx argument, eax the call's number. syscall spoils rcx and r11,
  // which belong to the callee.
  private static final byte[] CODE = {
    (byte) 0x89,
    (byte) 0xD7, // mov edi, edx
    0x48,
    (byte) 0x89,
    (byte) 0xCE, // mov rsi, rcx
    0x4C,
    (byte) 0x89,
    (byte) 0xC2, // mov rdx, r8
    (byte) 0xB8,
    0x10,
    0x00,
    0x00,
    0x00, // mov eax, 16 (ioctl, asm/unistd_64.h)
    0x0F,
    0x05, // syscall
    (byte) 0xC3 // ret
  };

  private static final int CODE_PAGE = 4096;

  /** Whether the machine code is in use. */
  static final boolean BOUND = bind();

  private DirectIoctl() {}

  /**
   * Makes the call.
   *
   * @return 0 or more as the request defines it, or the negative error number
   */
  static int call(int fd, long request, long argument) {
    if (BOUND) {
      return ioctl(fd, request, argument);
    }
    int result = LibC.ioctl(fd, request, argument);
    return result < 0 ? -LibC.errno() : result;
  }

  private static native int ioctl(int fd, long request, long argument);

  private static boolean bind() {
    long code =
        LibC.mmap(0, CODE_PAGE, LibC.PROT_READ_WRITE, LibC.MAP_PRIVATE_ANONYMOUS_NORESERVE, -1, 0);
    if (code == LibC.MAP_FAILED) {
      return false;
    }
    LibC.view(code, CODE_PAGE).put(0, CODE);
    boolean bound =
        LibC.mprotect(code, CODE_PAGE, LibC.PROT_READ_EXECUTE) == 0 && register(code) == 0;
    if (!bound) {
      LibC.munmap(code, CODE_PAGE);
    }
    return bound;
  }

  /** Calls RegisterNatives of this thread's JNI environment; 0 where it worked. */
  private static int register(long code) {
    NativeLibrary libc = NativeLibrary.getInstance(Platform.C_LIBRARY_NAME);
    try (Memory table = new Memory(8);
        Memory name = new Memory(16);
        Memory signature = new Memory(16);
        Memory method = new Memory(24)) {
      // The environment's address never shows in Java, but its first word, the function table, can
      // be copied out.
      libc.getFunction("memcpy")
          .invoke(Pointer.class, new Object[] {table, JNIEnv.CURRENT, 8L}, WITH_OBJECTS);
      name.setString(0, "ioctl");
      signature.setString(0, "(IJJ)I");
      method.setPointer(0, name);
      method.setPointer(8, signature);
      method.setLong(16, code);
      Pointer register = table.getPointer(0).getPointer(8L * REGISTER_NATIVES);
      Object[] arguments = {JNIEnv.CURRENT, DirectIoctl.class, method, 1};
      return (Integer)
          Function.getFunction(register, Function.C_CONVENTION)
              .invoke(Integer.class, arguments, WITH_OBJECTS);
    }
  }
}
