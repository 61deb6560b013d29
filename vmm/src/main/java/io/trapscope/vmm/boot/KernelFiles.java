package io.trapscope.vmm.boot;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * What the user names for a boot: a kernel, perhaps an initial RAM disk, and a command line.
 *
 * @param name the kernel file's name, for messages
 * @param kernel the kernel as it is on disk, or as it was inside a compressed file
 * @param initrdName the RAM disk's file name; empty where there is none
 * @param initrd the RAM disk as it is on disk; empty where there is none
 * @param commandLine for the kernel; may be empty
 */
record KernelFiles(
    String name, byte[] kernel, String initrdName, byte[] initrd, String commandLine) {

  /**
   * Reads the files, and unpacks the kernel where it is compressed as a whole.
   *
   * @param initrd null for none
   * @throws BootException where a file cannot be read or is damaged
   */
  static KernelFiles read(Path kernel, Path initrd, String commandLine) {
    String name = kernel.toString();
    byte[] image = contents(kernel);
    Unpacker.Format format = Unpacker.Format.of(image, 0);
    if (format != null) {
      image = Unpacker.unpack(format, image, 0, image.length, name);
    }
    return initrd == null
        ? new KernelFiles(name, image, "", new byte[0], commandLine)
        : new KernelFiles(name, image, initrd.toString(), contents(initrd), commandLine);
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
