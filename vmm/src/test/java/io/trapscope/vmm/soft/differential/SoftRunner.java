package io.trapscope.vmm.soft.differential;

import io.trapscope.recorder.event.ExitReason;
import io.trapscope.vmm.hypervisor.VmExit;
import io.trapscope.vmm.soft.cpu.Block;
import io.trapscope.vmm.soft.cpu.Code;
import io.trapscope.vmm.soft.cpu.Compiler;
import io.trapscope.vmm.soft.cpu.Cpu;
import io.trapscope.vmm.soft.cpu.Runner;
import io.trapscope.vmm.soft.fpu.FpuImage;
import io.trapscope.vmm.soft.jit.RegionCompiler;
import io.trapscope.vmm.soft.mmu.Ept;
import io.trapscope.vmm.soft.mmu.GuestRam;
import io.trapscope.vmm.soft.mmu.HostMemory;
import java.util.ArrayDeque;
import java.util.Queue;

/**
 * Runs cases on the software processor alone: CPL 3 in long mode, the four pages of a case mapped
 * for the user, every exception an exit.
 */
final class SoftRunner {
  private static final long RAM = 1 << 20;
  private static final long TABLES = 0x1000;
  private static final long CODE_GPA = 0x10000;
  private static final long DATA_GPA = 0x20000;
  private static final int USER_PAGE = 7;
  private static final long NO_EXECUTE = Long.MIN_VALUE;
  private static final int HANG_INSTRUCTIONS = 20_000;

  private static final int USER32_CS = 0x23;
  private static final int USER_DS = 0x2B;
  private static final int USER64_CS = 0x33;

  /** Present, S, DPL 3, G; code or data, accessed (VMX access-rights format). */
  private static final int CODE64_ACCESS = 0xA0FB;

  private static final int CODE32_ACCESS = 0xC0FB;
  private static final int DATA_ACCESS = 0xC0F3;

  private final GuestRam ram;
  private final Cpu cpu;
  private final Runner runner;
  private final VmExit exit = new VmExit();
  private final byte[] page = new byte[2 * TestCase.PAGE];
  private final byte[] present = new byte[2 * TestCase.PAGE];

  SoftRunner() {
    HostMemory host = new HostMemory();
    Ept ept = new Ept(host);
    ram = new GuestRam(host, new long[] {0, RAM});
    for (long gpa = 0; gpa < RAM; gpa += TestCase.PAGE) {
      ept.map(gpa, ram.frame(gpa).hpa, 12);
    }
    ram.writeLong(TABLES, TABLES + 0x1000 | USER_PAGE);
    ram.writeLong(TABLES + 0x1000, TABLES + 0x2000 | USER_PAGE);
    mapPages(TestCase.CODE, CODE_GPA, TABLES + 0x3000, 0);
    mapPages(TestCase.DATA, DATA_GPA, TABLES + 0x4000, NO_EXECUTE);
    cpu = new Cpu(ram, ept, -1);
    runner = new Runner(cpu);
  }

  private void mapPages(long linear, long gpa, long table, long flags) {
    ram.writeLong(TABLES + 0x2000 + (linear >>> 21) * 8, table | USER_PAGE);
    for (int i = 0; i < 2; i++) {
      long slot = (linear >>> 12 & 511) + i;
      ram.writeLong(table + slot * 8, gpa + (long) i * TestCase.PAGE | USER_PAGE | flags);
    }
  }

  /** A processor that runs everything by generated code. */
  static SoftRunner generated() {
    SoftRunner runner = new SoftRunner();
    runner.cpu.setCompiler(new AtOnce());
    runner.runs = 3;
    return runner;
  }

  /** Generates code in the second run of a block, when it is known what follows it. */
  private static final class AtOnce implements Compiler {
    private final Queue<Code> finished = new ArrayDeque<>();

    @Override
    public int hotAfter() {
      return 2;
    }

    @Override
    public void request(Block block) {
      finished.add(RegionCompiler.compile(block, 1));
    }

    @Override
    public Code poll() {
      return finished.poll();
    }
  }

  /** A processor without the instruction sets of these {@code Opcode} flags. */
  static SoftRunner without(int features) {
    SoftRunner runner = new SoftRunner();
    runner.cpu.setAbsent(features, 0, 0);
    return runner;
  }

  /** How often each case runs; the last one counts. */
  private int runs = 1;

  /** Regions for which code was generated. */
  long generatedRegions() {
    return cpu.counters.compiledRegions;
  }

  /** Runs one case to its exception. */
  TestResult run(TestCase test) {
    TestResult result = null;
    for (int i = 0; i < runs; i++) {
      result = runOnce(test);
    }
    return result;
  }

