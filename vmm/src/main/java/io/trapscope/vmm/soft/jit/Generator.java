package io.trapscope.vmm.soft.jit;

import io.trapscope.vmm.soft.cpu.Block;
import io.trapscope.vmm.soft.cpu.Code;
import io.trapscope.vmm.soft.cpu.Op;
import java.lang.invoke.MethodHandles;
import java.util.List;
import org.objectweb.asm.ClassWriter;
import org.objectweb.asm.Label;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;
import org.objectweb.asm.Type;

/**
 * Writes the class of a region. For two blocks, the second a loop back to the first:
 *
 * <pre>
 *   run(cpu):
 *     goto body0
 *   check0:                                  // reached only from inside
 *     if (cpu.limit - cpu.retired &lt; base0 + count0 || cpu.kicked) {
 *       cpu.retired += base0; return;
 *     }
 *   body0:
 *     cpu.rip = end0
 *     cpu.index = 0; OP0.handler().exec(cpu, OP0)
 *     cpu.index = 1; OP1.handler().exec(cpu, OP1)
 *     if (cpu.rip == rip1) { cpu.retired += count0 + base0 - base1; goto check1; }
 *     cpu.retired += base0 + count0; return
 *   check1: ...
 * </pre>
 *
 * <p>Every op is a static final field, so its handler and operands are constants to the JVM. {@code
 * retired} is kept less by the block's base, so that with {@code index}, which counts through the
 * whole region, it is right at every instruction.
 */
final class Generator {
  private static final String CPU = "io/trapscope/vmm/soft/cpu/Cpu";
  private static final String CODE = "io/trapscope/vmm/soft/cpu/Code";
  private static final String OP = "io/trapscope/vmm/soft/cpu/Op";
  private static final String OP_TYPE = "L" + OP + ";";
  private static final String HANDLER = "io/trapscope/vmm/soft/cpu/Handler";
  private static final String NAME = "io/trapscope/vmm/soft/jit/Generated";

  private final Region region;
  private final ClassWriter writer = new ClassWriter(ClassWriter.COMPUTE_MAXS);
  private MethodVisitor m;
  private Label[] checks;

  private Generator(Region region) {
    this.region = region;
  }

  static Code generate(Region region) {
    byte[] bytes = new Generator(region).write();
    try {
      MethodHandles.Lookup lookup =
          MethodHandles.lookup().defineHiddenClassWithClassData(bytes, region.ops, true);
      return (Code)
          lookup.lookupClass().getConstructor(Op[].class).newInstance((Object) region.ops);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("generated code could not be loaded", e);
    }
  }

  private byte[] write() {
    writer.visit(Opcodes.V17, Opcodes.ACC_PUBLIC | Opcodes.ACC_FINAL, NAME, null, CODE, null);
    for (int i = 0; i < region.ops.length; i++) {
      writer.visitField(Opcodes.ACC_STATIC | Opcodes.ACC_FINAL, "OP" + i, OP_TYPE, null, null);
    }
    initializer();
    constructor();
    run();
    writer.visitEnd();
    return writer.toByteArray();
  }

  /** Takes the ops out of the class data. */
  private void initializer() {
    m = writer.visitMethod(Opcodes.ACC_STATIC, "<clinit>", "()V", null, null);
    m.visitCode();
    m.visitMethodInsn(
        Opcodes.INVOKESTATIC,
        "java/lang/invoke/MethodHandles",
        "lookup",
        "()Ljava/lang/invoke/MethodHandles$Lookup;",
        false);
    m.visitLdcInsn("_");
    m.visitLdcInsn(Type.getType("[" + OP_TYPE));
    m.visitMethodInsn(
        Opcodes.INVOKESTATIC,
        "java/lang/invoke/MethodHandles",
        "classData",
        "(Ljava/lang/invoke/MethodHandles$Lookup;Ljava/lang/String;Ljava/lang/Class;)"
            + "Ljava/lang/Object;",
        false);
    m.visitTypeInsn(Opcodes.CHECKCAST, "[" + OP_TYPE);
    m.visitVarInsn(Opcodes.ASTORE, 0);
    for (int i = 0; i < region.ops.length; i++) {
      m.visitVarInsn(Opcodes.ALOAD, 0);
      m.visitIntInsn(Opcodes.SIPUSH, i);
      m.visitInsn(Opcodes.AALOAD);
      m.visitFieldInsn(Opcodes.PUTSTATIC, NAME, "OP" + i, OP_TYPE);
    }
    m.visitInsn(Opcodes.RETURN);
    m.visitMaxs(0, 0);
    m.visitEnd();
  }

