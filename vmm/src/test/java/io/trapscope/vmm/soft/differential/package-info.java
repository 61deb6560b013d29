/**
 * Differential tests of the software processor against the processor of the host.
 *
 * <p>A {@code TestCase} is an initial state and a few instructions. {@code Oracle} runs it
 * natively, {@code SoftRunner} on the software processor; {@code Comparison} tells what differs.
 * {@code Generator} makes cases from {@code Form}s, one family of instructions at a time; {@code
 * Shrinker} makes a failing one small; {@code DifferentialRun} puts them together, as a test or a
 * long run.
 */
package io.trapscope.vmm.soft.differential;
