package io.trapscope.vmm.host;

import com.sun.jna.Function;
import com.sun.jna.JNIEnv;
import com.sun.jna.Library;
import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.util.Map;

/**
 * Calls through JNA direct mapping with primitive arguments, for JDKs without java.lang.foreign.
 *
 * <p>Design note: JNA's way to a function, a generic dispatcher, costs half a microsecond after an
 * exit, when the guest has left the caches cold. So {@code syscall} is a native method whose
 * implementation is a few bytes of machine code that make the system call, which costs a tenth of
 * that. A JNI function gets its environment and class in front of the declared arguments; the code
 * moves the arguments to where the kernel wants them, and needs no {@code errno}, because the
 * kernel's own answer is the negative error (System V ABI for AMD64, appendix A.2.1). Where the
 * host lets no memory be made executable, JNA's way is taken.
 */
final class JnaBinding implements Binding {
  /** JNI specification, interface function table: the index of RegisterNatives. */
  private static final int REGISTER_NATIVES = 215;

  private static final Map<String, Object> WITH_OBJECTS =
      Map.of(Library.OPTION_ALLOW_OBJECTS, Boolean.TRUE);

  // In:  rdi JNIEnv, rsi class, rdx number, rcx a, r8 b, r9 c, d e f on the stack.
  // Out: rax number, rdi a, rsi b, rdx c, r10 d, r8 e, r9 f. syscall spoils rcx and r11, which
  // belong to the callee.
  private static final int[] CODE = {
    0x48,
    0x89,
    0xD0, // mov rax, rdx
    0x48,
    0x89,
    0xCF, // mov rdi, rcx
    0x4C,
    0x89,
    0xC6, // mov rsi, r8
    0x4C,
    0x89,
    0xCA, // mov rdx, r9
    0x4C,
    0x8B,
    0x54,
    0x24,
    0x08, // mov r10, [rsp+8]
    0x4C,
    0x8B,
    0x44,
    0x24,
    0x10, // mov r8, [rsp+16]
    0x4C,
    0x8B,
    0x4C,
    0x24,
    0x18, // mov r9, [rsp+24]
    0x0F,
    0x05, // syscall
    0xC3 // ret
  };

  private static final int CODE_PAGE = 4096;

  /** The C library as JNA maps it. */
  private static final class Mapped {
    static {
      Native.register(Mapped.class, Platform.C_LIBRARY_NAME);
    }

    static native long syscall(long number, long a, long b, long c, long d, long e, long f);
  }

  /** A class of its own for the machine code: all native methods of {@link Mapped} are JNA's. */
  private static final class Direct {
    static native long syscall(long number, long a, long b, long c, long d, long e, long f);
  }

  private static final boolean BOUND = bind();

  @Override
  public String description() {
    return BOUND ? "JNA, system calls by JNI" : "JNA";
  }

  @Override
  public long syscall(long number, long a, long b, long c, long d, long e, long f) {
    return BOUND ? Direct.syscall(number, a, b, c, d, e, f) : mapped(number, a, b, c, d, e, f);
  }

  private static long mapped(long number, long a, long b, long c, long d, long e, long f) {
    long result = Mapped.syscall(number, a, b, c, d, e, f);
    return result == -1 ? -Native.getLastError() : result;
  }

  @Override
  public long symbol(String name) {
    return Pointer.nativeValue(
        NativeLibrary.getInstance(Platform.C_LIBRARY_NAME).getFunction(name));
  }

  @Override
  public long call(long function, long a, long b, long c) {
    return Function.getFunction(new Pointer(function)).invokeLong(new Object[] {a, b, c});
  }

  @Override
  public ByteBuffer view(long address, long length) {
    return new Pointer(address).getByteBuffer(0, length);
  }

  @Override
  public long address(ByteBuffer direct) {
    return Pointer.nativeValue(Native.getDirectBufferPointer(direct));
  }

  private static boolean bind() {
    long code =
        mapped(
            LibC.SYS_MMAP,
            0,
            CODE_PAGE,
            LibC.PROT_READ_WRITE,
            LibC.MAP_PRIVATE_ANONYMOUS_NORESERVE,
            -1,
            0);
    if (code < 0) {
      return false;
    }
    ByteBuffer page = new Pointer(code).getByteBuffer(0, CODE_PAGE);
    for (int part : CODE) {
      page.put((byte) part);
    }
    boolean bound =
        mapped(LibC.SYS_MPROTECT, code, CODE_PAGE, LibC.PROT_READ_EXECUTE, 0, 0, 0) == 0
            && register(code) == 0;
    if (!bound) {
      mapped(LibC.SYS_MUNMAP, code, CODE_PAGE, 0, 0, 0, 0);
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
      name.setString(0, "syscall");
      signature.setString(0, "(JJJJJJJ)J");
      method.setPointer(0, name);
      method.setPointer(8, signature);
      method.setLong(16, code);
      Pointer register = table.getPointer(0).getPointer(8L * REGISTER_NATIVES);
      Object[] arguments = {JNIEnv.CURRENT, Direct.class, method, 1};
      return (Integer)
          Function.getFunction(register, Function.C_CONVENTION)
              .invoke(Integer.class, arguments, WITH_OBJECTS);
    }
  }
}
