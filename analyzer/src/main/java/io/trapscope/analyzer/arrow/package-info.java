/**
 * Tables as Arrow IPC files. The only package that sees Arrow.
 *
 * <p>Lives here: the mapping from {@code analyzer.table} columns to Arrow fields, and the writer of
 * {@code .arrow} files. Does not live here: what the columns are or mean.
 *
 * <p>Loading Arrow's classes takes a few hundred milliseconds, so callers touch this package only
 * when there is a file to write.
 */
package io.trapscope.analyzer.arrow;
