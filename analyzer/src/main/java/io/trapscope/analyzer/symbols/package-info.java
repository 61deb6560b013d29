/**
 * Names for guest addresses. Lives here: reading symbols from a System.map, from kallsyms text and
 * from an ELF file. Does not live here: events, and what is done with a name.
 */
package io.trapscope.analyzer.symbols;
