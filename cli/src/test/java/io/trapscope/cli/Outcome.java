package io.trapscope.cli;

import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** What one run of the command, in this process, gave. */
record Outcome(int status, String out, String err) {

  static {
    // A guest's keyboard reads this process's input, through which Surefire sends its commands: a
    // run that took its last one would leave it waiting for 30 s. Surefire keeps its own stream.
    System.setIn(InputStream.nullInputStream());
  }

  static Outcome of(String... args) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    PrintStream outStream = new PrintStream(out, true, StandardCharsets.UTF_8);
    PrintStream errStream = new PrintStream(err, true, StandardCharsets.UTF_8);
    int status = Main.run(args, outStream, errStream);
    return new Outcome(
        status, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }
}
