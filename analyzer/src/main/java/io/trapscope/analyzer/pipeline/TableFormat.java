package io.trapscope.analyzer.pipeline;

import io.trapscope.analyzer.arrow.ArrowTableWriter;
import io.trapscope.analyzer.csv.CsvTableWriter;
import io.trapscope.analyzer.parquet.ParquetTableWriter;
import io.trapscope.analyzer.table.TableFile;

/** The formats that files of tables come in. */
public enum TableFormat {
  /** Arrow IPC, uncompressed: to be mapped into memory. */
  ARROW,
  /** Parquet, compressed: to be kept and shipped. */
  PARQUET,
  /** Text for everything else; types, units and metadata lie beside it. */
  CSV;

  /** Starts files of this format. Its library is loaded when the first file is opened. */
  public TableFile.Opener opener() {
    return switch (this) {
      case ARROW -> ArrowTableWriter::new;
      case PARQUET -> ParquetTableWriter::new;
      case CSV -> CsvTableWriter::new;
    };
  }
}
