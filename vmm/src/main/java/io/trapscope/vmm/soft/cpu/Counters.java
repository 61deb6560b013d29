package io.trapscope.vmm.soft.cpu;

import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/** What a processor counts beside instructions: for the warnings of a run, and for tests. */
public final class Counters {
  private final Map<String, Long> unimplemented = new TreeMap<>();

  /** Blocks decoded. */
  public long decodedBlocks;

  /** Stores that hit decoded code. */
  public long codeStores;

  /** Regions for which code was generated and put to use. */
  public long compiledRegions;

  void unimplemented(String what) {
    unimplemented.merge(what, 1L, Long::sum);
  }

  /**
   * What the guest used that this processor does not have, with the number of times: undefined
   * opcodes (answered with #UD) and the like. Empty for a guest that ran as it should.
   */
  public Map<String, Long> unimplemented() {
    return Collections.unmodifiableMap(unimplemented);
  }
}
