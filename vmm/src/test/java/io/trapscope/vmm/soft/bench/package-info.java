/**
 * JMH benchmarks of the software processor. Run with {@code vmm/bench}; the build only compiles
 * them.
 */
package io.trapscope.vmm.soft.bench;
