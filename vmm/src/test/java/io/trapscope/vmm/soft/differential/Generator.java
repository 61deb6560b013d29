package io.trapscope.vmm.soft.differential;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/**
 * Makes random cases of one family of instructions. Registers hold pointers into the case's data,
 * small numbers, or anything; most memory operands hit, some cross into the next page or out of it.
 *
 * <p>Flags that an instruction leaves undefined are tracked: nothing that reads one follows, until
 * it is defined again, and the comparison leaves out those that stay undefined.
 */
final class Generator {
  private static final int MAX_INSTRUCTIONS = 6;
  private static final int MAX_BYTES = TestCase.MAX_CODE - 20;

  /** Registers that start as pointers: RBX, RSP, RBP, RSI, RDI, R12, R13. */
  private static final int[] POINTERS = {3, 4, 5, 6, 7, 12, 13};

  private static final int[] POINTERS_32 = {3, 4, 5, 6, 7};

  /** Registers that start as small numbers: RCX, R9. */
  private static final int[] SMALL = {1, 9};

  private final Random random;
  private final Operands operands;
  private final Map<String, List<Form>> families = new TreeMap<>();

  private TestCase test;
  private int offset;
  private int undefined;

  private final boolean intel;

  /**
   * @param withSse4 whether the host has SSE4.2 and what comes before it
   * @param intel whether the host does what only Intel's processors do
   */
  Generator(long seed, boolean withSse4, boolean intel) {
    this.intel = intel;
    random = new Random(seed);
    operands = new Operands(random);
    add(IntegerForms.TABLE);
    add(VectorForms.X87);
    add(VectorForms.MMX);
    add(VectorForms.SSE);
    if (withSse4) {
      add(VectorForms.SSE3_TO_4);
    }
  }

  private void add(String table) {
    for (Form form : Form.parse(table)) {
      if (form.has("intel") && !intel) {
        continue;
      }
      families.computeIfAbsent(form.family, name -> new ArrayList<>()).add(form);
    }
  }

  /** Names of the families, in a fixed order. */
  List<String> families() {
    return List.copyOf(families.keySet());
  }

  private boolean chance(int percent) {
    return random.nextInt(100) < percent;
  }

  /** A case of this family, now and then mixed with general instructions. */
  TestCase next(String family) {
    test = new TestCase();
    test.family = family;
    boolean only32 = family.equals("decimal");
    test.mode = only32 || chance(20) ? 32 : 64;
    test.codeStart = chance(10) ? TestCase.PAGE - random.nextInt(24) : 0x100;
    operands.registers(test, family.equals("string"));
    operands.fpu(test);
    operands.memory(test);
    if (family.equals("x87state")) {
      operands.environment(test);
    }
    offset = 0;
    undefined = 0;
    int count = 1 + random.nextInt(MAX_INSTRUCTIONS);
    List<Integer> branches = new ArrayList<>();
    for (int i = 0; i < count && offset < MAX_BYTES; i++) {
      Form form = pick(family, i == count - 1);
      if (form == null) {
        continue;
      }
      if (form.has("small")) {
        operands.shrinkTop(test);
      }
      byte[] code = encode(form);
      test.instructions.add(code);
      offset += code.length;
      track(form, code, !branches.isEmpty());
      if (form.has("rel8")) {
        branches.add(test.instructions.size() - 1);
      }
      test.looseFault |= form.has("loosefault");
      if (form.has("approx")) {
        test.approximate = true;
        break;
      }
    }
    for (int branch : branches) {
      aim(branch);
    }
    return test;
  }

  private Form pick(String family, boolean last) {
    List<Form> forms = families.get(chance(85) ? family : "alu");
    for (int attempt = 0; attempt < 20; attempt++) {
      Form form = forms.get(random.nextInt(forms.size()));
      boolean fits =
          (form.reads & undefined) == 0
              && !(form.has("only64") && test.mode == 32)
              && !(form.has("only32") && test.mode == 64)
              && !(form.has("approx") && !last)
              && !((form.has("small") || form.has("first")) && !test.instructions.isEmpty());
      if (fits) {
        return form;
      }
    }
    return null;
  }

