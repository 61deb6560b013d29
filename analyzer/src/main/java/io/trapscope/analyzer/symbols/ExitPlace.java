package io.trapscope.analyzer.symbols;

/**
 * A place where a guest exits.
 *
 * @param rip where the guest runs it
 * @param instruction what must be there
 */
public record ExitPlace(long rip, ExitInstruction instruction) {}
