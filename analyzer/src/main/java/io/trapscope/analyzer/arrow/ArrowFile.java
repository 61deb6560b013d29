package io.trapscope.analyzer.arrow;

import java.io.IOException;
import java.nio.channels.WritableByteChannel;
import java.util.Map;
import java.util.Set;
import org.apache.arrow.vector.VectorSchemaRoot;
import org.apache.arrow.vector.dictionary.DictionaryProvider;
import org.apache.arrow.vector.ipc.ArrowFileWriter;
import org.apache.arrow.vector.ipc.message.ArrowRecordBatch;

/**
 * An Arrow IPC file whose dictionaries follow its rows. The words of a column are complete only
 * after the last row, and the format allows it: "In the file format, there is no requirement that
 * dictionary keys should be defined in a DictionaryBatch before they are used in a RecordBatch, as
 * long as the keys are defined somewhere in the file" (Arrow columnar format, "IPC File Format").
 */
final class ArrowFile extends ArrowFileWriter {
  private final DictionaryProvider dictionaries;

  ArrowFile(
      VectorSchemaRoot root,
      DictionaryProvider dictionaries,
      WritableByteChannel out,
      Map<String, String> metadata) {
    super(root, dictionaries, out, metadata);
    this.dictionaries = dictionaries;
  }

  /** Appends a batch; its buffers may be reused afterwards. */
  void write(ArrowRecordBatch batch) throws IOException {
    writeRecordBatch(batch);
  }

  /** Writes the dictionaries with these ids, then the footer. */
  void finish(Set<Long> dictionaryIds) throws IOException {
    ensureDictionariesWritten(dictionaries, dictionaryIds);
    end();
  }
}
