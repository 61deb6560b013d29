package io.trapscope.analyzer.parquet;

import com.github.luben.zstd.ZstdCompressCtx;
import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.ColumnType;
import io.trapscope.analyzer.table.PartFile;
import io.trapscope.analyzer.table.Words;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.parquet.format.ColumnChunk;
import org.apache.parquet.format.ColumnMetaData;
import org.apache.parquet.format.CompressionCodec;
import org.apache.parquet.format.DataPageHeader;
import org.apache.parquet.format.DictionaryPageHeader;
import org.apache.parquet.format.Encoding;
import org.apache.parquet.format.PageHeader;
import org.apache.parquet.format.PageType;
import org.apache.parquet.format.Statistics;
import org.apache.parquet.format.Type;
import org.apache.parquet.format.Util;

/**
 * One column of one row group: the page that is being filled, and the compressed pages before it.
 *
 * <pre>
 * page  = length of the levels (u32) | levels | values of the rows that have one
 * level = 1 where the row has a value, else 0: one run where all rows are alike, else a bitmap
 * </pre>
 */
final class ColumnPages {
  private static final int FIRST_VALUES = 1 << 10;
  private static final int NONE = -1;

  private final Column column;
  private final Type type;
  private final ZstdCompressCtx zstd;
  private final PageBuffer page;
  private final boolean unsigned;

  private final long[] validity;
  private long[] values = {};
  private int present;

  /** For BYTES: values as they lie in the page, each after its length. */
  private final PageBuffer heap;

  /** For TEXT: words of the whole file, those of this row group, and the latter's indexes. */
  private final Words words;

  private final List<Integer> dictionary = new ArrayList<>();
  private int[] dictionaryIndex = {};

  private final List<byte[]> pages = new ArrayList<>();
  private long uncompressed;
  private long nulls;
  private long rows;
  private long min;
  private long max;
  private boolean any;

  /**
   * An empty column.
   *
   * @param pageRows most rows a page, a multiple of 64
   * @param page scratch that columns share
   */
  ColumnPages(Column column, int pageRows, ZstdCompressCtx zstd, PageBuffer page) {
    this.column = column;
    this.type = ParquetTypes.physical(column);
    this.zstd = zstd;
    this.page = page;
    this.validity = new long[pageRows / Long.SIZE];
    this.words = column.type() == ColumnType.TEXT ? new Words(column.words()) : null;
    this.heap = column.type() == ColumnType.BYTES ? new PageBuffer() : null;
    this.unsigned =
        switch (column.type()) {
          case UINT8, UINT16, UINT32, UINT64 -> true;
          case BOOL, INT64, FLOAT64, TEXT, BYTES, TIMESTAMP, DURATION -> false;
        };
  }

  void number(int row, long value) {
    if (present == values.length) {
      values = Arrays.copyOf(values, Math.max(FIRST_VALUES, values.length * 2));
    }
    validity[row >> 6] |= 1L << row;
    values[present++] = words == null ? value : dictionaryIndex((int) value);
  }

  void text(int row, String value) {
    number(row, words.indexOf(value));
  }

  void bytes(int row, byte[] source, int offset, int length) {
    validity[row >> 6] |= 1L << row;
    present++;
    heap.putInt(length);
    heap.put(source, offset, length);
  }

  /** Index in this row group's dictionary of a word of the file. */
  private long dictionaryIndex(int word) {
    if (word >= dictionaryIndex.length) {
      int from = dictionaryIndex.length;
      dictionaryIndex = Arrays.copyOf(dictionaryIndex, Math.max(16, word * 2));
      Arrays.fill(dictionaryIndex, from, dictionaryIndex.length, NONE);
    }
    if (dictionaryIndex[word] == NONE) {
      dictionaryIndex[word] = dictionary.size();
      dictionary.add(word);
    }
    return dictionaryIndex[word];
  }

  /** Bytes of the page that is being filled, where their number varies. */
  int heapBytes() {
    return heap == null ? 0 : heap.size();
  }

  /** Ends a page of this many rows, at least one. */
  void endPage(int pageRows) throws IOException {
    page.clear();
    page.putInt(0);
    if (present == 0 || present == pageRows) {
      page.putRun(pageRows, present == 0 ? 0 : 1, 1);
    } else {
      page.putBits(validity, pageRows);
    }
    page.setInt(0, page.size() - Integer.BYTES);
    putValues();
    DataPageHeader data =
        new DataPageHeader(
            pageRows,
            // A page without values needs no dictionary, and where all are so there is none.
            words == null || present == 0 ? Encoding.PLAIN : Encoding.RLE_DICTIONARY,
            Encoding.RLE,
            Encoding.RLE);
    PageHeader header = new PageHeader(PageType.DATA_PAGE, 0, 0);
    pages.add(compressed(header.setData_page_header(data)));
    rows += pageRows;
    nulls += pageRows - present;
    present = 0;
    Arrays.fill(validity, 0);
  }

