package io.trapscope.vmm.memory;

/**
 * A range of guest-physical memory.
 *
 * @param base first address, a multiple of 4 KiB
 * @param length bytes, a multiple of 4 KiB, at least 1 page
 * @param name for listings, such as {@code ram-low}
 */
public record MemoryRegion(long base, long length, String name) {

  /** The first address after the region. */
  public long end() {
    return base + length;
  }

  /** Whether all {@code bytes} from {@code gpa} on lie inside. */
  public boolean contains(long gpa, long bytes) {
    return gpa >= base && bytes >= 0 && bytes <= length && gpa - base <= length - bytes;
  }
}
