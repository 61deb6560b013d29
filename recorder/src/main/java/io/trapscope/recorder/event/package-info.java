/**
 * What a trace is made of: the schema of events, the codes they carry, and the flyweights that
 * write and read one event.
 *
 * <p>Lives here: {@code ExitReason}, {@code CpuMode}, the event table and everything derived from
 * it; {@code Counter}, the evidence beside the events. Does not live here: files, queues, threads,
 * or anything that knows which back end ran the guest.
 */
package io.trapscope.recorder.event;
