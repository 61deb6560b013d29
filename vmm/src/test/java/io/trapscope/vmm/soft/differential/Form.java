package io.trapscope.vmm.soft.differential;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * One form of an instruction, as the generator needs to know it. Written as a line of text:
 *
 * <pre>
 *   family bytes option...
 *
 *   rm m r     ModRM with any operand, memory only, register only
 *   /n         ModRM.reg is n
 *   +r         register in the opcode
 *   ib iw iz iv  immediate;  rel8  forward branch over whole instructions
 *   v          operand size varies: 66 and REX.W may appear;  v16 only 66;  y only REX.W
 *   lock       LOCK may appear with memory
 *   only64 only32
 *   a16        memory operand of 16 bytes, mostly aligned
 *   data       memory operand without base registers: in the window at the page border
 *   loosefault which byte of it faults is up to the processor: not compared when it does
 *   approx     result compared with tolerance; must be the last instruction
 *   first      the first instruction only
 *   intel      processors of other vendors do it otherwise: only where the host is Intel's
 *   small      defined for a small ST(0) only: the first instruction, and ST(0) is made so
 *   CF,..      after "reads=", "sets=", "undef=": flags of RFLAGS, "all" for the six
 *   count      a shift: what is set and undefined depends on the count
 * </pre>
 */
final class Form {
  final String family;
  final int[] bytes;
  final Set<String> options = new HashSet<>();
  int fixedReg = -1;
  int reads;
  int sets;
  int undefined;

  private static final String[] FLAG_NAMES = {"CF", "PF", "AF", "ZF", "SF", "OF"};
  static final int CF = 1;
  static final int PF = 4;
  static final int AF = 0x10;
  static final int ZF = 0x40;
  static final int SF = 0x80;
  static final int OF = 0x800;
  static final int ALL = 0x8D5;
  private static final int[] FLAG_BITS = {CF, PF, AF, ZF, SF, OF};

  private Form(String family, int[] bytes) {
    this.family = family;
    this.bytes = bytes;
  }

  boolean has(String option) {
    return options.contains(option);
  }

  boolean hasModrm() {
    return has("rm") || has("m") || has("r");
  }

  /** Parses a table of forms; {@code x..y} in the last byte stands for a range. */
  static List<Form> parse(String table) {
    List<Form> forms = new ArrayList<>();
    for (String line : table.split("\n")) {
      String text = line.trim();
      if (!text.isEmpty() && !text.startsWith("#")) {
        parseLine(text.split("\\s+"), forms);
      }
    }
    return forms;
  }

  private static void parseLine(String[] words, List<Form> forms) {
    int n = 1;
    List<Integer> bytes = new ArrayList<>();
    int last = -1;
    while (n < words.length && words[n].matches("[0-9A-F]{2}(\\.\\.[0-9A-F]{2})?")) {
      bytes.add(Integer.parseInt(words[n].substring(0, 2), 16));
      if (words[n].length() > 2) {
        last = Integer.parseInt(words[n].substring(4), 16);
      }
      n++;
    }
    int first = bytes.get(bytes.size() - 1);
    for (int opcode = first; opcode <= Math.max(first, last); opcode++) {
      bytes.set(bytes.size() - 1, opcode);
      Form form = new Form(words[0], bytes.stream().mapToInt(Integer::intValue).toArray());
      for (int i = n; i < words.length; i++) {
        form.option(words[i]);
      }
      forms.add(form);
    }
  }

  private void option(String word) {
    if (word.startsWith("/")) {
      fixedReg = Integer.parseInt(word.substring(1));
    } else if (word.startsWith("reads=")) {
      reads = flags(word.substring(6));
    } else if (word.startsWith("sets=")) {
      sets = flags(word.substring(5));
    } else if (word.startsWith("undef=")) {
      undefined = flags(word.substring(6));
    } else {
      options.add(word);
    }
  }

  private static int flags(String text) {
    if (text.equals("all")) {
      return ALL;
    }
    int bits = 0;
    for (String name : text.split(",")) {
      int i = List.of(FLAG_NAMES).indexOf(name);
      if (i < 0) {
        throw new IllegalArgumentException("no flag " + name);
      }
      bits |= FLAG_BITS[i];
    }
    return bits;
  }
}
