package io.trapscope.vmm.soft.differential;

import io.trapscope.recorder.event.ExitReason;
import io.trapscope.vmm.hypervisor.VmExit;
import io.trapscope.vmm.soft.cpu.Cpu;
import io.trapscope.vmm.soft.cpu.Runner;
import io.trapscope.vmm.soft.mmu.Ept;
import io.trapscope.vmm.soft.mmu.GuestRam;
import io.trapscope.vmm.soft.mmu.HostMemory;
import java.util.Random;
import java.util.function.LongConsumer;

/**
 * Runs random bytes as kernel code in real, protected and long mode, in one of two families: any
 * exception ends the run; or it is delivered, onto a stack that lies on the code or beside it, and
 * the run goes on after each exit. A host exception is a bug, and so is a run that does not end.
 */
final class FuzzRunner implements AutoCloseable {
  private static final long RAM = 1 << 20;
  private static final int START = 0x8000;
  private static final int BYTES = 64;
  private static final int LIMIT = 500;
  private static final int EXITS = 20;
  private static final int CODE_ACCESS = 0x9B;
  private static final int DATA_ACCESS = 0x93;
  private static final int BIG = 0x4000 | 0x8000;
  private static final int LONG = 0x2000 | 0x8000;

  // Where things lie that the second family has.
  private static final int PAGE_TABLES = 0x1000;
  private static final int IDT = 0x4000;
  private static final int GDT = 0x5000;
  private static final int TSS = 0x5800;
  private static final int HANDLERS = 0x6000;
  private static final int TSS_BYTES = 0x68;
  private static final int VECTORS = 256;
  private static final int CODE_SELECTOR = 8;
  private static final int TSS_ACCESS = 0x8B;

  /** HLT, then IRET, in long mode with REX.W before it. */
  private static final byte[] HANDLER_CODE = {(byte) 0xF4, 0x48, (byte) 0xCF, (byte) 0xCF};

  private static final int IRET_64 = HANDLERS + 1;
  private static final int IRET = HANDLERS + 3;

  private static final long TICK_MILLIS = 100;

  /** Ticks that a run may take. */
  private static final int MOST_TICKS = 100;

  private final VmExit exit = new VmExit();
  private final byte[] page = new byte[BYTES];
  private final Thread watcher;
  private volatile long runs;
  private volatile long seed;

  /** A processor with its memory, all of it mapped. */
  private static final class Machine {
    final GuestRam ram;
    final Cpu cpu;
    final Runner runner;

    Machine(int exceptionBitmap) {
      HostMemory host = new HostMemory();
      Ept ept = new Ept(host);
      ram = new GuestRam(host, new long[] {0, RAM});
      for (long gpa = 0; gpa < RAM; gpa += 4096) {
        ept.map(gpa, ram.frame(gpa).hpa, 12);
      }
      cpu = new Cpu(ram, ept, exceptionBitmap);
      runner = new Runner(cpu);
    }
  }

  /**
   * @param onStuck told the seed of a run that does not end, once; by another thread
   */
  FuzzRunner(LongConsumer onStuck) {
    watcher = new Thread(() -> watch(onStuck), "watches");
    watcher.setDaemon(true);
    watcher.start();
  }

  /** No kick helps a run to its end: the deadline must, also where no instruction retires. */
  private void watch(LongConsumer onStuck) {
    long last = 0;
    int ticks = 0;
    try {
      while (ticks < MOST_TICKS) {
        Thread.sleep(TICK_MILLIS);
        ticks = runs == last ? ticks + 1 : 0;
        last = runs;
      }
      onStuck.accept(seed);
    } catch (InterruptedException e) {
      // Closed.
    }
  }

  /** The bytes that this seed stands for. */
  byte[] bytes(long seed) {
    new Random(seed).nextBytes(page);
    return page;
  }

  /** Runs the bytes of a seed; throws what the software processor should not throw. */
  void run(long number) {
    seed = number;
    runs++;
    Random random = new Random(~number);
    int mode = random.nextInt(3);
    boolean delivers = random.nextBoolean();
    Machine machine = new Machine(delivers ? 0 : -1);
    setUp(machine, random, mode, bytes(number));
    if (delivers) {
      setUpDelivery(machine, random, mode);
    }
    Runner runner = machine.runner;
    runner.restart();
    runner.setLimit(runner.instructions() + LIMIT);
    runner.run(exit);
    for (int i = 0; delivers && i < EXITS && goesOn(exit.reason); i++) {
      exit.value = random.nextLong();
      exit.fault = random.nextInt(8) == 0;
      if (random.nextInt(4) == 0) {
        runner.injectInterrupt(random.nextInt(VECTORS));
      } else if (random.nextInt(8) == 0) {
        runner.injectNmi();
      }
      runner.run(exit);
    }
  }

