package io.trapscope.vmm.soft.mmu;

import java.util.ArrayList;
import java.util.List;

/**
 * Modelled host-physical memory: 4 KiB frames, handed out in address order and never freed before
 * the machine is closed.
 */
public final class HostMemory {
  /** The first frame's address. An arbitrary non-zero base, so that an HPA is never 0. */
  public static final long BASE = 0x1_0000_0000L;

  private final List<Frame> frames = new ArrayList<>();

  /** A fresh frame of zeros. */
  public Frame allocate() {
    Frame frame = new Frame(BASE + ((long) frames.size() << 12));
    frames.add(frame);
    return frame;
  }

  /** The frame at this host-physical address. */
  public Frame frame(long hpa) {
    return frames.get((int) (hpa - BASE >>> 12));
  }

  /** Frames handed out so far. */
  public int size() {
    return frames.size();
  }
}
