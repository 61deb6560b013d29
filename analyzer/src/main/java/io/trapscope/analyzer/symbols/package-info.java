/**
 * Names for guest addresses. Lives here: reading symbols from a System.map, from kallsyms text,
 * from an ELF file and from a kernel image; finding where a relocated kernel runs. Does not live
 * here: events, and what is done with a name.
 */
package io.trapscope.analyzer.symbols;
