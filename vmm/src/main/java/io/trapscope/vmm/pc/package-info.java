/**
 * The PC: the board on which operating systems run, assembled from {@code device} and {@code
 * cpuid}. No device model lives here.
 */
package io.trapscope.vmm.pc;
