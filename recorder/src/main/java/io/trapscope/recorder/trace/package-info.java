/**
 * Traces on disk: the directory with its header and footer, and one queue of events a vCPU.
 *
 * <p>Lives here: the format ({@code TraceFormat}), who writes it ({@code TraceWriter}, the only
 * user of Chronicle Queue) and who reads it ({@code TraceReader}, which loads no class of
 * Chronicle's). Does not live here: what an event means, or what is made of it.
 */
package io.trapscope.recorder.trace;
