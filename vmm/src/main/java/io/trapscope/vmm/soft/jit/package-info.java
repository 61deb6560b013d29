/**
 * Tier 2: generated code for hot blocks.
 *
 * <p>What is generated is only a sequence of calls of the interpreter's own handlers with constant
 * arguments; the JVM's compiler inlines and folds them. Nothing here knows what an instruction
 * does.
 */
package io.trapscope.vmm.soft.jit;