  private TestResult runOnce(TestCase test) {
    loadMemory(test);
    loadRegisters(test);
    runner.restart();
    runner.setLimit(runner.instructions() + HANG_INSTRUCTIONS);
    runner.run(exit);
    TestResult result = new TestResult();
    if (exit.reason == ExitReason.PREEMPTION_TIMER) {
      result.vector = TestResult.TIMEOUT;
    } else if (exit.reason == ExitReason.EXCEPTION_OR_NMI) {
      result.vector = exit.index;
      result.error = exit.hasErrorCode ? exit.errorCode : 0;
      result.cr2 = exit.index == 14 ? exit.gva : 0;
    } else {
      throw new IllegalStateException(
          "unexpected exit " + exit.reason + " in " + CaseText.format(test, new TestResult()));
    }
    storeResult(result);
    return result;
  }

  private void loadMemory(TestCase test) {
    java.util.Arrays.fill(page, (byte) 0xCC);
    byte[] code = test.code();
    System.arraycopy(code, 0, page, test.codeStart, code.length);
    ram.read(CODE_GPA, present, 0, page.length);
    if (!java.util.Arrays.equals(page, present)) { // else what was decoded stays
      ram.write(CODE_GPA, page, 0, page.length);
    }
    java.util.Arrays.fill(page, (byte) 0);
    System.arraycopy(test.window, 0, page, TestCase.PAGE - 256, 512);
    System.arraycopy(test.window, 512, page, 2 * TestCase.PAGE - 256, 256);
    ram.write(DATA_GPA, page, 0, page.length);
  }

  private void segment(int register, int selector, int access) {
    cpu.segSelector[register] = selector;
    cpu.segBase[register] = 0;
    cpu.segLimit[register] = 0xFFFF_FFFFL;
    cpu.segAccess[register] = access;
  }

  private void loadRegisters(TestCase test) {
    System.arraycopy(test.gpr, 0, cpu.gpr, 0, 16);
    cpu.rip = TestCase.CODE + test.codeStart;
    cpu.eflags = (int) test.rflags & ~Cpu.ARITHMETIC;
    cpu.setArithmeticFlags((int) test.rflags);
    cpu.cr0 = Cpu.CR0_PE | Cpu.CR0_MP | Cpu.CR0_ET | Cpu.CR0_NE | Cpu.CR0_WP | Cpu.CR0_PG;
    cpu.cr3 = TABLES;
    cpu.cr4 = Cpu.CR4_PAE | Cpu.CR4_OSFXSR | Cpu.CR4_OSXMMEXCPT;
    cpu.efer = Cpu.EFER_LME | Cpu.EFER_LMA | Cpu.EFER_NXE | Cpu.EFER_SCE;
    cpu.cpl = 3;
    boolean wide = test.mode == 64;
    segment(Cpu.CS, wide ? USER64_CS : USER32_CS, wide ? CODE64_ACCESS : CODE32_ACCESS);
    segment(Cpu.SS, USER_DS, DATA_ACCESS);
    segment(Cpu.DS, USER_DS, DATA_ACCESS);
    segment(Cpu.ES, USER_DS, DATA_ACCESS);
    FpuImage.load(cpu.fpu, test.fx);
  }

  private void storeResult(TestResult result) {
    boolean afterwards = result.vector == 3 || result.vector == 4;
    result.rip = cpu.rip + (afterwards ? exit.instructionLength : 0);
    result.rflags = cpu.rflags();
    System.arraycopy(cpu.gpr, 0, result.gpr, 0, 16);
    FpuImage.store(cpu.fpu, result.fx);
    ram.read(DATA_GPA, page, 0, page.length);
    System.arraycopy(page, TestCase.PAGE - 256, result.window, 0, 512);
    System.arraycopy(page, 2 * TestCase.PAGE - 256, result.window, 512, 256);
    result.rest = checksum();
  }

  private long checksum() {
    java.nio.ByteBuffer data =
        java.nio.ByteBuffer.wrap(page).order(java.nio.ByteOrder.LITTLE_ENDIAN);
    long sum = 0;
    for (int at = 0; at < page.length; at += 8) {
      boolean window =
          at >= TestCase.PAGE - 256 && at < TestCase.PAGE + 256 || at >= page.length - 256;
      if (!window) {
        sum = sum * 31 + data.getLong(at);
      }
    }
    ram.read(CODE_GPA, page, 0, page.length);
    for (int at = 0; at < page.length; at += 8) {
      sum = sum * 31 + data.getLong(at);
    }
    return sum;
  }
}
