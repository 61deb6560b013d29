package io.trapscope.vmm.soft.cpu;

import io.trapscope.vmm.soft.mmu.Frame;
import java.util.ArrayList;
import java.util.List;

/**
 * A run of decoded instructions without a branch but at its end, from one page; the last
 * instruction may reach into the next page, and then it is the only one.
 */
public final class Block {
  /** Bytes a block has at most: 64 instructions of 15. */
  public static final int MAX_BYTES = 960;

  /** Stamp of a block that may not run before it was looked up again. */
  static final long STALE = -1;

  /** Where the first byte lies. */
  public final Frame frame;

  /** Where the last bytes lie, if the only instruction crosses into another page; else null. */
  public final Frame secondFrame;

  public final Op[] ops;

  /** Instructions in it. */
  public final int count;

  /** RIP of the first instruction. */
  final long rip;

  /** RIP after the last. */
  final long end;

  final int mode;

  /** Base of CS it was decoded with: RIP + base is the linear address. */
  final long csBase;

  /** Limit of CS it was decoded with: instructions beyond it are not what their bytes say. */
  final long csLimit;

  private final int from;
  private final int to;
  private Block next;
  private Block nextInSecond;
  private boolean valid = true;

  /** TLB generation and mode in which it is known to be what lies at its RIP. */
  long stamp = STALE;

  /** The same for flushes that spare global pages; {@link #STALE} where its page is not global. */
  long globalStamp = STALE;

  /** Successors found before. */
  Block link0 = NEVER;

  Block link1 = NEVER;

  /** Times interpreted since code was last asked for. */
  int heat;

  /** Code is being generated for it. */
  boolean requested;

  final Code interpreted;

  /** How to run it: interpreted, or generated code. */
  Code code;

  /** Its index in generated code. */
  int entry;

  /** Instructions until which {@link #code} does not look at the deadline. */
  int need;

  public Block(
      Frame frame,
      Frame secondFrame,
      int from,
      int length,
      Op[] ops,
      int mode,
      long csBase,
      long csLimit) {
    this.frame = frame;
    this.secondFrame = secondFrame;
    this.from = from;
    to = from + length;
    this.ops = ops;
    count = ops.length;
    rip = ops[0].rip();
    end = ops[ops.length - 1].next();
    this.mode = mode;
    this.csBase = csBase;
    this.csLimit = csLimit;
    interpreted = new Interpreted(this);
    interpret();
  }

  private Block() {
    frame = null;
    secondFrame = null;
    from = 0;
    to = 0;
    ops = new Op[0];
    count = 0;
    rip = 0;
    end = 0;
    mode = -1;
    csBase = 0;
    csLimit = 0;
    interpreted = null;
  }

  /** A block that is never the one wanted. */
  static final Block NEVER = new Block();

  /** Remembers a successor. */
  void link(Block successor) {
    if (link0 == NEVER) {
      link0 = successor;
    } else {
      link1 = link0;
      link0 = successor;
    }
  }

  /** First byte in this frame. */
  public int from(Frame in) {
    return in == frame ? from : 0;
  }

  /** Byte after the last in this frame. */
  public int to(Frame in) {
    return in == frame ? Math.min(to, Frame.SIZE) : to - Frame.SIZE;
  }

  public boolean overlaps(Frame in, int offset, int length) {
    return offset < to(in) && offset + length > from(in);
  }

  /** Whether it is what runs at this RIP in this mode, if its bytes lie there. */
  public boolean matches(long otherRip, int otherMode, long otherBase, long otherLimit) {
    return valid
        && rip == otherRip
        && mode == otherMode
        && csBase == otherBase
        && csLimit == otherLimit;
  }

  public boolean isValid() {
    return valid;
  }

  /** The bytes have changed: it never runs again. */
  public void invalidate() {
    valid = false;
    stamp = STALE;
    globalStamp = STALE;
    link0 = NEVER;
    link1 = NEVER;
    code.revoke();
  }

  /** It is part {@code index} of generated code, which is to be used. */
  void runBy(Code generated, int index, int instructions) {
    code = generated;
    entry = index;
    need = instructions;
  }

  /** Its generated code is no longer to be used. */
  void interpret() {
    code = interpreted;
    need = count;
  }

  /** Whether CS, DS, ES and SS are flat where it runs: see {@link Mode#FLAT}. */
  public boolean isFlat() {
    return (mode & Mode.FLAT) != 0;
  }

  /** Whether code may be generated for it: there is none yet, and all of it is in one page. */
  public boolean isFree() {
    return valid && !requested && code == interpreted && secondFrame == null;
  }

  /** Code is going to be generated for it. */
  public void request() {
    requested = true;
  }

  /** RIP of the first instruction. */
  public long rip() {
    return rip;
  }

  /** RIP after the last instruction. */
  public long end() {
    return end;
  }

  /** Times it has been interpreted since code was last asked for. */
  public int heat() {
    return heat;
  }

  /** The blocks that have followed it last, at most two. */
  public List<Block> successors() {
    List<Block> found = new ArrayList<>(2);
    if (link0 != NEVER) {
      found.add(link0);
    }
    if (link1 != NEVER && link1 != link0) {
      found.add(link1);
    }
    return found;
  }

  /** Whether mode and code segment are those of another block. */
  public boolean runsLike(Block other) {
    return mode == other.mode && csBase == other.csBase && csLimit == other.csLimit;
  }

  /** Next in the frame's chain. */
  public Block nextInFrame(Frame in) {
    return in == frame ? next : nextInSecond;
  }

  public void setNextInFrame(Frame in, Block block) {
    if (in == frame) {
      next = block;
    } else {
      nextInSecond = block;
    }
  }
}