  private void putValues() {
    switch (column.type()) {
      case BOOL -> putFlags();
      case UINT8, UINT16, UINT32 -> {
        for (int i = 0; i < present; i++) {
          page.putInt((int) values[i]);
          bound(values[i]);
        }
      }
      case UINT64, INT64, TIMESTAMP, DURATION -> {
        for (int i = 0; i < present; i++) {
          page.putLong(values[i]);
          bound(values[i]);
        }
      }
      case FLOAT64 -> {
        for (int i = 0; i < present; i++) {
          page.putLong(values[i]);
        }
      }
      case TEXT -> {
        if (present == 0) {
          return;
        }
        int width = Math.max(1, Integer.SIZE - Integer.numberOfLeadingZeros(dictionary.size() - 1));
        page.putByte(width);
        page.putHybrid(values, present, width);
      }
      case BYTES -> {
        page.put(heap.bytes(), 0, heap.size());
        heap.clear();
      }
    }
  }

  private void putFlags() {
    for (int i = 0; i < present; i += Byte.SIZE) {
      int bits = 0;
      for (int bit = 0; bit < Byte.SIZE && i + bit < present; bit++) {
        bits |= (int) (values[i + bit] & 1) << bit;
      }
      page.putByte(bits);
    }
  }

  private void bound(long value) {
    if (!any) {
      any = true;
      min = value;
      max = value;
    } else if (unsigned) {
      min = Long.compareUnsigned(value, min) < 0 ? value : min;
      max = Long.compareUnsigned(value, max) > 0 ? value : max;
    } else {
      min = Math.min(min, value);
      max = Math.max(max, value);
    }
  }

  /** The page in the buffer, compressed, after its header, which gets the sizes. */
  private byte[] compressed(PageHeader header) throws IOException {
    byte[] body = zstd.compress(Arrays.copyOf(page.bytes(), page.size()));
    header.setUncompressed_page_size(page.size()).setCompressed_page_size(body.length);
    ByteArrayOutputStream out = new ByteArrayOutputStream(body.length + 64);
    Util.writePageHeader(header, out);
    uncompressed += out.size() + page.size();
    out.write(body);
    return out.toByteArray();
  }

  /** Writes the row group's pages to the end of the file, and begins the next row group. */
  ColumnChunk flush(PartFile file) throws IOException {
    byte[] dictionaryPage = dictionary.isEmpty() ? null : dictionaryPage();
    long first = file.channel().position();
    if (dictionaryPage != null) {
      file.write(ByteBuffer.wrap(dictionaryPage));
    }
    long data = file.channel().position();
    for (byte[] bytes : pages) {
      file.write(ByteBuffer.wrap(bytes));
    }
    ColumnMetaData metadata =
        new ColumnMetaData(
            type,
            words == null
                ? List.of(Encoding.PLAIN, Encoding.RLE)
                : List.of(Encoding.PLAIN, Encoding.RLE, Encoding.RLE_DICTIONARY),
            List.of(column.name()),
            CompressionCodec.ZSTD,
            rows,
            uncompressed,
            file.channel().position() - first,
            data);
    if (dictionaryPage != null) {
      metadata.setDictionary_page_offset(first);
    }
    metadata.setStatistics(statistics());
    clear();
    return new ColumnChunk(0).setMeta_data(metadata);
  }

  private byte[] dictionaryPage() throws IOException {
    page.clear();
    for (int word : dictionary) {
      byte[] bytes = words.word(word).getBytes(StandardCharsets.UTF_8);
      page.putInt(bytes.length);
      page.put(bytes, 0, bytes.length);
    }
    PageHeader header = new PageHeader(PageType.DICTIONARY_PAGE, 0, 0);
    return compressed(
        header.setDictionary_page_header(
            new DictionaryPageHeader(dictionary.size(), Encoding.PLAIN)));
  }

  /** Smallest and largest value, by which readers skip row groups. */
  private Statistics statistics() {
    Statistics statistics = new Statistics().setNull_count(nulls);
    if (any) {
      statistics.setMin_value(plain(min)).setMax_value(plain(max));
    }
    return statistics;
  }

  private byte[] plain(long value) {
    PageBuffer bytes = new PageBuffer();
    if (type == Type.INT32) {
      bytes.putInt((int) value);
    } else {
      bytes.putLong(value);
    }
    return Arrays.copyOf(bytes.bytes(), bytes.size());
  }

  private void clear() {
    pages.clear();
    dictionary.clear();
    Arrays.fill(dictionaryIndex, NONE);
    uncompressed = 0;
    nulls = 0;
    rows = 0;
    any = false;
  }
}
