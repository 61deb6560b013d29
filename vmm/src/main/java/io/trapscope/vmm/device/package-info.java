/**
 * Device models and what connects them: the bus, interrupt lines, and timers on guest time.
 *
 * <p>A device sees register accesses, guest memory, an interrupt line and a timer queue; it never
 * sees a vCPU or an exit. All devices of a machine are called under the machine's one device lock.
 */
package io.trapscope.vmm.device;
