package io.trapscope.vmm.soft.fpu;

/** x87, MMX and SSE registers of one processor. */
public final class FpuState {}
