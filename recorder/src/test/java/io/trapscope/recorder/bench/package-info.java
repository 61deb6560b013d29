/** JMH benchmarks of writing and reading traces; {@code recorder/bench} runs them. */
package io.trapscope.recorder.bench;
