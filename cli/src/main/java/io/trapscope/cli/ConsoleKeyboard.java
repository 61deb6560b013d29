package io.trapscope.cli;

import io.trapscope.vmm.run.TypedInput;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Hands stdin to the guest's console. On a terminal every key goes to the guest, Ctrl-C too; {@code
 * Ctrl-a x} ends the run, {@code Ctrl-a c} shows how far it is, {@code Ctrl-a Ctrl-a} types a
 * Ctrl-a.
 */
final class ConsoleKeyboard implements AutoCloseable {
  private static final int ESCAPE = 1;
  private static final File TERMINAL = new File("/dev/tty");

  private final TypedInput input;
  private final Recording recording;
  private final PrintStream err;
  private final boolean terminal = Terminals.isTerminal(Terminals.STDIN);
  private final Thread restore = new Thread(this::restore, "restore-terminal");
  private String saved = "";
  private boolean escaped;

  ConsoleKeyboard(TypedInput input, Recording recording, PrintStream err) {
    this.input = input;
    this.recording = recording;
    this.err = err;
  }

  /** Whether stdin is a terminal. */
  boolean isTerminal() {
    return terminal;
  }

  /** Starts reading; a terminal is given back by {@link #close}, or when the process ends. */
  void start() {
    if (terminal) {
      saved = stty("-g");
      Runtime.getRuntime().addShutdownHook(restore);
      stty("-icanon", "-echo", "-isig", "-icrnl", "-ixon", "min", "1", "time", "0");
      err.println("keys go to the guest; Ctrl-a x ends the run, Ctrl-a c shows how far it is");
    }
    Thread thread = new Thread(() -> read(System.in), "console-input");
    thread.setDaemon(true);
    thread.start();
  }

  private void read(InputStream in) {
    byte[] bytes = new byte[4096];
    try {
      for (int count = in.read(bytes); count >= 0; count = in.read(bytes)) {
        int kept = terminal ? commands(bytes, count) : count;
        input.offer(bytes, 0, kept);
      }
    } catch (IOException e) {
      // Nothing more can be read, which is what the end of input means.
    }
    input.close();
  }

  /** Takes commands out of what was typed; returns how many bytes are left for the guest. */
  private int commands(byte[] bytes, int count) {
    int kept = 0;
    for (int i = 0; i < count; i++) {
      if (escaped) {
        escaped = false;
        if (bytes[i] == 'x') {
          recording.stop();
        } else if (bytes[i] == 'c') {
          err.println(recording.progressLine());
        } else {
          bytes[kept++] = bytes[i];
        }
      } else if (bytes[i] == ESCAPE) {
        escaped = true;
      } else {
        bytes[kept++] = bytes[i];
      }
    }
    return kept;
  }

  private void restore() {
    if (!saved.isEmpty()) {
      stty(saved);
    }
  }

  private static String stty(String... arguments) {
    List<String> command = new ArrayList<>(List.of("stty"));
    command.addAll(List.of(arguments));
    try {
      Process process =
          new ProcessBuilder(command)
              .redirectInput(TERMINAL)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      byte[] output = process.getInputStream().readAllBytes();
      process.waitFor(1, TimeUnit.SECONDS);
      return new String(output, StandardCharsets.US_ASCII).strip();
    } catch (IOException e) {
      return ""; // no stty: keys arrive a line at a time
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "";
    }
  }

  @Override
  public void close() {
    if (terminal) {
      restore();
      try {
        Runtime.getRuntime().removeShutdownHook(restore);
      } catch (IllegalStateException e) {
        // The process is ending, and the hook restores the terminal once more.
      }
    }
  }
}
