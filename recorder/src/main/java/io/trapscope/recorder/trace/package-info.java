/**
 * Traces on disk: the directory with its header and footer, and one queue of events a vCPU.
 *
 * <p>Lives here: the format ({@code TraceFormat}), who writes it ({@code TraceWriter}) and who
 * reads it ({@code TraceReader}). The queues are Chronicle Queue's by format; the library itself is
 * used by tests only. Does not live here: what an event means, or what is made of it.
 */
package io.trapscope.recorder.trace;
