package io.trapscope.analyzer.symbols;

/** A name for the code from an address on. */
record Symbol(long address, String name) {}
