package io.trapscope.cli.host;

/**
 * One thing looked at on the host.
 *
 * @param name what was looked at, one word
 * @param state what it means for Trapscope
 * @param found what is there, one line
 * @param remedy what it would take to get the rest, one line; empty where nothing is missing
 */
public record HostCheck(String name, State state, String found, String remedy) {

  /** What a finding means. */
  public enum State {
    /** All that Trapscope can use is there. */
    OK,
    /** Usable, with less than all. */
    LIMITED,
    /** Not usable; what needs it says so and the rest works. */
    MISSING
  }

  /** A finding of state OK. */
  public static HostCheck ok(String name, String found) {
    return new HostCheck(name, State.OK, found, "");
  }

  /** A finding of state LIMITED. */
  public static HostCheck limited(String name, String found, String remedy) {
    return new HostCheck(name, State.LIMITED, found, remedy);
  }

  /** A finding of state MISSING. */
  public static HostCheck missing(String name, String found, String remedy) {
    return new HostCheck(name, State.MISSING, found, remedy);
  }
}
