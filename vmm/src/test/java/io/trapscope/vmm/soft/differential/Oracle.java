package io.trapscope.vmm.soft.differential;

import java.io.DataInputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The processor of the host, driven through the helper {@code oracle.c}. */
final class Oracle implements AutoCloseable {
  private final Process process;
  private final DataInputStream results;
  private final OutputStream cases;

  private Oracle(Process process) {
    this.process = process;
    results = new DataInputStream(process.getInputStream());
    cases = process.getOutputStream();
  }

  /** Why there is no oracle here, or null where there is one. */
  static String missing() {
    String arch = System.getProperty("os.arch");
    if (!System.getProperty("os.name").equals("Linux")) {
      return "the oracle needs Linux";
    }
    if (!arch.equals("amd64") && !arch.equals("x86_64")) {
      return "the oracle needs an x86-64 processor, this is " + arch;
    }
    try {
      Process gcc =
          new ProcessBuilder("gcc", "-fsyntax-only", "-include", "errno.h", "-x", "c", "/dev/null")
              .redirectErrorStream(true)
              .start();
      gcc.getInputStream().readAllBytes();
      return gcc.waitFor() == 0
          ? null
          : "gcc does not work here, or has no C library to build with";
    } catch (IOException e) {
      return "the oracle is built with gcc, which is not installed";
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "interrupted";
    }
  }

  /** Whether the host's processor has a feature, by its name in /proc/cpuinfo. */
  static boolean hostHas(String feature) throws IOException {
    return List.of(hostSays("flags").split(" ")).contains(feature);
  }

  /** Whether the host's processor is Intel's, which is what {@code soft} models. */
  static boolean hostIsIntel() throws IOException {
    return hostSays("vendor_id").equals("GenuineIntel");
  }

  private static String hostSays(String key) throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/cpuinfo"))) {
      if (line.startsWith(key)) {
        return line.substring(line.indexOf(':') + 1).trim();
      }
    }
    return "";
  }

  /** Builds the helper and starts it. */
  static Oracle start() throws IOException, InterruptedException {
    Path folder = Files.createTempDirectory("oracle");
    Path source = folder.resolve("oracle.c");
    Path binary = folder.resolve("oracle");
    Files.copy(nativeSource(), source);
    Process gcc =
        new ProcessBuilder("gcc", "-O2", "-static-pie", "-o", binary.toString(), source.toString())
            .redirectErrorStream(true)
            .start();
    String messages = new String(gcc.getInputStream().readAllBytes());
    if (gcc.waitFor() != 0) {
      throw new IOException("gcc could not build oracle.c: " + messages);
    }
    Process process =
        new ProcessBuilder(binary.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    Oracle oracle = new Oracle(process);
    oracle.awaitFirst();
    Files.delete(binary);
    Files.delete(source);
    Files.delete(folder);
    return oracle;
  }

  /** The helper's source, from the module's folder or the repository's. */
  private static Path nativeSource() throws IOException {
    for (String base : new String[] {"", "vmm/"}) {
      Path path = Path.of(base + "src/test/native/oracle.c");
      if (Files.exists(path)) {
        return path;
      }
    }
    throw new IOException("src/test/native/oracle.c not found from here");
  }

  private void awaitFirst() throws IOException {
    TestCase nothing = new TestCase();
    TestResult result = run(List.of(nothing)).get(0);
    if (result.vector != 3) {
      throw new IOException("the oracle answered vector " + result.vector + " to an empty case");
    }
  }

  /** Sends cases; results come from {@link #receive}. At most 32 at a time. */
  void send(List<TestCase> batch) throws IOException {
    ByteBuffer buffer =
        ByteBuffer.allocate(batch.size() * TestCase.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (TestCase test : batch) {
      test.write(buffer);
    }
    cases.write(buffer.array());
    cases.flush();
  }

  List<TestResult> receive(int count) throws IOException {
    byte[] bytes = new byte[count * TestResult.BYTES];
    results.readFully(bytes);
    ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    List<TestResult> list = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      list.add(TestResult.read(buffer));
    }
    return list;
  }

  List<TestResult> run(List<TestCase> batch) throws IOException {
    send(batch);
    return receive(batch.size());
  }

  TestResult run(TestCase test) throws IOException {
    return run(List.of(test)).get(0);
  }

  @Override
  public void close() throws IOException {
    cases.close();
    results.close();
    try {
      if (!process.waitFor(5, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}
