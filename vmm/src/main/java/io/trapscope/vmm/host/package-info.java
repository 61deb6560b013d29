/**
 * Calls of the host: Linux system calls and a few functions of the C library.
 *
 * <p>Lives here: {@code LibC}, which the packages that talk to the kernel use, and the bindings
 * behind it, one of which is chosen at start: {@code ForeignBinding} (java.lang.foreign, JDK 22 and
 * newer), {@code JnaBinding} (older JDKs; the only user of JNA); {@code Descriptors}. Does not live
 * here: anything that knows what a call is for.
 */
package io.trapscope.vmm.host;
