"""Checks that the tables' files of a directory are what the table reference says.

Usage: check_tables.py arrow|parquet|csv DIRECTORY

DIRECTORY holds the files and expected.json, which TablesInPythonTest derived from the tables' schemas, and in
compared the same of a comparison.
Every column of every file is compared in pyarrow, polars and DuckDB: presence, order, type, unit, meaning;
then values and nulls that the test put there.
"""

import json
import pathlib
import sys

import duckdb
import polars
import pyarrow
import pyarrow.compute
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet

ARROW = {
    "bool": [pyarrow.bool_()],
    "uint8": [pyarrow.uint8()],
    "uint16": [pyarrow.uint16()],
    "uint32": [pyarrow.uint32()],
    "uint64": [pyarrow.uint64()],
    "int64": [pyarrow.int64()],
    "float64": [pyarrow.float64()],
    # The index is as narrow as the words allow.
    "text": [
        pyarrow.dictionary(index, pyarrow.string())
        for index in (pyarrow.int8(), pyarrow.int16(), pyarrow.int32())
    ],
    "bytes": [pyarrow.binary()],
    "timestamp": [pyarrow.timestamp("ns", tz="UTC")],
    "duration": [pyarrow.duration("ns")],
}

POLARS = {
    "bool": polars.Boolean,
    "uint8": polars.UInt8,
    "uint16": polars.UInt16,
    "uint32": polars.UInt32,
    "uint64": polars.UInt64,
    "int64": polars.Int64,
    "float64": polars.Float64,
    "text": polars.Categorical,
    "bytes": polars.Binary,
    "timestamp": polars.Datetime("ns", "UTC"),
    "duration": polars.Duration("ns"),
}

DUCKDB = {
    "bool": "BOOLEAN",
    "uint8": "UTINYINT",
    "uint16": "USMALLINT",
    "uint32": "UINTEGER",
    "uint64": "UBIGINT",
    "int64": "BIGINT",
    "float64": "DOUBLE",
    "text": "VARCHAR",
    "bytes": "BLOB",
    "timestamp": "TIMESTAMPTZ_NS",
    # DuckDB's INTERVAL counts microseconds: see durations_in_duckdb.
    "duration": "INTERVAL",
}


def same(found, wanted, what):
    if found != wanted:
        sys.exit(f"{what}: found {found!r}, documented {wanted!r}")


class ArrowFiles:
    """Arrow IPC: each library reads the file, DuckDB what pyarrow mapped."""

    suffix = ".arrow"

    def table(self, path):
        """The table, mapped into memory: no byte of an uncompressed file is copied."""
        before = pyarrow.total_allocated_bytes()
        source = pyarrow.memory_map(str(path))
        table = pyarrow.ipc.open_file(source).read_all()
        copied = pyarrow.total_allocated_bytes() - before
        if copied > 1 << 16:
            sys.exit(f"{path.name}: reading a mapped file allocated {copied} bytes")
        return table

    def frame(self, path):
        return polars.read_ipc(path)

    def duck(self, path, table):
        duckdb.register("table_", table)
        return DUCKDB


class ParquetFiles:
    """Parquet: each library reads the file; DuckDB knows nothing of the Arrow schema in it."""

    suffix = ".parquet"

    def table(self, path):
        return pyarrow.parquet.read_table(path)

    def frame(self, path):
        return polars.read_parquet(path)

    def duck(self, path, table):
        duckdb.sql(f"create or replace view table_ as from '{path}'")
        return DUCKDB | {"duration": "BIGINT"}


class CsvFiles:
    """CSV: each library reads the text, with the types that the description beside it has."""

    suffix = ".csv"
    arrow = {name: types[-1] for name, types in ARROW.items()} | {
        "bytes": pyarrow.string(),  # hexadecimal digits
        "duration": pyarrow.int64(),  # no reader of CSV makes durations
    }
    polars = POLARS | {"text": polars.String, "bytes": polars.String, "duration": polars.Int64,
                       "timestamp": polars.String}
    duckdb = DUCKDB | {"bytes": "VARCHAR", "duration": "BIGINT"}

    def described(self, path):
        description = json.loads(path.with_name(path.name + "-metadata.json").read_text())
        same(description["@context"], "http://www.w3.org/ns/csvw", f"context of {path.name}")
        same(description["url"], path.name, f"url of {path.name}")
        return description

    def types(self, path):
        columns = self.described(path)["tableSchema"]["columns"]
        return {column["name"]: column["schema:additionalType"] for column in columns}

    def table(self, path):
        """As the description says, with the metadata where the other formats have it."""
        description = self.described(path)
        types = self.types(path)
        table = pyarrow.csv.read_csv(path, convert_options=pyarrow.csv.ConvertOptions(
            column_types={name: self.arrow[type_] for name, type_ in types.items()},
            strings_can_be_null=True, quoted_strings_can_be_null=False))
        fields = []
        columns = []
        for field, column in zip(table.schema, description["tableSchema"]["columns"]):
            cells = table[field.name]
            if types[field.name] == "duration":
                cells = cells.cast(pyarrow.duration("ns"))
            if types[field.name] == "bytes":
                cells = pyarrow.array([None if cell is None else bytes.fromhex(cell)
                                       for cell in cells.to_pylist()], pyarrow.binary())
            columns.append(cells)
            fields.append(pyarrow.field(field.name, cells.type, metadata={
                "unit": column["schema:unitText"], "meaning": column["dc:description"]}))
        return pyarrow.table(columns, schema=pyarrow.schema(fields, description["notes"][0]))

    def frame(self, path):
        types = self.types(path)
        frame = polars.read_csv(
            path,
            schema={name: self.polars[type_] for name, type_ in types.items()})
        return frame.with_columns(
            polars.col(name).str.to_datetime("%+", time_unit="ns", time_zone="UTC")
            if type_ == "timestamp" else
            polars.col(name).str.decode("hex") if type_ == "bytes" else
            polars.col(name).cast(POLARS[type_])
            for name, type_ in types.items())

    def duck(self, path, table):
        columns = {name: self.duckdb[type_] for name, type_ in self.types(path).items()}
        duckdb.sql(f"create or replace temp table csv_ as from read_csv('{path}', "
                   f"columns = {columns}, allow_quoted_nulls = false)")
        duckdb.sql("create or replace view table_ as from csv_")
        return self.duckdb


