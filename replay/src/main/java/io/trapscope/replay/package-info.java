/** Runs a recorded guest again from its recorded inputs and compares every exit with the trace. */
package io.trapscope.replay;
