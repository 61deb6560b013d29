package io.trapscope.vmm.soft.decode;

import io.trapscope.vmm.soft.cpu.Block;
import io.trapscope.vmm.soft.cpu.Cpu;
import io.trapscope.vmm.soft.cpu.Handler;
import io.trapscope.vmm.soft.cpu.Mode;
import io.trapscope.vmm.soft.cpu.Op;
import io.trapscope.vmm.soft.decode.Opcode.Imm;
import io.trapscope.vmm.soft.exec.Faults;
import io.trapscope.vmm.soft.mmu.Bytes;
import io.trapscope.vmm.soft.mmu.Frame;

/**
 * Decodes blocks, driven by the {@link OpcodeTable}.
 *
 * <p>A block ends at an instruction that says so, before an instruction that does not lie wholly in
 * the page (unless it is the first), and at {@link #MAX_OPS}.
 */
public final class Decoder {
  /** Instructions a block has at most. */
  public static final int MAX_OPS = 64;

  private static final int MAX_LENGTH = 15;

  /** Entry of instructions that only fault. */
  private static final Opcode FAULTING =
      new Opcode("(bad)", Imm.NONE, Opcode.Size.B, Opcode.END, d -> Faults::undefined);

  /** The instruction reaches where the block may not. */
  private static final class Beyond extends RuntimeException {
    private static final long serialVersionUID = 1L;
    final transient Handler fault;

    Beyond(Handler fault) {
      super(null, null, false, false);
      this.fault = fault;
    }
  }

  private static final Beyond PAGE = new Beyond(null);
  private static final Beyond LIMIT = new Beyond(Faults::generalProtection);

  private final Cpu cpu;
  private final OpcodeTable table = OpcodeTable.get();
  private final Decoded d = new Decoded();
  private final Op[] ops = new Op[MAX_OPS];

  private Frame frame;
  private Frame second;
  private long linear;
  private int start;
  private int at;
  private int allowed;
  private int count;
  private boolean addressRelative;
  private int segment;

  public Decoder(Cpu cpu) {
    this.cpu = cpu;
  }

  /**
   * Decodes the block at the processor's RIP.
   *
   * @param in the frame of its first byte
   * @param at its linear address
   * @param csBase base of CS, 0 in 64-bit mode
   * @param csLimit limit of CS, 0 in 64-bit mode
   * @throws io.trapscope.vmm.soft.cpu.GuestFault where the first instruction cannot be fetched
   */
  public Block decode(Frame in, long at, long csBase, long csLimit) {
    frame = in;
    second = null;
    linear = at;
    this.at = (int) at & 4095;
    int from = this.at;
    count = 0;
    d.mode = cpu.mode;
    d.rip = cpu.rip;
    boolean more = true;
    while (more && count < MAX_OPS) {
      start = this.at;
      try {
        Op op = instruction();
        ops[count++] = op;
        more = !op.opcode().is(Opcode.END) && this.at < Frame.SIZE;
        d.rip = op.next();
      } catch (Beyond beyond) {
        this.at = start;
        if (count > 0) {
          break;
        }
        ops[count++] = bad(beyond.fault, start + 1);
        this.at = start + 1;
        more = false;
      }
    }
    Op[] block = java.util.Arrays.copyOf(ops, count);
    return new Block(frame, second, from, this.at - from, block, cpu.mode, csBase, csLimit);
  }

  private Op bad(Handler handler, int end) {
    d.entry = FAULTING;
    d.next = d.rip + end - start;
    d.rm = Op.NONE;
    d.base = Op.NONE;
    d.prefixes = 0;
    return d.op(handler);
  }

  private int next() {
    if (at - start >= MAX_LENGTH || at - start >= allowed) {
      throw LIMIT;
    }
    if (at < Frame.SIZE) {
      return frame.bytes[at++] & 0xff;
    }
    if (second == null) {
      if (count > 0) {
        throw PAGE;
      }
      second = cpu.codeFrame((linear | 4095) + 1);
    }
    return second.bytes[at++ - Frame.SIZE] & 0xff;
  }

