/**
 * Puts guests into memory: each {@code BootSource} writes an image with what its boot protocol asks
 * for and sets the registers of the first vCPU. Addresses come from {@code MemoryLayout}.
 */
package io.trapscope.vmm.boot;
