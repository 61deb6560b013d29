/**
 * What instructions do: one small static method a form, grouped by instruction family.
 *
 * <p>A handler changes no state before its last possible fault or exit, because both restart the
 * instruction.
 */
package io.trapscope.vmm.soft.exec;
