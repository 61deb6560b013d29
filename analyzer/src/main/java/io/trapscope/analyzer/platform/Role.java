package io.trapscope.analyzer.platform;

import java.util.Locale;

/** What accesses to a register do. */
public enum Role {
  /** Holds what was written; writing the same again changes nothing. */
  STATE,
  /** Shows what the device does; changes by itself. */
  STATUS,
  /** Every access moves another item. */
  DATA,
  /** Acts on every write. */
  COMMAND,
  /** Selects what another register shows. */
  INDEX,
  /** Is written only for the time it takes. */
  DELAY,
  /** Nobody has said. */
  UNKNOWN;

  /** Name in tables. */
  public String title() {
    return name().toLowerCase(Locale.ROOT);
  }
}