FORMATS = {"arrow": ArrowFiles(), "parquet": ParquetFiles(), "csv": CsvFiles()}


def check_schema(format_, path, columns):
    table = format_.table(path)
    table.validate(full=True)
    names = [column["name"] for column in columns]
    frame = format_.frame(path)
    duck_types = format_.duck(path, table)
    described = duckdb.sql("describe from table_").fetchall()
    same(table.schema.names, names, f"{path.name} in pyarrow")
    same(frame.columns, names, f"{path.name} in polars")
    same([row[0] for row in described], names, f"{path.name} in DuckDB")
    for column, duck in zip(columns, described):
        name, type_ = column["name"], column["type"]
        what = f"{path.name}, column {name}"
        field = table.schema.field(name)
        if field.type not in ARROW[type_]:
            sys.exit(f"{what} in pyarrow: found {field.type}, documented {type_}")
        metadata = {key.decode(): value.decode() for key, value in (field.metadata or {}).items()}
        same(metadata.get("unit", ""), column["unit"], f"unit of {what}")
        same(metadata.get("meaning"), column["meaning"], f"meaning of {what}")
        same(frame.schema[name], POLARS[type_], f"{what} in polars")
        same(duck[1], duck_types[type_], f"{what} in DuckDB")
        nulls = table[name].null_count
        same(frame[name].null_count(), nulls, f"nulls of {what} in polars")
        count = f'select count(*) - count("{name}") from table_'
        same(duckdb.sql(count).fetchall()[0][0], nulls, f"nulls of {what} in DuckDB")
        if pyarrow.types.is_integer(field.type):
            check_sum(what, table[name], frame[name], name)
        check_values(what, table[name], frame[name], name, type_)
    return table


def same_cells(found, wanted, what):
    """Row for row; names the first that differs."""
    same(len(found), len(wanted), f"rows of {what}")
    for row, (one, other) in enumerate(zip(found, wanted)):
        same(one, other, f"row {row} of {what}")


def check_values(what, cells, series, name, type_):
    """Words, bytes and flags are the same row for row, and times to the nanosecond."""
    def duck(expression):
        return [row[0] for row in duckdb.sql(f"select {expression} from table_").fetchall()]

    if type_ in ("text", "bytes"):
        wanted = cells.cast("string" if type_ == "text" else "binary").to_pylist()
        found = series.cast(polars.String) if type_ == "text" else series
        same_cells(found.to_list(), wanted, f"{what} in polars")
        column = duck(f'"{name}"')
        if type_ == "bytes":  # of CSV DuckDB has the hexadecimal digits
            column = [bytes.fromhex(cell) if isinstance(cell, str) else cell for cell in column]
        same_cells(column, wanted, f"{what} in DuckDB")
    elif type_ in ("timestamp", "duration"):
        wanted = cells.cast("int64").to_pylist()
        found = series.dt.epoch("ns") if type_ == "timestamp" else series.cast(polars.Int64)
        same_cells(found.to_list(), wanted, f"{what} in polars")
        if type_ == "timestamp":
            same_cells(duck(f'epoch_ns("{name}")'), wanted, f"{what} in DuckDB")
    elif type_ == "bool":
        same_cells(series.to_list(), cells.to_pylist(), f"{what} in polars")
        same_cells(duck(f'"{name}"'), cells.to_pylist(), f"{what} in DuckDB")


def check_sum(what, cells, series, name):
    """Whole numbers add up to the same in all three."""
    wanted = pyarrow.compute.sum(cells.cast(pyarrow.float64(), safe=False)).as_py() or 0.0
    for library, found in [
        ("polars", series.cast(polars.Float64).sum()),
        ("DuckDB", duckdb.sql(f'select sum("{name}"::double) from table_').fetchall()[0][0]),
    ]:
        if abs((found or 0.0) - wanted) > 1e-9 * abs(wanted):
            sys.exit(f"sum of {what} in {library}: found {found}, in pyarrow {wanted}")


