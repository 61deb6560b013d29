package io.trapscope.vmm.soft.jit;

import io.trapscope.vmm.soft.cpu.Block;
import io.trapscope.vmm.soft.cpu.Code;
import io.trapscope.vmm.soft.cpu.CpuRegisters;
import io.trapscope.vmm.soft.cpu.Op;
import io.trapscope.vmm.soft.decode.Opcode;
import java.lang.invoke.MethodHandles;
import java.util.List;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/**
 * Writes the class of a region. For two blocks, the second a loop back to the first:
 *
 * <pre>
 *   run(cpu):
 *     if (cpu == null) return;                 // see RegionCompiler
 *     switch (cpu.entryBlock) {0: goto body0; 1: cpu.retired -= base1; goto body1;}
 *   check0:                                  // where code goes back
 *     if (!cpu.mayGoOn(base0 + need0)) { rip = rip0; count = base0; goto exit; }
 *   body0:
 *     ... the instructions of block 0, see Translator
 *     if (condition) { cpu.retired += count0 + base0 - base1; goto body1; }
 *     rip = end0; count = base0 + count0; goto exit;
 *   body1: ...
 *     cpu.retired += count1 + base1 - base0; goto check0;
 *   exit:
 *     cpu.rip = rip; cpu.retired += count; return;
 * </pre>
 *
 * <p>{@code retired} is kept less by the block's base, so that with {@code index}, which counts
 * through the whole region, it is right at every instruction.
 */
final class RegionWriter {
  static final String NAME = "io/trapscope/vmm/soft/jit/Generated";
  private static final String CONSTRUCTOR = "([L" + Emitter.OP + ";Ljava/util/List;[I)V";

  private final Region region;
  private final ClassWriter writer = new ClassWriter(ClassWriter.COMPUTE_MAXS);
  private final Label[] checks;
  private final Label[] bodies;

  /** Leaves: RIP is in {@link Emitter#VALUE}, what to add to the count in the int. */
  private final Label exit = new Label();

  private final int[] needs;
  private MethodVisitor m;
  private Emitter e;
  private Translator translator;

  private RegionWriter(Region region) {
    this.region = region;
    needs = region.needs();
    checks = new Label[region.blocks.size()];
    bodies = new Label[checks.length];
    for (int i = 0; i < checks.length; i++) {
      checks[i] = new Label();
      bodies[i] = new Label();
    }
  }

  static Code generate(Region region) {
    byte[] bytes = new RegionWriter(region).write();
    try {
      MethodHandles.Lookup lookup = MethodHandles.lookup().defineHiddenClass(bytes, true);
      return (Code)
          lookup
              .lookupClass()
              .getConstructor(Op[].class, List.class, int[].class)
              .newInstance(region.ops, region.blocks, region.needs());
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("generated code could not be loaded", e);
    }
  }

  private byte[] write() {
    int access = Opcodes.ACC_PUBLIC | Opcodes.ACC_FINAL;
    writer.visit(Opcodes.V17, access, NAME, null, Emitter.CODE, null);
    constructor();
    m = writer.visitMethod(Opcodes.ACC_PUBLIC, "run", "(L" + Emitter.CPU + ";)V", null, null);
    m.visitCode();
    e = new Emitter(m);
    translator = new Translator(e);
    entry();
    for (int i = 0; i < checks.length; i++) {
      block(i);
    }
    exit();
    m.visitMaxs(0, 0);
    m.visitEnd();
    writer.visitEnd();
    return writer.toByteArray();
  }

  private void constructor() {
    m = writer.visitMethod(Opcodes.ACC_PUBLIC, "<init>", CONSTRUCTOR, null, null);
    m.visitCode();
    m.visitVarInsn(Opcodes.ALOAD, 0);
    m.visitVarInsn(Opcodes.ALOAD, 1);
    m.visitVarInsn(Opcodes.ALOAD, 2);
    m.visitVarInsn(Opcodes.ALOAD, 3);
    m.visitMethodInsn(Opcodes.INVOKESPECIAL, Emitter.CODE, "<init>", CONSTRUCTOR, false);
    m.visitInsn(Opcodes.RETURN);
    m.visitMaxs(0, 0);
    m.visitEnd();
  }

