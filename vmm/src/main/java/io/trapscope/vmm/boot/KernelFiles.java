package io.trapscope.vmm.boot;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;

/**
 * What the user names for a boot: a kernel, files that go beside it, and a command line.
 *
 * @param name the kernel file's name, for messages
 * @param kernel the kernel as it is on disk, or as it was inside a compressed file
 * @param modules the RAM disk and other files, in order, as they are on disk
 * @param commandLine for the kernel; may be empty
 */
record KernelFiles(String name, byte[] kernel, List<Module> modules, String commandLine) {

  /**
   * A file beside the kernel.
   *
   * @param name its file's name, for messages
   * @param text what the kernel is told of it
   */
  record Module(String name, byte[] bytes, String text) {}

  /**
   * Reads the files, and unpacks the kernel where it is compressed as a whole.
   *
   * @throws BootException where a file cannot be read or is damaged
   */
  static KernelFiles read(BootModule kernel, List<BootModule> modules, String commandLine) {
    String name = kernel.text();
    byte[] image = contents(kernel.file());
    Unpacker.Format format = Unpacker.Format.of(image, 0);
    if (format != null) {
      image = Unpacker.unpack(format, image, 0, image.length, name);
    }
    List<Module> contents =
        modules.stream()
            .map(m -> new Module(m.file().toString(), contents(m.file()), m.text()))
            .toList();
    return new KernelFiles(name, image, contents, commandLine);
  }

  private static byte[] contents(Path file) {
    byte[] bytes;
    try {
      bytes = Files.readAllBytes(file);
    } catch (NoSuchFileException e) {
      throw new BootException(file + ": no such file", e);
    } catch (AccessDeniedException e) {
      throw new BootException(file + ": permission denied", e);
    } catch (IOException | OutOfMemoryError e) {
      throw new BootException(file + ": cannot be read: " + e.getMessage(), e);
    }
    if (bytes.length == 0) {
      throw new BootException(file + ": the file is empty");
    }
    return bytes;
  }
}
