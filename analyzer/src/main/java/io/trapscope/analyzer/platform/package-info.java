/**
 * What the numbers in a trace are called: devices from the trace's own map of the machine where it
 * has one, registers from a table of what every PC has.
 *
 * <p>Lives here: names and what accesses to a register do. Does not live here: names of guest
 * addresses ({@code symbols}), and what reports do with either.
 */
package io.trapscope.analyzer.platform;