  private void entry() {
    Label real = new Label();
    e.cpu();
    m.visitJumpInsn(Opcodes.IFNONNULL, real);
    m.visitInsn(Opcodes.RETURN);
    m.visitLabel(real);
    m.visitFrame(Opcodes.F_SAME, 0, null, 0, null);
    e.prologue();
    Label[] entries = new Label[bodies.length];
    for (int i = 0; i < entries.length; i++) {
      entries[i] = i == 0 ? bodies[0] : new Label();
    }
    if (entries.length > 1) {
      e.cpu();
      m.visitFieldInsn(Opcodes.GETFIELD, Emitter.CPU, "entryBlock", "I");
      m.visitTableSwitchInsn(0, entries.length - 1, entries[0], entries);
    } else {
      m.visitJumpInsn(Opcodes.GOTO, bodies[0]);
    }
    for (int i = 1; i < entries.length; i++) {
      e.label(entries[i]);
      addRetired(-region.bases.get(i));
      m.visitJumpInsn(Opcodes.GOTO, bodies[i]);
    }
  }

  private void block(int i) {
    Block block = region.blocks.get(i);
    if (region.isGoneBackTo(i)) {
      e.label(checks[i]);
      check(i);
    }
    e.label(bodies[i]);
    translator.begin(block, region.bases.get(i));
    int last = block.count - 1;
    for (int k = 0; k < last; k++) {
      translator.translate(k);
    }
    Op op = block.ops[last];
    translator.at(last);
    if (!op.opcode().is(Opcode.END)) {
      translator.translate(last);
      goTo(i, block.end());
    } else if (!branch(i, op, last)) {
      handler(i, last);
    }
  }

  /** Leaves where not all that follows fits before the deadline, or another thread wants to. */
  private void check(int i) {
    e.cpu();
    e.constant(region.bases.get(i) + needs[i]);
    e.call("mayGoOn", "(I)Z");
    m.visitJumpInsn(Opcodes.IFNE, bodies[i]);
    leave(region.blocks.get(i).rip(), region.bases.get(i));
  }

  /** Whether the block's last instruction is a branch that is known here. */
  private boolean branch(int i, Op op, int last) {
    FlagState flags = translator.flags();
    switch (op.opcode().kind()) {
      case JCC -> {
        if (!hasNoLimit(i, op)) {
          return false;
        }
        flags.flush();
        Label taken = new Label();
        flags.jumpIf(op.sub(), taken);
        goTo(i, op.next());
        e.label(taken);
        goTo(i, op.imm());
      }
      case JMP -> {
        if (!hasNoLimit(i, op)) {
          return false;
        }
        flags.flush();
        goTo(i, op.imm());
      }
      case CALL -> {
        if (op.size() != 8) {
          return false;
        }
        flags.flush();
        e.constant(op.next());
        translator.moves().push();
        goTo(i, op.imm());
      }
      case RET -> {
        if (op.size() != 8) {
          return false;
        }
        flags.flush();
        e.cpu();
        e.gpr(CpuRegisters.RSP);
        e.read(8);
        e.store(Emitter.VALUE);
        checkTarget();
        e.gpr(CpuRegisters.RSP);
        e.constant(8L);
        m.visitInsn(Opcodes.LADD);
        e.setGpr(CpuRegisters.RSP);
        goToValue(i);
      }
      case JMP_M -> {
        if (op.size() != 8) {
          return false;
        }
        flags.flush();
        if (op.isMemory()) {
          e.loadMemory(op, 8);
        } else {
          e.gpr(op.rm());
        }
        e.store(Emitter.VALUE);
        checkTarget();
        goToValue(i);
      }
      default -> {
        return false;
      }
    }
    return true;
  }

