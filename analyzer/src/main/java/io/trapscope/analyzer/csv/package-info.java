/**
 * Tables as CSV files, each with a description beside it. Lives here: how cells become text, and
 * the description of columns as "CSV on the Web" metadata. Does not live here: what the columns are
 * or mean.
 */
package io.trapscope.analyzer.csv;
