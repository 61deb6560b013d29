/**
 * Runs a recorded guest again from what its trace says went in, and compares every event with what
 * the trace says came out.
 *
 * <p>Lives here: what a replay is given ({@code RecordedConsole}), how events are compared ({@code
 * VerifyingStream}, {@code Divergence}), and playing a recording's console. Does not live here: a
 * machine or a device; a replay runs the same ones as the recording did.
 */
package io.trapscope.replay;