  private void constructor() {
    m = writer.visitMethod(Opcodes.ACC_PUBLIC, "<init>", "([" + OP_TYPE + ")V", null, null);
    m.visitCode();
    m.visitVarInsn(Opcodes.ALOAD, 0);
    m.visitVarInsn(Opcodes.ALOAD, 1);
    m.visitMethodInsn(Opcodes.INVOKESPECIAL, CODE, "<init>", "([" + OP_TYPE + ")V", false);
    m.visitInsn(Opcodes.RETURN);
    m.visitMaxs(0, 0);
    m.visitEnd();
  }

  private void run() {
    m = writer.visitMethod(Opcodes.ACC_PUBLIC, "run", "(L" + CPU + ";)V", null, null);
    m.visitCode();
    int n = region.blocks.size();
    checks = new Label[n];
    for (int i = 0; i < n; i++) {
      checks[i] = new Label();
    }
    for (int i = 0; i < n; i++) {
      block(i);
    }
    m.visitMaxs(0, 0);
    m.visitEnd();
  }

  private void block(int i) {
    Block block = region.blocks.get(i);
    int base = region.bases.get(i);
    Label body = new Label();
    if (i == 0) {
      m.visitJumpInsn(Opcodes.GOTO, body);
    }
    m.visitLabel(checks[i]);
    m.visitFrame(Opcodes.F_SAME, 0, null, 0, null);
    check(base, block.count, body);
    m.visitLabel(body);
    m.visitFrame(Opcodes.F_SAME, 0, null, 0, null);
    m.visitVarInsn(Opcodes.ALOAD, 1);
    m.visitLdcInsn(block.end());
    m.visitFieldInsn(Opcodes.PUTFIELD, CPU, "rip", "J");
    for (int k = 0; k < block.count; k++) {
      op(base + k);
    }
    List<Integer> followers = region.followers(i);
    for (int next : followers) {
      Label other = new Label();
      m.visitVarInsn(Opcodes.ALOAD, 1);
      m.visitFieldInsn(Opcodes.GETFIELD, CPU, "rip", "J");
      m.visitLdcInsn(region.blocks.get(next).rip());
      m.visitInsn(Opcodes.LCMP);
      m.visitJumpInsn(Opcodes.IFNE, other);
      addRetired(block.count + base - region.bases.get(next));
      m.visitJumpInsn(Opcodes.GOTO, checks[next]);
      m.visitLabel(other);
      m.visitFrame(Opcodes.F_SAME, 0, null, 0, null);
    }
    addRetired(base + block.count);
    m.visitInsn(Opcodes.RETURN);
  }

  /** Leaves where the block does not fit before the deadline, or another thread wants to. */
  private void check(int base, int count, Label body) {
    Label leave = new Label();
    m.visitVarInsn(Opcodes.ALOAD, 1);
    m.visitFieldInsn(Opcodes.GETFIELD, CPU, "limit", "J");
    m.visitVarInsn(Opcodes.ALOAD, 1);
    m.visitFieldInsn(Opcodes.GETFIELD, CPU, "retired", "J");
    m.visitInsn(Opcodes.LSUB);
    m.visitLdcInsn((long) base + count);
    m.visitInsn(Opcodes.LCMP);
    m.visitJumpInsn(Opcodes.IFLT, leave);
    m.visitVarInsn(Opcodes.ALOAD, 1);
    m.visitFieldInsn(Opcodes.GETFIELD, CPU, "kicked", "Z");
    m.visitJumpInsn(Opcodes.IFEQ, body);
    m.visitLabel(leave);
    m.visitFrame(Opcodes.F_SAME, 0, null, 0, null);
    addRetired(base);
    m.visitInsn(Opcodes.RETURN);
  }

  private void addRetired(int by) {
    if (by == 0) {
      return;
    }
    m.visitVarInsn(Opcodes.ALOAD, 1);
    m.visitInsn(Opcodes.DUP);
    m.visitFieldInsn(Opcodes.GETFIELD, CPU, "retired", "J");
    m.visitLdcInsn((long) by);
    m.visitInsn(Opcodes.LADD);
    m.visitFieldInsn(Opcodes.PUTFIELD, CPU, "retired", "J");
  }

  private void op(int index) {
    m.visitVarInsn(Opcodes.ALOAD, 1);
    m.visitIntInsn(Opcodes.SIPUSH, index);
    m.visitFieldInsn(Opcodes.PUTFIELD, CPU, "index", "I");
    m.visitFieldInsn(Opcodes.GETSTATIC, NAME, "OP" + index, OP_TYPE);
    m.visitMethodInsn(Opcodes.INVOKEVIRTUAL, OP, "handler", "()L" + HANDLER + ";", false);
    m.visitVarInsn(Opcodes.ALOAD, 1);
    m.visitFieldInsn(Opcodes.GETSTATIC, NAME, "OP" + index, OP_TYPE);
    m.visitMethodInsn(
        Opcodes.INVOKEINTERFACE, HANDLER, "exec", "(L" + CPU + ";" + OP_TYPE + ")V", true);
  }
}
