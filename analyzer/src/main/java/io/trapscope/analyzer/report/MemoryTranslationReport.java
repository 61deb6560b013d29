package io.trapscope.analyzer.report;

import io.trapscope.analyzer.table.Column;
import io.trapscope.analyzer.table.ColumnType;
import io.trapscope.analyzer.table.RowBlock;
import io.trapscope.analyzer.table.Table;
import io.trapscope.analyzer.table.TableSchema;
import io.trapscope.analyzer.table.Unit;
import io.trapscope.analyzer.tally.Part;
import io.trapscope.recorder.event.EventType;
import io.trapscope.recorder.event.Field;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * {@code memory_translation}: a row an EPT fault, with the addresses it had in every space; and
 * {@code ept_faults}, the same faults added up by region, access and page size.
 */
public final class MemoryTranslationReport implements Report {
  private static final Set<EventType> FAULTS = EnumSet.of(EventType.EPT_FAULT);

  @Override
  public String name() {
    return "memory_translation";
  }

  @Override
  public String meaning() {
    return "every EPT fault: GVA, GPA, HVA, HPA, access, page sizes, region, first touch";
  }

  @Override
  public Set<Part> needs() {
    return EnumSet.of(Part.SITES);
  }

  @Override
  public List<Table> tables(Findings found) {
    return List.of(EptFaults.table(found));
  }

  @Override
  public Optional<EventRows> rows(TraceFacts facts) {
    return Optional.of(new Rows(facts));
  }

  /** Column of a page size in bytes, made of the field that holds its logarithm. */
  static Column pageSize(String name, String meaning) {
    return Column.of(name, ColumnType.UINT64, Unit.BYTES, meaning);
  }

  private static final class Rows implements EventRows {
    /** Copied as they are. */
    private static final List<Field> COPIED =
        List.of(
            Field.TIME,
            Field.SEQUENCE,
            Field.VCPU,
            Field.GVA,
            Field.GPA,
            Field.HVA,
            Field.HPA,
            Field.ACCESS,
            Field.REGION,
            Field.FIRST_TOUCH,
            Field.RIP,
            Field.MODE,
            Field.INSTRUCTIONS,
            Field.QUALIFICATION,
            Field.GUEST_TIME,
            Field.LOOP_TIME,
            Field.DISPATCH_TIME,
            Field.DEVICE_TIME,
            Field.KERNEL_TIME,
            Field.USER_TIME);

    private static final int GUEST_PAGE = COPIED.size();
    private static final int EPT_PAGE = GUEST_PAGE + 1;

    private final TableSchema schema;
    private final FieldRows cells;

    Rows(TraceFacts facts) {
      List<Column> columns = new ArrayList<>();
      COPIED.forEach(field -> columns.add(EventColumns.of(field)));
      columns.add(pageSize("guest_page_size", "page size of the guest's own tables at the GVA"));
      columns.add(pageSize("ept_page_size", "page size of the EPT at the GPA"));
      this.schema =
          new TableSchema(
              "memory_translation",
              "EPT faults",
              "one EPT violation on RAM, in the order of time",
              columns);
      this.cells = new FieldRows(FAULTS, COPIED, 0, facts);
      cells.addPageSize(EventType.EPT_FAULT, Field.GUEST_PAGE, GUEST_PAGE);
      cells.addPageSize(EventType.EPT_FAULT, Field.EPT_PAGE, EPT_PAGE);
    }

    @Override
    public TableSchema schema() {
      return schema;
    }

    @Override
    public Set<EventType> types() {
      return FAULTS;
    }

    @Override
    public void fill(EventType type, ChosenEvents events, RowBlock block) {
      cells.fill(type, events, block);
    }
  }
}
