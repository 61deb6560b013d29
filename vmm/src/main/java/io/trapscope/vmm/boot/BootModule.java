package io.trapscope.vmm.boot;

import java.nio.file.Path;

/**
 * A file that goes to a kernel beside its image: its RAM disk, or a Multiboot or PVH module.
 *
 * @param file where it is
 * @param text what the kernel is told of it: a command line, by custom beginning with its name
 */
public record BootModule(Path file, String text) {

  /** A module whose text is its file's name. */
  public static BootModule of(Path file) {
    return new BootModule(file, file.toString());
  }
}
