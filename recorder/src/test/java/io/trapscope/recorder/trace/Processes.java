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
    for (String open : new String[] {"java.lang.reflect", "java.nio"}) {
      command.add("--add-opens=java.base/" + open + "=ALL-UNNAMED");
    }
    for (String export : new String[] {"sun.nio.ch", "jdk.internal.ref"}) {
      command.add("--add-exports=java.base/" + export + "=ALL-UNNAMED");
    }
    if (Runtime.version().feature() >= 24) {
      // Chronicle's libraries use what newer JVMs warn about.
      command.add("--enable-native-access=ALL-UNNAMED");
      command.add("--sun-misc-unsafe-memory-access=allow");
    }
    command.addAll(options);
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(main.getName());
    command.addAll(List.of(arguments));
    return command;
  }
}
