/**
 * The host kernel's tracepoints, through perf_event_open.
 *
 * <p>Lives here: where the tracepoints' formats are ({@code Tracefs}), the ring buffers that the
 * kernel fills ({@code TracepointRing}), and what connects a vCPU's ring to its stream of events
 * ({@code VcpuTracing}). Does not live here: what a record means, which is {@code
 * recorder.tracepoint}'s, or anything that runs a guest.
 *
 * <p>Design note: a vCPU's thread has a ring of its own, into which only its own records go, in the
 * order of time. It empties the ring itself when KVM_RUN has returned and its exit was handled, so
 * that the kernel's story of an exit is complete before the exit is recorded; nothing has to be
 * merged and nothing guessed. A second thread looks after rings of vCPUs that stay in the kernel.
 */
package io.trapscope.vmm.perf;
