/**
 * Guest-physical memory: where RAM and devices lie, and how the VMM reads and writes RAM.
 *
 * <p>Every guest-physical address the product chooses is in {@code MemoryLayout}. Does not live
 * here: page tables of any kind.
 */
package io.trapscope.vmm.memory;
