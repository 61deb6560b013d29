/**
 * Tier 2: generated code for hot blocks.
 *
 * <p>The processor's thread asks for a hot block ({@code RegionCompiler}). What it leads to is
 * collected ({@code Region}), written as the bytecode of one method ({@code RegionWriter} for the
 * way between blocks, {@code Translator} for what is in them) and compiled by the JVM before it is
 * handed over. Instructions that {@code Opcode.Kind} names are translated; all others are calls of
 * their handlers. Whatever is translated must do exactly what its handler does: the differential
 * tests run both against the host's processor.
 *
 * <p>Does not live here: anything about devices, paging or time.
 */
package io.trapscope.vmm.soft.jit;
