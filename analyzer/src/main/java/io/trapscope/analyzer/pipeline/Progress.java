package io.trapscope.analyzer.pipeline;

/** Is told how far long work is. Called now and then, from one thread at a time. */
public interface Progress {
  /**
   * Tells how far it is.
   *
   * @param done bytes or events of the trace that are done
   * @param all how many there are
   */
  void at(long done, long all);
}