  private long bytes(int n) {
    if (at + n <= Frame.SIZE && at + n - start <= Math.min(MAX_LENGTH, allowed)) {
      at += n;
      return Bytes.load(frame.bytes, at - n, n);
    }
    long value = 0;
    for (int i = 0; i < n; i++) {
      value |= (long) next() << 8 * i;
    }
    return value;
  }

  private Op instruction() {
    d.rex = 0;
    d.prefixes = 0;
    d.modrm = 0;
    d.disp = 0;
    d.imm = 0;
    d.reg = 0;
    d.rm = Op.MEMORY;
    d.base = Op.NONE;
    d.index = Op.NONE;
    d.scale = 0;
    addressRelative = false;
    segment = -1;
    allowed = MAX_LENGTH;
    if (!d.code64()) {
      long left = cpu.segLimit[Cpu.CS] - d.rip + 1;
      allowed = (int) Math.max(0, Math.min(MAX_LENGTH, left));
    }
    int mandatory = prefixes();
    int map = OpcodeTable.ONE;
    int opcode = d.opcode;
    if (opcode == 0x0f) {
      opcode = next();
      map = OpcodeTable.TWO;
      if (opcode == 0x38 || opcode == 0x3a) {
        map = opcode == 0x38 ? OpcodeTable.THREE_38 : OpcodeTable.THREE_3A;
        opcode = next();
      }
      d.opcode = opcode;
    }
    boolean hasModrm = table.hasModrm(map, opcode);
    if (hasModrm) {
      d.modrm = next();
    }
    Opcode entry = table.find(map, mandatory, opcode, d.modrm);
    if (entry == null) {
      return undefined(map, opcode);
    }
    d.entry = entry;
    d.size = size(entry);
    if (hasModrm) {
      modrm(entry);
    } else if (entry.is(Opcode.OPCODE_REG)) {
      d.rm = byteRegister(opcode & 7 | (d.rex & 1) << 3, d.size == 1);
    }
    if (entry.is(Opcode.ACCUMULATOR)) {
      d.rm = Cpu.RAX;
    }
    d.sub =
        entry.is(Opcode.GROUP)
            ? d.modrm >> 3 & 7
            : map == OpcodeTable.ONE && opcode < 0x40 ? opcode >> 3 : opcode & 15;
    d.seg = effectiveSegment();
    if (d.base >= 0 && d.index < 0 && d.seg < 0 && d.asize > 2) {
      d.scale = d.asize == 8 ? Op.BASE_DISP : Op.BASE_DISP_32;
    }
    immediate(entry.imm());
    d.next = d.rip + at - start;
    if (addressRelative) {
      d.disp += d.next;
    }
    if (entry.imm() == Imm.REL8 || entry.imm() == Imm.RELZ) {
      d.imm += d.next;
      d.imm = d.size == 8 ? d.imm : d.size == 4 ? d.imm & 0xffffffffL : d.imm & 0xffff;
    }
    return finish(entry);
  }

  private Op undefined(int map, int opcode) {
    int length = at - start;
    Op op = bad(Faults::undefinedAndCounted, at);
    return new Op(
        op.handler(),
        new Opcode(
            String.format("opcode %s%02x /%d", MAP_NAMES[map], opcode, d.modrm >> 3 & 7),
            Imm.NONE,
            Opcode.Size.B,
            Opcode.END,
            x -> null),
        (byte) 1,
        (byte) 8,
        (byte) 0,
        (byte) -1,
        (byte) -1,
        (byte) -1,
        (byte) 0,
        (byte) -1,
        (byte) 0,
        (byte) d.prefixes,
        (byte) d.modrm,
        0,
        0,
        d.rip,
        d.rip + length);
  }

  private static final String[] MAP_NAMES = {"", "0f ", "0f 38 ", "0f 3a "};

