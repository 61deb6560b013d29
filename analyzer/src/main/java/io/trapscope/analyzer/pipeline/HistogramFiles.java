package io.trapscope.analyzer.pipeline;

import io.trapscope.analyzer.table.PartFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.HdrHistogram.Histogram;

/** Distributions as the percentile text that HdrHistogram's plotters read. */
final class HistogramFiles {
  /** Lines each time the distance to 100 % halves: HdrHistogram's own default. */
  private static final int TICKS = 5;

  private static final double NANOSECONDS = 1.0;

  private HistogramFiles() {}

  static List<Path> write(Path directory, Map<String, Histogram> histograms) throws IOException {
    try {
      Files.createDirectories(directory);
    } catch (IOException e) {
      throw PartFile.explained(directory, e);
    }
    List<Path> files = new ArrayList<>();
    for (Map.Entry<String, Histogram> entry : histograms.entrySet()) {
      ByteArrayOutputStream bytes = new ByteArrayOutputStream();
      try (PrintStream out = new PrintStream(bytes, false, StandardCharsets.US_ASCII)) {
        entry.getValue().outputPercentileDistribution(out, TICKS, NANOSECONDS);
      }
      try (PartFile file = new PartFile(directory.resolve(entry.getKey() + ".hgrm"))) {
        file.write(ByteBuffer.wrap(bytes.toByteArray()));
        files.add(file.commit());
      }
    }
    return files;
  }
}
