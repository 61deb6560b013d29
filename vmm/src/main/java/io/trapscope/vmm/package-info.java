/**
 * Root of the virtual machine monitor: {@code hypervisor} is the seam, {@code kvm} and {@code soft}
 * the two back ends.
 */
package io.trapscope.vmm;
