package io.trapscope.vmm.soft.differential;

import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Runs many cases on host and software processor and reports what differs. */
final class DifferentialRun {
  /** What the oracle answers to a batch must fit a pipe of 64 KiB, or both sides wait. */
  private static final int BATCH = 32;

  private static final int MAX_REPORTS_A_FAMILY = 3;

  /** Cases and mismatches of one family. */
  static final class Count {
    long cases;
    long instructions;
    long mismatches;
    long faults;
  }

  private final Oracle oracle;
  private final SoftRunner soft;
  private final Generator generator;
  private final boolean intel;
  private final PrintStream out;
  private final Map<String, Count> counts = new TreeMap<>();

  DifferentialRun(Oracle oracle, SoftRunner soft, long seed, PrintStream out) throws IOException {
    this.oracle = oracle;
    this.soft = soft;
    this.out = out;
    intel = Oracle.hostIsIntel();
    generator = new Generator(seed, Oracle.hostHas("sse4_2"), intel);
  }

  Map<String, Count> counts() {
    return counts;
  }

  /** Runs {@code total} cases of the families whose name starts with {@code prefix}. */
  long run(long total, String prefix) throws IOException {
    List<String> families = new ArrayList<>(generator.families());
    families.removeIf(name -> !name.startsWith(prefix));
    long mismatches = 0;
    List<TestCase> pending = null;
    for (long done = 0; done < total || pending != null; ) {
      List<TestCase> batch = null;
      if (done < total) {
        batch = new ArrayList<>();
        for (int i = 0; i < BATCH; i++) {
          batch.add(generator.next(families.get((int) ((done + i) % families.size()))));
        }
        oracle.send(batch);
        done += BATCH;
      }
      if (pending != null) {
        mismatches += compare(pending);
      }
      if (batch != null) {
        results = oracle.receive(BATCH);
      }
      pending = batch;
    }
    return mismatches;
  }

  private List<TestResult> results;

  private long compare(List<TestCase> batch) throws IOException {
    long mismatches = 0;
    List<TestResult> hostResults = results;
    for (int i = 0; i < batch.size(); i++) {
      TestCase test = batch.get(i);
      TestResult host = hostResults.get(i);
      Count count = counts.computeIfAbsent(test.family, name -> new Count());
      count.cases++;
      count.instructions += test.instructions.size();
      count.faults += host.vector == 3 ? 0 : 1;
      if (!differences(test, host).isEmpty()) {
        mismatches++;
        if (++count.mismatches <= MAX_REPORTS_A_FAMILY) {
          failing.add(test);
        }
      }
    }
    return mismatches;
  }

  private final List<TestCase> failing = new ArrayList<>();

  private List<String> differences(TestCase test, TestResult host) {
    TestResult result;
    try {
      result = soft.run(test);
    } catch (RuntimeException e) {
      return List.of("host exception " + e + " at " + e.getStackTrace()[0]);
    }
    return Comparison.of(test, host, result, intel);
  }

  /** Shrinks and prints the first failures of each family, as lines of {@link CaseText}. */
  void report() throws IOException {
    Shrinker shrinker = new Shrinker(t -> !differences(t, oracle.run(t)).isEmpty());
    for (TestCase test : failing) {
      TestCase small = shrinker.shrink(test);
      TestResult host = oracle.run(small);
      out.println(small.family + ": " + CaseText.format(small, host));
      List<String> differences = differences(small, host);
      if (differences.isEmpty()) {
        TestResult again = oracle.run(test);
        out.println("    alone it agrees; as it came: " + CaseText.format(test, again));
        differences = differences(test, again);
      }
      for (String difference : differences) {
        out.println("    " + difference);
      }
    }
  }

  void summary() {
    out.printf(
        "%-12s %12s %14s %12s %12s%n",
        "family", "sequences", "instructions", "faults", "mismatches");
    Count sum = new Count();
    counts.forEach(
        (name, c) -> {
          out.printf(
              "%-12s %12d %14d %12d %12d%n", name, c.cases, c.instructions, c.faults, c.mismatches);
          sum.cases += c.cases;
          sum.instructions += c.instructions;
          sum.faults += c.faults;
          sum.mismatches += c.mismatches;
        });
    out.printf(
        "%-12s %12d %14d %12d %12d%n",
        "total", sum.cases, sum.instructions, sum.faults, sum.mismatches);
  }

  /**
   * {@code [--generated] N [SEED [FAMILY-PREFIX]]}: exit status 0 when nothing differs, 1 when
   * something does.
   */
  public static void main(String[] words) throws IOException, InterruptedException {
    boolean generated = words[0].equals("--generated");
    String[] args = generated ? Arrays.copyOfRange(words, 1, words.length) : words;
    SoftRunner soft = generated ? SoftRunner.generated() : new SoftRunner();
    String missing = Oracle.missing();
    if (missing != null) {
      System.err.println("differential: " + missing);
      System.exit(2);
    }
    long total = Long.parseLong(args[0]);
    long seed = args.length > 1 ? Long.parseLong(args[1]) : System.nanoTime();
    System.out.println("seed " + seed);
    if (!Oracle.hostIsIntel()) {
      System.out.println("this processor is not Intel's: what vendors do differently is left out");
    }
    long mismatches;
    try (Oracle oracle = Oracle.start()) {
      DifferentialRun run = new DifferentialRun(oracle, soft, seed, System.out);
      mismatches = run.run(total, args.length > 2 ? args[2] : "");
      run.report();
      run.summary();
    }
    if (generated) {
      System.out.println(soft.generatedRegions() + " regions by generated code");
    }
    System.exit(mismatches == 0 ? 0 : 1);
  }
}
