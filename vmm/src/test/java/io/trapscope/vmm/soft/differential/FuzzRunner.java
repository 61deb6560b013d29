package io.trapscope.vmm.soft.differential;

import io.trapscope.vmm.hypervisor.VmExit;
import io.trapscope.vmm.soft.cpu.Cpu;
import io.trapscope.vmm.soft.cpu.Runner;
import io.trapscope.vmm.soft.mmu.Ept;
import io.trapscope.vmm.soft.mmu.GuestRam;
import io.trapscope.vmm.soft.mmu.HostMemory;
import java.util.Random;

/**
 * Runs random bytes as kernel code in real, protected and long mode. Any exit ends a run; a host
 * exception is a bug.
 */
final class FuzzRunner {
  private static final long RAM = 1 << 20;
  private static final int START = 0x8000;
  private static final int BYTES = 64;
  private static final int LIMIT = 500;
  private static final int CODE_ACCESS = 0x9B;
  private static final int DATA_ACCESS = 0x93;
  private static final int BIG = 0x4000 | 0x8000;
  private static final int LONG = 0x2000 | 0x8000;

  private final GuestRam ram;
  private final Cpu cpu;
  private final Runner runner;
  private final VmExit exit = new VmExit();
  private final byte[] page = new byte[BYTES];

  FuzzRunner() {
    HostMemory host = new HostMemory();
    Ept ept = new Ept(host);
    ram = new GuestRam(host, new long[] {0, RAM});
    for (long gpa = 0; gpa < RAM; gpa += 4096) {
      ept.map(gpa, ram.frame(gpa).hpa, 12);
    }
    cpu = new Cpu(ram, ept, -1);
    runner = new Runner(cpu);
  }

  /** The bytes that this seed stands for. */
  byte[] bytes(long seed) {
    new Random(seed).nextBytes(page);
    return page;
  }

  /** Runs the bytes of a seed; throws what the software processor should not throw. */
  void run(long seed) {
    Random random = new Random(~seed);
    int mode = random.nextInt(3);
    ram.write(START, bytes(seed), 0, BYTES);
    for (int i = 0; i < 16; i++) {
      cpu.gpr[i] = random.nextBoolean() ? random.nextInt((int) RAM) : random.nextLong();
    }
    cpu.gpr[Cpu.RSP] = 0x7000;
    cpu.eflags = 2;
    cpu.cpl = 0;
    cpu.idtLimit = 0;
    cpu.gdtLimit = 0;
    cpu.cr4 = Cpu.CR4_OSFXSR | Cpu.CR4_OSXMMEXCPT;
    cpu.cr0 = Cpu.CR0_ET | Cpu.CR0_NE | (mode == 0 ? 0 : Cpu.CR0_PE);
    cpu.efer = 0;
    if (mode == 2) {
      identityTables();
      cpu.cr0 |= Cpu.CR0_PG;
      cpu.cr4 |= Cpu.CR4_PAE;
      cpu.efer = Cpu.EFER_LME | Cpu.EFER_LMA | Cpu.EFER_SCE;
    }
    int wide = mode == 0 ? 0 : mode == 1 ? BIG : LONG;
    for (int seg = 0; seg < 6; seg++) {
      cpu.segSelector[seg] = 0;
      cpu.segBase[seg] = 0;
      cpu.segLimit[seg] = mode == 0 ? 0xFFFF : 0xFFFF_FFFFL;
      cpu.segAccess[seg] = seg == Cpu.CS ? CODE_ACCESS | wide : DATA_ACCESS | (mode == 0 ? 0 : BIG);
    }
    cpu.rip = START;
    runner.restart();
    runner.setLimit(runner.instructions() + LIMIT);
    runner.run(exit);
  }

  /** Long mode needs tables: the first 2 MiB, as one page. */
  private void identityTables() {
    long at = 0x1000;
    ram.writeLong(at, at + 0x1000 | 3);
    ram.writeLong(at + 0x1000, at + 0x2000 | 3);
    ram.writeLong(at + 0x2000, 0x83);
    cpu.cr3 = at;
  }

  /** {@code N [SEED]}: runs N seeds from SEED on; exit status 1 at the first host exception. */
  public static void main(String[] args) {
    long count = Long.parseLong(args[0]);
    long seed = args.length > 1 ? Long.parseLong(args[1]) : System.nanoTime();
    System.out.println("seeds from " + seed);
    FuzzRunner fuzz = new FuzzRunner();
    for (long i = 0; i < count; i++) {
      try {
        fuzz.run(seed + i);
      } catch (RuntimeException e) {
        System.out.println("seed " + (seed + i));
        e.printStackTrace(System.out);
        System.exit(1);
      }
    }
    System.out.println(count + " sequences, no host exception");
  }
}
