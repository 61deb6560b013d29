package io.trapscope.vmm.hypervisor;

/**
 * What is done to guest memory on a host that has a say in it. All of it is for {@code kvm}; {@code
 * soft} shows every fault anyway.
 *
 * @param faults whether each first touch of a page is told, by {@link Vm#onFault}
 * @param dirty how writes are tracked, for {@link Vm#dirtyPages}
 * @param prefault whether all of it is backed and mapped before the guest runs
 * @param pages how the host backs it
 */
public record MemoryOptions(boolean faults, Dirty dirty, boolean prefault, Pages pages) {
  /** Nothing of it. */
  public static final MemoryOptions DEFAULT =
      new MemoryOptions(false, Dirty.NONE, false, Pages.DEFAULT);

  /** How writes are tracked. */
  public enum Dirty {
    /** Not at all. */
    NONE,
    /** As it suits the host. */
    AUTO,
    /** By a bitmap of all memory. */
    LOG,
    /** By a ring of each vCPU's, which tells whose writes they were. */
    RING
  }

  /** Pages of the host. */
  public enum Pages {
    /** As the host does it by itself. */
    DEFAULT(0),
    /** Transparent huge pages are asked for. */
    TRANSPARENT(0),
    /** Reserved pages of 2 MiB. */
    HUGE_2M(21),
    /** Reserved pages of 1 GiB. */
    HUGE_1G(30);

    private final int shift;

    Pages(int shift) {
      this.shift = shift;
    }

    /** log2 of the size of a reserved page; 0 where none are reserved. */
    public int shift() {
      return shift;
    }
  }
}