  /** Notes what the instruction does to the flags. Behind a branch, nothing is sure to happen. */
  private void track(Form form, byte[] code, boolean behindBranch) {
    boolean mayDoNothing = behindBranch || form.has("rep");
    int sets = mayDoNothing ? 0 : form.sets;
    int leaves = form.has("count") ? shiftLeaves(form, code) : form.undefined;
    test.effects.add(new TestCase.FlagEffect(sets, leaves));
    undefined = undefined & ~sets | leaves;
  }

  /** A shift by a variable count may do nothing; by more than 1 it leaves OF undefined. */
  private static int shiftLeaves(Form form, byte[] code) {
    boolean rotate = form.fixedReg >= 0 && form.fixedReg < 4;
    boolean narrow = form.bytes[0] == 0xC0 || form.bytes[0] == 0xD2 || hasPrefix66(code);
    int left = rotate ? Form.OF : Form.OF | Form.AF;
    return !rotate && narrow ? left | Form.CF : left;
  }

  private static boolean hasPrefix66(byte[] code) {
    for (int i = 0; i < code.length && i < 3; i++) {
      if (code[i] == 0x66) {
        return true;
      }
    }
    return false;
  }

  /** Points a short branch behind one of the instructions that follow it. */
  private void aim(int branch) {
    int following = test.instructions.size() - branch - 1;
    int skip = following == 0 ? 0 : random.nextInt(following + 1);
    int distance = 0;
    for (int i = 1; i <= skip; i++) {
      distance += test.instructions.get(branch + i).length;
    }
    byte[] code = test.instructions.get(branch);
    code[code.length - 1] = (byte) Math.min(distance, 127);
  }

  // ---- encoding ------------------------------------------------------------------------------

  private ByteArrayOutputStream out;
  private int rex;
  private int relativeAt;
  private long relativeTarget;

  private byte[] encode(Form form) {
    out = new ByteArrayOutputStream();
    rex = 0;
    relativeAt = -1;
    boolean wide = test.mode == 64;
    int first = 0;
    int mandatory = form.bytes[0];
    boolean hasMandatory =
        form.bytes.length > 1
            && (mandatory == 0x66 || mandatory == 0xF2 || mandatory == 0xF3)
            && (form.bytes[1] == 0x0F || form.bytes[1] == 0x90);
    ModRm modrm = form.hasModrm() ? modrm(form) : null;
    if (chance(2)) {
      out.write(new int[] {0x26, 0x36, 0x3E}[random.nextInt(3)]);
    }
    boolean opsize = (form.has("v") || form.has("v16")) && chance(25);
    if (opsize) {
      out.write(0x66);
    }
    if (form.has("lock") && (modrm.memory ? chance(20) : chance(2))) {
      out.write(0xF0);
    }
    if (form.has("rep") && chance(70)) {
      out.write(chance(50) ? 0xF3 : 0xF2);
    }
    if (hasMandatory) {
      out.write(mandatory);
      first = 1;
    }
    boolean rexW = wide && (form.has("v") || form.has("y")) && chance(40);
    if (wide && (rexW || rex != 0 || form.bytes[first] != 0x90 && chance(15))) {
      int extra = modrm == null && chance(50) ? random.nextInt(8) : rex;
      out.write(0x40 | (rexW ? 8 : 0) | extra);
    }
    for (int i = first; i < form.bytes.length; i++) {
      out.write(form.bytes[i]);
    }
    if (modrm != null) {
      modrm.write();
    }
    immediates(form, opsize && !rexW ? 2 : 4, rexW);
    byte[] code = out.toByteArray();
    if (relativeAt >= 0) {
      long next = TestCase.CODE + test.codeStart + offset + code.length;
      int relative = (int) (relativeTarget - next);
      for (int i = 0; i < 4; i++) {
        code[relativeAt + i] = (byte) (relative >> 8 * i);
      }
    }
    return code;
  }