  /** Whether no target can lie beyond the limit of CS. */
  private boolean hasNoLimit(int i, Op op) {
    return op.size() == 8 || region.blocks.get(i).isFlat();
  }

  private void checkTarget() {
    e.cpu();
    e.load(Emitter.VALUE);
    e.tellIndex();
    e.support("checkTarget", "(L" + Emitter.CPU + ";J)V");
  }

  /** Ends with the handler of the last instruction, which may have set RIP. */
  private void handler(int i, int last) {
    Block block = region.blocks.get(i);
    e.putConstant("rip", block.end());
    translator.translate(last);
    if (block.ops[last].opcode().is(Opcode.LINKS)) {
      e.getLong("rip");
      e.store(Emitter.VALUE);
      goToValue(i);
    } else {
      addRetired(region.bases.get(i) + block.count);
      m.visitInsn(Opcodes.RETURN);
    }
  }

  /** Goes on at the RIP in {@link Emitter#VALUE}: in the region, or behind it. */
  private void goToValue(int i) {
    for (int next : region.followers(i)) {
      Label other = new Label();
      e.load(Emitter.VALUE);
      e.constant(region.blocks.get(next).rip());
      m.visitInsn(Opcodes.LCMP);
      m.visitJumpInsn(Opcodes.IFNE, other);
      follow(i, next);
      e.label(other);
    }
    leave(region.bases.get(i) + region.blocks.get(i).count);
  }

  /** Goes on at a RIP that is known: in the region, or behind it. */
  private void goTo(int i, long rip) {
    translator.flags().flush();
    int next = region.follower(i, rip);
    if (next >= 0) {
      follow(i, next);
      return;
    }
    leave(rip, region.bases.get(i) + region.blocks.get(i).count);
  }

  private void follow(int i, int next) {
    if (region.crosses(i, next)) {
      Label known = new Label();
      m.visitVarInsn(Opcodes.ALOAD, 0);
      e.cpu();
      e.constant(next);
      m.visitMethodInsn(
          Opcodes.INVOKEVIRTUAL, Emitter.CODE, "isCurrent", "(L" + Emitter.CPU + ";I)Z", false);
      m.visitJumpInsn(Opcodes.IFNE, known);
      leave(region.blocks.get(next).rip(), region.bases.get(i) + region.blocks.get(i).count);
      e.label(known);
    }
    addRetired(region.blocks.get(i).count + region.bases.get(i) - region.bases.get(next));
    m.visitJumpInsn(Opcodes.GOTO, next > i ? bodies[next] : checks[next]);
  }

  private void leave(long rip, int retired) {
    e.constant(rip);
    e.store(Emitter.VALUE);
    leave(retired);
  }

  /** Leaves for the RIP in {@link Emitter#VALUE}. */
  private void leave(int retired) {
    e.constant(retired);
    m.visitVarInsn(Opcodes.ISTORE, Emitter.INT_LOCAL);
    m.visitJumpInsn(Opcodes.GOTO, exit);
  }

  private void exit() {
    e.label(exit);
    e.putLong("rip", Emitter.VALUE);
    e.cpu();
    m.visitInsn(Opcodes.DUP);
    m.visitFieldInsn(Opcodes.GETFIELD, Emitter.CPU, "retired", "J");
    m.visitVarInsn(Opcodes.ILOAD, Emitter.INT_LOCAL);
    m.visitInsn(Opcodes.I2L);
    m.visitInsn(Opcodes.LADD);
    m.visitFieldInsn(Opcodes.PUTFIELD, Emitter.CPU, "retired", "J");
    m.visitInsn(Opcodes.RETURN);
  }

  private void addRetired(int by) {
    if (by == 0) {
      return;
    }
    e.cpu();
    m.visitInsn(Opcodes.DUP);
    m.visitFieldInsn(Opcodes.GETFIELD, Emitter.CPU, "retired", "J");
    e.constant((long) by);
    m.visitInsn(Opcodes.LADD);
    m.visitFieldInsn(Opcodes.PUTFIELD, Emitter.CPU, "retired", "J");
  }
}
