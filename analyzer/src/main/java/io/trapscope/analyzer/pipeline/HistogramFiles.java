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

  /** Writes all of them, or none. */
  static List<Path> write(Path directory, Map<String, Histogram> histograms) throws IOException {
    try {
      Files.createDirectories(directory);
    } catch (IOException e) {
      throw PartFile.explained(directory, e);
    }
    List<PartFile> files = new ArrayList<>();
    try {
      for (Map.Entry<String, Histogram> entry : histograms.entrySet()) {
        PartFile file = new PartFile(directory.resolve(entry.getKey() + ".hgrm"));
        files.add(file);
        file.write(text(entry.getValue()));
        file.finish();
      }
      List<Path> paths = new ArrayList<>();
      for (PartFile file : files) {
        paths.add(file.commit());
      }
      return paths;
    } finally {
      files.forEach(PartFile::close);
    }
  }

  private static ByteBuffer text(Histogram histogram) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (PrintStream out = new PrintStream(bytes, false, StandardCharsets.US_ASCII)) {
      histogram.outputPercentileDistribution(out, TICKS, NANOSECONDS);
    }
    return ByteBuffer.wrap(bytes.toByteArray());
  }
}
