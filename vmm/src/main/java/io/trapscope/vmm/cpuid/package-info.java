/**
 * What a guest finds out about its processor: the CPUID models that {@code --cpu} names, the
 * model-specific registers behind RDMSR and WRMSR exits, and KVM's paravirtual clock.
 *
 * <p>Does not live here: anything that executes instructions. A back end asks; nothing here knows
 * which.
 */
package io.trapscope.vmm.cpuid;
