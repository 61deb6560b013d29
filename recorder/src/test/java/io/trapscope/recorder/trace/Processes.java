package io.trapscope.recorder.trace;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Starts classes of the tests in a JVM of their own. */
final class Processes {
  private Processes() {}

  /** The command that runs a main class the way the product's jar runs, without its own options. */
  static List<String> java(Class<?> main, List<String> options, String... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add("-XX:TieredStopAtLevel=1");
    command.add("-XX:+UseSerialGC");
    command.addAll(options);
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(main.getName());
    command.addAll(List.of(arguments));
    return command;
  }
}
