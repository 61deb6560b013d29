package io.trapscope.vmm.host;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Array;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * Calls through java.lang.foreign, which is final from JDK 22 on.
 *
 * <p>Design note: the classes of that package are named here as text only, and looked up once, when
 * this class is initialized. What is left for a call is a method handle that is a constant, which
 * the JVM compiles to the same code as a direct use of the package. So one set of classes serves
 * every JDK from 17 on, whichever of them has built the jar; a multi-release jar would have these
 * calls only where a JDK 22 or newer was the builder.
 */
final class ForeignBinding implements Binding {

  /** {@code (Object errnoSegment, long number, long a..f) long}. */
  private static final MethodHandle SYSCALL;

  /** {@code (long function, long a, long b, long c) long}. */
  private static final MethodHandle CALL;

  /** {@code (long address, long length) ByteBuffer}. */
  private static final MethodHandle VIEW;

  /** {@code (Buffer direct) long}. */
  private static final MethodHandle ADDRESS;

  private static final Object SYMBOLS;

  static {
    try {
      Object linker = type("Linker").getMethod("nativeLinker").invoke(null);
      SYMBOLS = method("Linker", "defaultLookup").invoke(linker);
      SYSCALL = systemCall(linker);
      CALL = functionCall(linker);
      VIEW = view();
      ADDRESS = address();
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  /** Where the last error of a thread's calls is put. */
  private static final class Errno {
    private final ByteBuffer value = ByteBuffer.allocateDirect(4).order(ByteOrder.LITTLE_ENDIAN);
    private final Object segment;

    Errno() {
      try {
        segment =
            type("MemorySegment").getMethod("ofBuffer", java.nio.Buffer.class).invoke(null, value);
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  private final ThreadLocal<Errno> errno = ThreadLocal.withInitial(Errno::new);

  @Override
  public String description() {
    return "java.lang.foreign";
  }

  @Override
  public long syscall(long number, long a, long b, long c, long d, long e, long f) {
    Errno error = errno.get();
    long result;
    try {
      result = (long) SYSCALL.invokeExact(error.segment, number, a, b, c, d, e, f);
    } catch (Throwable thrown) {
      throw new AssertionError(thrown);
    }
    return result == -1 ? -error.value.getInt(0) : result;
  }

  @Override
  public long symbol(String name) {
    try {
      Optional<?> found =
          (Optional<?>) method("SymbolLookup", "find", String.class).invoke(SYMBOLS, name);
      return (long) method("MemorySegment", "address").invoke(found.orElseThrow());
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public long call(long function, long a, long b, long c) {
    try {
      return (long) CALL.invokeExact(function, a, b, c);
    } catch (Throwable thrown) {
      throw new AssertionError(thrown);
    }
  }

  @Override
  public ByteBuffer view(long address, long length) {
    try {
      return (ByteBuffer) VIEW.invokeExact(address, length);
    } catch (Throwable thrown) {
      throw new IllegalStateException(thrown);
    }
  }

  @Override
  public long address(ByteBuffer direct) {
    try {
      return (long) ADDRESS.invokeExact((java.nio.Buffer) direct.duplicate().clear());
    } catch (Throwable thrown) {
      throw new IllegalStateException(thrown);
    }
  }

  /** The C library's {@code syscall}: variadic from its second argument on, with errno kept. */
  private static MethodHandle systemCall(Object linker) throws ReflectiveOperationException {
    Object options = Array.newInstance(type("Linker$Option"), 2);
    Array.set(
        options,
        0,
        method("Linker$Option", "captureCallState", String[].class)
            .invoke(null, (Object) new String[] {"errno"}));
    Array.set(options, 1, method("Linker$Option", "firstVariadicArg", int.class).invoke(null, 1));
    Object found = method("SymbolLookup", "find", String.class).invoke(SYMBOLS, "syscall");
    MethodHandle handle =
        (MethodHandle)
            method(
                    "Linker",
                    "downcallHandle",
                    type("MemorySegment"),
                    type("FunctionDescriptor"),
                    options.getClass())
                .invoke(linker, ((Optional<?>) found).orElseThrow(), descriptor(7), options);
    return handle.asType(handle.type().changeParameterType(0, Object.class));
  }

  private static MethodHandle functionCall(Object linker) throws ReflectiveOperationException {
    Object options = Array.newInstance(type("Linker$Option"), 0);
    MethodHandle handle =
        (MethodHandle)
            method("Linker", "downcallHandle", type("FunctionDescriptor"), options.getClass())
                .invoke(linker, descriptor(3), options);
    return MethodHandles.filterArguments(handle, 0, ofAddress());
  }

  /** A function that takes and returns 64-bit integers. */
  private static Object descriptor(int arguments) throws ReflectiveOperationException {
    Object word = type("ValueLayout").getField("JAVA_LONG").get(null);
    Object words = Array.newInstance(type("MemoryLayout"), arguments);
    for (int i = 0; i < arguments; i++) {
      Array.set(words, i, word);
    }
    return method("FunctionDescriptor", "of", type("MemoryLayout"), words.getClass())
        .invoke(null, word, words);
  }

  private static MethodHandle view() throws ReflectiveOperationException {
    Class<?> segment = type("MemorySegment");
    MethodHandles.Lookup lookup = MethodHandles.lookup();
    MethodHandle resize =
        lookup.findVirtual(segment, "reinterpret", MethodType.methodType(segment, long.class));
    MethodHandle buffer =
        lookup.findVirtual(segment, "asByteBuffer", MethodType.methodType(ByteBuffer.class));
    return MethodHandles.filterReturnValue(
        MethodHandles.filterArguments(resize, 0, ofAddress()), buffer);
  }

  private static MethodHandle address() throws ReflectiveOperationException {
    Class<?> segment = type("MemorySegment");
    MethodHandles.Lookup lookup = MethodHandles.lookup();
    return MethodHandles.filterReturnValue(
        lookup.findStatic(
            segment, "ofBuffer", MethodType.methodType(segment, java.nio.Buffer.class)),
        lookup.findVirtual(segment, "address", MethodType.methodType(long.class)));
  }

  private static MethodHandle ofAddress() throws ReflectiveOperationException {
    Class<?> segment = type("MemorySegment");
    return MethodHandles.lookup()
        .findStatic(segment, "ofAddress", MethodType.methodType(segment, long.class));
  }

  private static Method method(String type, String name, Class<?>... arguments)
      throws ReflectiveOperationException {
    return type(type).getMethod(name, arguments);
  }

  private static Class<?> type(String name) throws ClassNotFoundException {
    return Class.forName("java.lang.foreign." + name);
  }
}
