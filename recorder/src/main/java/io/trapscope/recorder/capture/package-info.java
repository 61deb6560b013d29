/**
 * Recording other VMMs' guests: records of KVM's tracepoints from all of a host's threads become a
 * trace with a stream a vCPU.
 *
 * <p>Lives here: {@code HostRecorder}, which finds the vCPUs among the threads. Does not live here:
 * where the records come from, and how the host's processes are looked up.
 */
package io.trapscope.recorder.capture;
