package io.trapscope.vmm.soft.differential;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;

/** Completes lines of cases from stdin with what the host makes of them, for {@code cases.txt}. */
final class CaseRecorder {
  private CaseRecorder() {}

  public static void main(String[] args) throws IOException, InterruptedException {
    try (Oracle oracle = Oracle.start();
        BufferedReader lines =
            new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (line.isBlank() || line.startsWith("#")) {
          System.out.println(line);
          continue;
        }
        String initial = line.contains(" => ") ? line.substring(0, line.indexOf(" => ")) : line;
        TestCase test = CaseText.parse(initial + " => vector=3").test();
        System.out.println(CaseText.format(test, oracle.run(test)));
      }
    }
  }
}
