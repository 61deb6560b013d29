package io.trapscope.recorder.trace;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Starts classes of the tests in a JVM of their own. */
final class Processes {
  /** JDKs that take {@link #UNSAFE}, and warn of Unsafe or refuse it. */
  static final boolean ASKS_ABOUT_UNSAFE = Runtime.version().feature() >= 24;

  /** What the JVM does about uses of sun.misc.Unsafe: allow, warn or deny. */
  static final String UNSAFE = "--sun-misc-unsafe-memory-access=";

  private Processes() {}

  /** The command that runs a main class the way the launcher runs the product's jar. */
  static List<String> java(Class<?> main, List<String> options, String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-XX:TieredStopAtLevel=1");
    command.add("-XX:+UseSerialGC");
    if (ASKS_ABOUT_UNSAFE) {
      command.add(UNSAFE + "allow");
    }
    command.addAll(options);
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(main.getName());
    command.addAll(List.of(arguments));
    return command;
  }
}