  /** Applies the checks that the bytes and the mode decide, and picks the handler. */
  private Op finish(Opcode entry) {
    boolean memory = d.isMemory() && entry.is(Opcode.MODRM);
    boolean protectedMode = (d.mode & Mode.PROTECTED) != 0;
    Handler handler = null;
    if (entry.is(cpu.absentFeatures())
        || entry.is(Opcode.NOT_64) && d.code64()
        || entry.is(Opcode.ONLY_64) && !d.code64()
        || entry.is(Opcode.PROTECTED) && !protectedMode
        || (d.prefixes & Op.LOCK) != 0 && !(entry.is(Opcode.LOCK) && memory)) {
      handler = Faults::undefined;
    }
    if (handler == null) {
      handler = fpuFault(entry);
    }
    if (handler != null) {
      return bad(handler, at);
    }
    handler = entry.selector().select(d);
    if (handler == null) {
      return d.op(Faults::undefined);
    }
    if (entry.is(Opcode.CPL0) && (d.mode & Mode.KERNEL) == 0) {
      return bad(Faults::generalProtection, at);
    }
    return d.op(handler);
  }

  private Handler fpuFault(Opcode entry) {
    boolean em = (d.mode & Mode.EM) != 0;
    boolean ts = (d.mode & Mode.TS) != 0;
    if (entry.is(Opcode.SSE) && (em || (d.mode & Mode.OSFXSR) == 0) || entry.is(Opcode.MMX) && em) {
      return Faults::undefined;
    }
    if (entry.is(Opcode.X87 | Opcode.FX) && (em || ts)
        || entry.is(Opcode.SSE | Opcode.MMX) && ts
        || entry.is(Opcode.WAIT) && ts && (d.mode & Mode.MP) != 0) {
      return Faults::noDevice;
    }
    return null;
  }

  /** Reads prefixes up to the first opcode byte; returns the mandatory-prefix column. */
  private int prefixes() {
    boolean data16 = false;
    boolean address = false;
    int repeat = 0;
    for (; ; ) {
      int b = next();
      switch (b) {
        case 0x66 -> data16 = true;
        case 0x67 -> address = true;
        case 0x26, 0x2e, 0x36, 0x3e -> segment = d.code64() ? segment : b >> 3 & 3;
        case 0x64, 0x65 -> segment = b & 7;
        case 0xf0 -> d.prefixes |= Op.LOCK;
        case 0xf2, 0xf3 -> repeat = b;
        default -> {
          if (d.code64() && (b & 0xf0) == 0x40) {
            d.rex = b;
            int after = next();
            if (!isPrefix(after)) {
              d.opcode = after;
              return columns(data16, address, repeat);
            }
            d.rex = 0;
            at--;
            continue;
          }
          d.opcode = b;
          return columns(data16, address, repeat);
        }
      }
    }
  }

  private static boolean isPrefix(int b) {
    return switch (b) {
      case 0x66, 0x67, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0xf0, 0xf2, 0xf3 -> true;
      default -> (b & 0xf0) == 0x40;
    };
  }

  private int columns(boolean data16, boolean address, int repeat) {
    int code = d.mode & Mode.CODE;
    d.asize = code == Mode.CODE_64 ? address ? 4 : 8 : (code == Mode.CODE_32) != address ? 4 : 2;
    d.prefixes |= data16 ? Op.OPERAND_SIZE : 0;
    d.prefixes |= (d.rex & 8) != 0 ? Op.REX_W : 0;
    d.prefixes |= repeat == 0xf3 ? Op.REP : repeat == 0xf2 ? Op.REPNE : 0;
    return repeat == 0xf3
        ? OpcodeTable.PF3
        : repeat == 0xf2 ? OpcodeTable.PF2 : data16 ? OpcodeTable.P66 : OpcodeTable.NP;
  }

