/**
 * What KVM's tracepoints say, turned into events: one event an exit, with its kernel time and its
 * user-space time apart.
 *
 * <p>Lives here: the parser of a tracepoint's {@code format}, the table of KVM's tracepoints, the
 * exit codes of VMX and SVM, and {@code ExitJoiner}, which makes events of records. Does not live
 * here: where the records come from. They may be those of a running kernel or of a file, so nothing
 * here makes a system call, and field offsets are always those of the format that came with the
 * records.
 */
package io.trapscope.recorder.tracepoint;
