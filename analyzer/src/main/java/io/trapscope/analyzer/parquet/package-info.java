/**
 * Tables as Parquet files. The only package that sees the Parquet project's structures, which
 * declare the format's metadata; everything else that a writer needs is a hundred lines, where the
 * project's own writer would bring Hadoop.
 *
 * <p>Lives here: the mapping from {@code analyzer.table} columns to Parquet's types, pages and row
 * groups. Does not live here: what the columns are or mean.
 */
package io.trapscope.analyzer.parquet;
