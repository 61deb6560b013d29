/**
 * What a report yields: named, typed columns with a unit and a meaning, and rows.
 *
 * <p>Lives here: {@code TableSchema}, {@code Column}, {@code Table} in memory, {@code RowSink} for
 * rows that are never held in memory, and the two plain renderings, text and JSON. Does not live
 * here: events, traces, or Arrow.
 */
package io.trapscope.analyzer.table;
