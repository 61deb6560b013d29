/**
 * The seam between the machine and what runs its processors.
 *
 * <p>Lives here: {@code Hypervisor}, {@code Vm}, {@code Vcpu}, and the values that cross the seam.
 * Does not live here: a back end ({@code kvm}, {@code soft}), a device, or the loop. A back end
 * returns exits and never calls a device.
 */
package io.trapscope.vmm.hypervisor;
