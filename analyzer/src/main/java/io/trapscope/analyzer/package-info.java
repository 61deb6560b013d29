/**
 * Turns a trace into answers: {@code report} accepts events and yields {@code table}s; {@code
 * arrow} writes them.
 */
package io.trapscope.analyzer;
