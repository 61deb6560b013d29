/**
 * Guests that are not bundled but fetched when the user asks for them, through the system's own
 * package tool. The only place that reaches outside the machine, and only by running that tool.
 */
package io.trapscope.vmm.fetch;