  private void immediates(Form form, int z, boolean rexW) {
    if (form.has("iw")) {
      bytes(random.nextInt(64), 2);
    }
    if (form.has("iz")) {
      bytes(operands.interesting(), z);
    }
    if (form.has("iv")) {
      bytes(operands.interesting(), rexW ? 8 : z);
    }
    if (form.has("ib")) {
      bytes(chance(50) ? random.nextInt(256) : random.nextInt(9), 1);
    }
    if (form.has("rel8")) {
      out.write(0);
    }
  }

  private void bytes(long value, int count) {
    for (int i = 0; i < count; i++) {
      out.write((int) (value >>> 8 * i) & 0xFF);
    }
  }

  /** A ModRM operand that was chosen before REX is written. */
  private final class ModRm {
    boolean memory;
    int mod;
    int reg;
    int rm;
    int sib = -1;
    long displacement;
    int displacementBytes;
    boolean relative;

    void write() {
      out.write(mod << 6 | reg << 3 | rm);
      if (sib >= 0) {
        out.write(sib);
      }
      if (relative) {
        relativeAt = out.size();
      }
      bytes(displacement, displacementBytes);
    }
  }

  private ModRm modrm(Form form) {
    ModRm m = new ModRm();
    boolean wide = test.mode == 64;
    int reg = form.fixedReg >= 0 ? form.fixedReg : random.nextInt(wide ? 16 : 8);
    m.reg = reg & 7;
    rex |= reg >= 8 ? 4 : 0;
    m.memory = form.has("m") || form.has("rm") && chance(45);
    if (!m.memory) {
      int rm = random.nextInt(wide ? 16 : 8);
      m.mod = 3;
      m.rm = rm & 7;
      rex |= rm >= 8 ? 1 : 0;
      return m;
    }
    int align = form.has("a16") && chance(85) ? 16 : 1;
    if (form.has("data") || form.has("data16")) {
      absolute(m, TestCase.DATA + TestCase.PAGE - 256 + (chance(95) ? 0 : 8));
    } else if (chance(35)) {
      long target = operands.dataAddress(align);
      if (wide && chance(60)) {
        m.rm = 5;
        m.relative = true;
        m.displacementBytes = 4;
        relativeTarget = target;
      } else {
        absolute(m, target);
      }
    } else {
      based(m, align);
    }
    return m;
  }

  private void absolute(ModRm m, long target) {
    if (test.mode == 64) {
      m.rm = 4;
      m.sib = 0x25;
    } else {
      m.rm = 5;
    }
    m.displacement = target;
    m.displacementBytes = 4;
  }

  private void based(ModRm m, int align) {
    boolean wide = test.mode == 64;
    int[] pointers = wide ? POINTERS : POINTERS_32;
    int base = pointers[random.nextInt(pointers.length)];
    m.rm = base & 7;
    rex |= base >= 8 ? 1 : 0;
    m.displacement = random.nextInt(64) - 32 & -align;
    m.mod = chance(80) ? 1 : 2;
    m.displacementBytes = m.mod == 1 ? 1 : 4;
    if (chance(10) && m.rm != 5) {
      m.mod = 0;
      m.displacementBytes = 0;
    }
    boolean indexed = m.rm == 4 || chance(30);
    if (indexed) {
      int index = 4;
      if (chance(60) && align == 1) {
        index = wide ? SMALL[random.nextInt(2)] : 1;
      }
      rex |= index >= 8 ? 2 : 0;
      m.sib = random.nextInt(4) << 6 | (index & 7) << 3 | m.rm;
      m.rm = 4;
    }
  }
}
