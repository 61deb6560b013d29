/**
 * Runs a machine: puts the parts together, and turns the loop that enters the guest, handles its
 * exit and records it.
 *
 * <p>Lives here: {@code Machine}, the loop, the dispatcher, the encoder of exits. Does not live
 * here: a back end, a device model, or how a trace is stored. {@code VcpuLoop} is the one place
 * where exits are recorded.
 */
package io.trapscope.vmm.run;
