/**
 * The board: which devices a machine has, at which addresses, and how they are wired.
 *
 * <p>Lives here: {@code Board}, what the loop asks of one ({@code CpuidModel}, {@code MsrModel}),
 * and {@code PcBoard}. A board knows devices and addresses, never the loop; no device model lives
 * here.
 */
package io.trapscope.vmm.pc;
