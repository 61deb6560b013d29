package io.trapscope.cli;

/** What runs the guest, as asked for on the command line. */
enum Accel {
  /** KVM where the processor helps it, and otherwise soft. */
  AUTO,
  /** Linux KVM. */
  KVM,
  /** The processor in Java. */
  SOFT
}
