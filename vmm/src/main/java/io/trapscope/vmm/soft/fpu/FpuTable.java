package io.trapscope.vmm.soft.fpu;

import io.trapscope.vmm.soft.decode.OpcodeTable;

/** Registers the x87, MMX and SSE part of the opcode table. */
public final class FpuTable {
  private FpuTable() {}

  /** Adds this family's entries to {@code table}. */
  public static void register(OpcodeTable table) {
    X87Table.register(table);
    MmxTable.register(table);
    SseTable.register(table);
    Sse4Table.register(table);
  }
}