  private int size(Opcode entry) {
    boolean data16 = (d.prefixes & Op.OPERAND_SIZE) != 0;
    boolean wide = (d.rex & 8) != 0;
    int code = d.mode & Mode.CODE;
    boolean is64 = code == Mode.CODE_64;
    int legacy = (code == Mode.CODE_16) == data16 ? 4 : 2;
    return switch (entry.size()) {
      case B -> 1;
      case W -> 2;
      case D -> 4;
      case Q -> 8;
      case X -> 16;
      case V -> wide ? 8 : legacy;
      case D64 -> is64 ? data16 && !wide ? 2 : 8 : legacy;
      case F64 -> is64 ? 8 : legacy;
      case Y -> wide ? 8 : 4;
      case NATIVE -> is64 ? 8 : 4;
    };
  }

  private int byteRegister(int n, boolean isByte) {
    return isByte && d.rex == 0 && n >= 4 && n < 8 ? n + 12 : n;
  }

  private void modrm(Opcode entry) {
    boolean bytes = d.size == 1 && !entry.is(Opcode.NOT_GPR);
    int reg = d.modrm >> 3 & 7 | (d.rex & 4) << 1;
    d.reg = byteRegister(reg, bytes && !entry.is(Opcode.GROUP));
    int rm = d.modrm & 7;
    int mod = entry.is(Opcode.REG_ALWAYS) ? 3 : d.modrm >> 6;
    if (mod == 3) {
      d.rm = byteRegister(rm | (d.rex & 1) << 3, bytes || entry.is(Opcode.RM_BYTE));
    } else if (d.asize == 2) {
      memory16(mod, rm);
    } else {
      memory(mod, rm);
    }
  }

  private void memory16(int mod, int rm) {
    d.base = BASE_16[rm];
    d.index = INDEX_16[rm];
    if (mod == 0 && rm == 6) {
      d.base = Op.NONE;
      d.disp = bytes(2);
    } else if (mod == 1) {
      d.disp = (byte) next();
    } else if (mod == 2) {
      d.disp = (short) bytes(2);
    }
  }

  /** BX, BX, BP, BP, SI, DI, BP, BX. */
  private static final int[] BASE_16 = {3, 3, 5, 5, 6, 7, 5, 3};

  private static final int[] INDEX_16 = {6, 7, 6, 7, -1, -1, -1, -1};

  private void memory(int mod, int rm) {
    int base = rm | (d.rex & 1) << 3;
    boolean none = mod == 0 && rm == 5;
    if (rm == 4) {
      int sib = next();
      int index = sib >> 3 & 7 | (d.rex & 2) << 2;
      d.index = index == 4 ? Op.NONE : index;
      d.scale = sib >> 6;
      base = sib & 7 | (d.rex & 1) << 3;
      none = mod == 0 && (sib & 7) == 5;
    } else if (none) {
      addressRelative = d.code64();
    }
    d.base = none ? Op.NONE : base;
    if (mod == 1) {
      d.disp = (byte) next();
    } else if (mod == 2 || none) {
      d.disp = (int) bytes(4);
    }
  }

  private int effectiveSegment() {
    boolean stack = d.base == 4 || d.base == 5;
    int seg = segment >= 0 ? segment : stack ? Cpu.SS : Cpu.DS;
    if (d.code64()) {
      return seg >= Cpu.FS ? Op.BASE_ONLY + seg : Op.NONE;
    }
    return (d.mode & Mode.FLAT) != 0 && seg < Cpu.FS ? Op.NONE : seg;
  }

  private void immediate(Imm kind) {
    switch (kind) {
      case NONE -> {}
      case BYTE, REL8 -> d.imm = (byte) next();
      case UBYTE -> d.imm = next();
      case WORD -> d.imm = bytes(2);
      case Z, RELZ ->
          d.imm = d.size == 1 ? (byte) next() : d.size == 2 ? (short) bytes(2) : (int) bytes(4);
      case V -> d.imm = d.size == 1 ? next() : bytes(d.size);
      case FAR -> {
        long offset = bytes(d.size);
        d.imm = bytes(2) << 32 | offset;
      }
      case MOFFS -> d.disp = bytes(d.asize);
      case ENTER -> {
        long bytes = bytes(2);
        d.imm = (long) next() << 16 | bytes;
      }
    }
  }
}