def check_exits(table, expected):
    rows = expected["exits"]
    same(table.num_rows, rows, "rows of exits")
    same(table["gva"].null_count, rows, "nulls of gva, which no event captured")
    same(table["port"].null_count, rows - rows // 4, "nulls of port, which only PIO has")
    same(table["guest_ns"].null_count, rows // 2, "nulls of guest_ns")
    same(set(table["reason"].unique().to_pylist()),
         {"IO_INSTRUCTION", "CPUID", "VMCALL", "EPT_VIOLATION"}, "reasons")
    same(set(table["kvm_exit"].unique().to_pylist()), {None, "200"}, "a code without a name")
    same(table["arg0"][2].as_py(), 2**64 - 1, "a register with all bits set")
    same(table["time"][2].value, expected["epoch"] + 2001, "time of the third exit")
    same(table["guest_ns"][2].value, 3, "guest time of the third exit")
    # Exit n is a PIO with n % 13 bytes where n % 4 == 0.
    for n in (0, 4, 12, rows - 4):
        same(table["data"][n].as_py(), b"Hello, world!"[: n % 13], f"data of exit {n}")
    times = table["time"].cast("int64").to_numpy()
    same(int((times[1:] - times[:-1]).min()), 1000, "smallest step of time")


def check_translation(table, expected):
    same(table.num_rows, expected["exits"] // 4, "rows of memory_translation")
    names = ["gpa", "ept_page_size", "guest_page_size", "region", "access", "first_touch"]
    row = table.select(names).slice(0, 1).to_pylist()[0]
    same(row["gpa"], 0xFFFFFFFFFFFFF000, "GPA")
    same(row["ept_page_size"], 1 << 21, "EPT page size")
    same(row["guest_page_size"], None, "guest page size, not captured")
    same(row["region"], "ram-low", "region")
    same(row["access"], "WRITE", "access")
    same(row["first_touch"], True, "first touch")


def check_histogram(table, expected):
    same(sum(table["count"].to_pylist()), expected["exits"], "sum of exit_histogram")
    if abs(sum(table["share"].to_pylist()) - 1) > 1e-9:
        sys.exit("shares do not add up to 1")


def durations_in_duckdb(table):
    """INTERVAL drops what is below a microsecond; cast to int64 in Arrow, DuckDB has every ns."""
    exact = pyarrow.compute.sum(table["guest_ns"].cast("int64")).as_py()
    index = table.schema.get_field_index("guest_ns")
    duckdb.register("table_", table.set_column(index, "guest_ns", table["guest_ns"].cast("int64")))
    same(duckdb.sql("select sum(guest_ns) from table_").fetchall()[0][0], exact, "ns in DuckDB")


def check_files(format_, directory):
    """Every file there is, and no other, is as documented; the tables by name, and what is expected besides."""
    expected = json.loads((directory / "expected.json").read_text())
    files = {path.name.removesuffix(format_.suffix): path
             for path in sorted(directory.iterdir()) if path.name.endswith(format_.suffix)}
    same(list(files), sorted(expected["tables"]), "files")
    return {name: check_schema(format_, path, expected["tables"][name]) for name, path in files.items()}, expected


def metadata_of(table):
    return {key.decode(): value.decode() for key, value in table.schema.metadata.items()}


def main():
    format_ = FORMATS[sys.argv[1]]
    directory = pathlib.Path(sys.argv[2])
    tables, expected = check_files(format_, directory)
    for name, table in tables.items():
        metadata = metadata_of(table)
        same(metadata["trapscope.back_end"], "soft", f"back end in the metadata of {name}")
        same(metadata["trapscope.lost"], "0", f"loss in the metadata of {name}")
        same(metadata["trapscope.exits"], str(expected["exits"]), f"exits, metadata of {name}")
        if "HLT (handled in the kernel)" not in metadata["trapscope.coverage"]:
            sys.exit(f"coverage is not in the metadata of {name}")
    check_exits(tables["exits"], expected)
    check_translation(tables["memory_translation"], expected)
    check_histogram(tables["exit_histogram"], expected)
    compared, _ = check_files(format_, directory / "compared")
    for name, table in compared.items():
        same(metadata_of(table)["trapscope.complete"], "true", f"completeness in the metadata of {name}")
    reasons = compared["compare_reasons"]
    same(reasons["count_a"].to_pylist(), [expected["exits"] / 4] * 4, "counts of compare_reasons")
    histogram = tables["exit_histogram"].select(["reason", "guest_ns"]).to_pylist()
    told = {row["reason"] for row in histogram if row["guest_ns"] is not None}
    changes = [0 if reason in told else None for reason in reasons["reason"].to_pylist()]
    same(sorted(map(str, changes)), ["0", "0", "None", "None"], "reasons that tell guest time")
    same(reasons["guest_change"].cast("int64").to_pylist(), changes, "changes of guest time")
    durations_in_duckdb(tables["exits"])
    print(f"{len(tables) + len(compared)} files, pyarrow, polars, DuckDB: as documented")


main()
