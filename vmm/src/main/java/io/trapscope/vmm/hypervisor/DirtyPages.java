package io.trapscope.vmm.hypervisor;

/** Takes ranges of guest RAM that were written. */
public interface DirtyPages {

  /**
   * @param gpa of the first page
   * @param pages how many pages of 4 KiB, at least 1
   */
  void range(long gpa, long pages);
}
