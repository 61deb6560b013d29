/**
 * Call stacks for flame graphs. Lives here: adding up the stacks of a trace, and writing them
 * folded. Does not live here: symbols, and how a stack is found in a guest.
 */
package io.trapscope.analyzer.folded;
