package io.trapscope.analyzer.parquet;

import com.github.luben.zstd.ZstdCompressCtx;
import io.trapscope.analyzer.arrow.ArrowSchemas;
import io.trapscope.analyzer.table.PartFile;
import io.trapscope.analyzer.table.TableFile;
import io.trapscope.analyzer.table.TableSchema;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.apache.parquet.format.ColumnChunk;
import org.apache.parquet.format.ColumnOrder;
import org.apache.parquet.format.FileMetaData;
import org.apache.parquet.format.KeyValue;
import org.apache.parquet.format.RowGroup;
import org.apache.parquet.format.TypeDefinedOrder;
import org.apache.parquet.format.Util;

/**
 * Writes one table's rows to one Parquet file, compressed with Zstandard:
 *
 * <pre>
 * PAR1 | row group, row group, ... | footer | length of the footer (u32) | PAR1
 * </pre>
 *
 * <p>A page has {@link #PAGE_ROWS} rows, a row group up to {@link #GROUP_PAGES} pages; only the row
 * group that is being filled is in memory, compressed, and the footer, which grows by some hundred
 * bytes a column and row group. The footer's key {@code ARROW:schema} has the Arrow schema, so that
 * readers which know Arrow find durations, units and meanings.
 */
public final class ParquetTableWriter implements TableFile {
  /** Rows a page: half a megabyte of eight-byte values. */
  static final int PAGE_ROWS = 1 << 16;

  /** Pages a row group. */
  static final int GROUP_PAGES = 16;

  private static final byte[] MAGIC = "PAR1".getBytes(StandardCharsets.US_ASCII);
  private static final int MAX_HEAP_BYTES = 1 << 26;
  private static final int COMPRESSION_LEVEL = 1;
  private static final int FORMAT_VERSION = 2;

  private final PartFile part;
  private final TableSchema schema;
  private final Map<String, String> metadata;
  private final ZstdCompressCtx zstd = new ZstdCompressCtx().setLevel(COMPRESSION_LEVEL);
  private final ColumnPages[] columns;
  private final int groupPages;
  private final List<RowGroup> groups = new ArrayList<>();
  private int row;
  private int pages;
  private long groupRows;
  private long written;

  /**
   * Starts {@code directory/NAME.parquet}.
   *
   * @param metadata goes into the footer
   * @throws IOException where the file cannot be made; nothing is left behind
   */
  public ParquetTableWriter(Path directory, TableSchema schema, Map<String, String> metadata)
      throws IOException {
    this(directory, schema, metadata, GROUP_PAGES);
  }

  ParquetTableWriter(
      Path directory, TableSchema schema, Map<String, String> metadata, int groupPages)
      throws IOException {
    this.schema = schema;
    this.metadata = metadata;
    this.groupPages = groupPages;
    PageBuffer page = new PageBuffer();
    this.columns =
        schema.columns().stream()
            .map(column -> new ColumnPages(column, PAGE_ROWS, zstd, page))
            .toArray(ColumnPages[]::new);
    this.part = new PartFile(directory.resolve(schema.name() + ".parquet"));
    try {
      part.write(ByteBuffer.wrap(MAGIC));
    } catch (IOException e) {
      close();
      throw e;
    }
  }

  @Override
  public void number(int column, long value) {
    columns[column].number(row, value);
  }

  @Override
  public void real(int column, double value) {
    columns[column].number(row, Double.doubleToRawLongBits(value));
  }

  @Override
  public void text(int column, String value) {
    columns[column].text(row, value);
  }

  @Override
  public void bytes(int column, byte[] source, int offset, int length) {
    columns[column].bytes(row, source, offset, length);
  }

  @Override
  public void endRow() {
    row++;
    if (row == PAGE_ROWS || (row & 1023) == 0 && heapIsFull()) {
      try {
        endPage();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private boolean heapIsFull() {
    for (ColumnPages column : columns) {
      if (column.heapBytes() > MAX_HEAP_BYTES) {
        return true;
      }
    }
    return false;
  }

  private void endPage() throws IOException {
    for (ColumnPages column : columns) {
      column.endPage(row);
    }
    groupRows += row;
    row = 0;
    pages++;
    if (pages == groupPages) {
      endGroup();
    }
  }

  private void endGroup() throws IOException {
    List<ColumnChunk> chunks = new ArrayList<>(columns.length);
    long bytes = 0;
    for (ColumnPages column : columns) {
      ColumnChunk chunk = column.flush(part);
      bytes += chunk.getMeta_data().getTotal_uncompressed_size();
      chunks.add(chunk);
    }
    groups.add(new RowGroup(chunks, bytes, groupRows));
    written += groupRows;
    groupRows = 0;
    pages = 0;
  }

  @Override
  public long rows() {
    return written + groupRows + row;
  }

  @Override
  public void finish() throws IOException {
    if (row > 0) {
      endPage();
    }
    if (groupRows > 0) {
      endGroup();
    }
    ByteArrayOutputStream footer = new ByteArrayOutputStream();
    Util.writeFileMetaData(footer(), footer);
    ByteBuffer end = ByteBuffer.allocate(footer.size() + Integer.BYTES + MAGIC.length);
    end.put(footer.toByteArray()).putInt(Integer.reverseBytes(footer.size())).put(MAGIC);
    part.write(end.flip());
    part.finish();
  }

  @Override
  public Path commit() throws IOException {
    return part.commit();
  }

  private FileMetaData footer() {
    FileMetaData footer =
        new FileMetaData(FORMAT_VERSION, ParquetTypes.schema(schema), written, groups);
    metadata.forEach((key, value) -> footer.addToKey_value_metadata(pair(key, value)));
    String arrow = Base64.getEncoder().encodeToString(ArrowSchemas.message(schema, metadata));
    footer.addToKey_value_metadata(pair("ARROW:schema", arrow));
    footer.setCreated_by("trapscope");
    for (int i = 0; i < columns.length; i++) {
      footer.addToColumn_orders(ColumnOrder.TYPE_ORDER(new TypeDefinedOrder()));
    }
    return footer;
  }

  private static KeyValue pair(String key, String value) {
    return new KeyValue(key).setValue(value);
  }

  @Override
  public void close() {
    zstd.close();
    part.close();
  }
}
