/**
 * From bytes to operations: the opcode table and the decoder that it drives.
 *
 * <p>Everything that is fixed by an instruction's bytes and the processor mode is decided here,
 * once; handlers find it in the {@code Op}.
 */
package io.trapscope.vmm.soft.decode;