  private static boolean goesOn(ExitReason reason) {
    return reason != ExitReason.TRIPLE_FAULT
        && reason != ExitReason.EPT_VIOLATION
        && reason != ExitReason.PREEMPTION_TIMER
        && reason != ExitReason.INTERRUPTED;
  }

  private static void setUp(Machine machine, Random random, int mode, byte[] code) {
    Cpu cpu = machine.cpu;
    machine.ram.write(START, code, 0, BYTES);
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
      identityTables(machine.ram);
      cpu.cr3 = PAGE_TABLES;
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
  }

  /** Long mode needs tables: the first 2 MiB, as one page. */
  private static void identityTables(GuestRam ram) {
    long at = PAGE_TABLES;
    ram.writeLong(at, at + 0x1000 | 3);
    ram.writeLong(at + 0x1000, at + 0x2000 | 3);
    ram.writeLong(at + 0x2000, 0x83);
  }

  /** Descriptor tables and handlers; a stack and pointers to where the code is. */
  private static void setUpDelivery(Machine machine, Random random, int mode) {
    Cpu cpu = machine.cpu;
    GuestRam ram = machine.ram;
    ram.write(HANDLERS, HANDLER_CODE, 0, HANDLER_CODE.length);
    ram.writeLong(GDT, 0);
    ram.writeLong(GDT + CODE_SELECTOR, mode == 2 ? 0x00AF_9B00_0000_FFFFL : 0x00CF_9B00_0000_FFFFL);
    ram.writeLong(GDT + 0x10, 0x00CF_9300_0000_FFFFL);
    cpu.gdtBase = GDT;
    cpu.gdtLimit = 0x17;
    cpu.segSelector[Cpu.CS] = mode == 0 ? 0 : CODE_SELECTOR;
    cpu.segSelector[Cpu.TR] = 0x18;
    cpu.segBase[Cpu.TR] = TSS;
    cpu.segLimit[Cpu.TR] = TSS_BYTES - 1;
    cpu.segAccess[Cpu.TR] = TSS_ACCESS;
    for (int at = 4; at < TSS_BYTES; at += 8) {
      ram.writeLong(TSS + at, near(random));
    }
    cpu.idtBase = mode == 0 ? 0 : IDT;
    cpu.idtLimit = VECTORS * (mode == 0 ? 4 : mode == 1 ? 8 : 16) - 1;
    for (int vector = 0; vector < VECTORS; vector++) {
      gate(ram, mode, vector, handler(random, mode), random.nextInt(8) == 0 ? 1 : 0);
    }
    cpu.gpr[Cpu.RSP] = near(random);
    for (int i = 0; i < 4; i++) {
      cpu.gpr[random.nextInt(16)] = near(random);
    }
    cpu.eflags |= random.nextInt(8) == 0 ? Cpu.TF : 0;
    cpu.eflags |= random.nextBoolean() ? Cpu.IF : 0;
  }

  /** A place on the code, or not far from it. */
  private static int near(Random random) {
    return START - BYTES + random.nextInt(3 * BYTES);
  }

  /** Mostly one that ends the run or returns; else it is somewhere in the code. */
  private static int handler(Random random, int mode) {
    int kind = random.nextInt(8);
    return kind < 4 ? HANDLERS : kind < 7 ? mode == 2 ? IRET_64 : IRET : near(random);
  }

  /**
   * @param stack the entry of the TSS from which long mode takes the stack; 0 for none
   */
  private static void gate(GuestRam ram, int mode, int vector, int handler, int stack) {
    long low = handler | (long) CODE_SELECTOR << 16 | 0x8E00L << 32;
    switch (mode) {
      case 0 -> ram.writeInt(vector * 4L, handler);
      case 1 -> ram.writeLong(IDT + vector * 8L, low);
      default -> {
        ram.writeLong(IDT + vector * 16L, low | (long) stack << 32);
        ram.writeLong(IDT + vector * 16L + 8, 0);
      }
    }
  }

  @Override
  public void close() {
    watcher.interrupt();
  }

  /**
   * {@code N [SEED]}: runs N seeds from SEED on; exit status 1 at the first host exception and the
   * first run that does not end.
   */
  public static void main(String[] args) {
    long count = Long.parseLong(args[0]);
    long first = args.length > 1 ? Long.parseLong(args[1]) : System.nanoTime();
    System.out.println("seeds from " + first);
    LongConsumer onStuck =
        seed -> {
          System.out.println("seed " + seed + " does not end");
          System.exit(1);
        };
    try (FuzzRunner fuzz = new FuzzRunner(onStuck)) {
      for (long i = 0; i < count; i++) {
        try {
          fuzz.run(first + i);
        } catch (RuntimeException e) {
          System.out.println("seed " + (first + i));
          e.printStackTrace(System.out);
          System.exit(1);
        }
      }
    }
    System.out.println(count + " sequences, no host exception, no run without an end");
  }
}
