/**
 * Turns a trace into answers: {@code pipeline} reads it once, {@code tally} adds up, and every
 * {@code report} makes {@code table}s of the sums; {@code arrow}, {@code parquet} and {@code csv}
 * write them; {@code html} makes a page of them; {@code perfetto} writes the events themselves for
 * Perfetto; {@code compare} sets several traces against several others; {@code symbols} names guest
 * addresses.
 */
package io.trapscope.analyzer;
