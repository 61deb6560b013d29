"""Tables' files as plain rows, and their comparison cell by cell with what is expected."""

import collections
import json
import math

import pyarrow
import pyarrow.ipc
import pyarrow.parquet

from .trace import nanos


class Difference(Exception):
    """What a file has and what it should have; one line."""


class Between:
    """Any whole number from `low` to `high`: a percentile, which is exact to a stated part."""

    def __init__(self, low, high):
        self.low, self.high = low, high

    def __repr__(self):
        return f"{self.low} to {self.high}"


class Near:
    """A float that another way of computing it need not hit in the last digits."""

    def __init__(self, value, error=1e-9, least=0.0):
        self.value = value
        self.error = max(abs(value) * error, least)

    def __repr__(self):
        return f"about {self.value}"


def agrees(found, wanted):
    if found is None or wanted is None:
        return found is wanted
    if isinstance(wanted, Between):
        return wanted.low <= found <= wanted.high
    if isinstance(wanted, Near):
        return abs(found - wanted.value) <= wanted.error
    if isinstance(wanted, float):
        return math.isclose(found, wanted, rel_tol=1e-12)
    return type(found) is type(wanted) and found == wanted


def plain(table):
    """Words as str, times as whole numbers of ns."""
    for i, field in enumerate(table.schema):
        if pyarrow.types.is_dictionary(field.type):
            table = table.set_column(i, field.name, table[field.name].cast(pyarrow.string()))
        elif pyarrow.types.is_duration(field.type) or pyarrow.types.is_timestamp(field.type):
            table = table.set_column(i, field.name, table[field.name].cast(pyarrow.int64()))
    return table.to_pylist()


def cell_of(text, quoted, type_):
    if text == "" and not quoted:
        return None
    if type_ == "text":
        return text
    if type_ == "bool":
        return {"true": True, "false": False}[text]
    if type_ == "bytes":
        return bytes.fromhex(text)
    if type_ == "float64":
        return float(text)
    return nanos(text) if type_ == "timestamp" else int(text)


def records(text):
    """RFC 4180 with LF at the ends of lines, keeping apart an empty cell and an empty text, which Python's reader does not."""
    row, cell, quoted, i = [], "", False, 0
    while i < len(text):
        if text[i] == '"':
            quoted = True
            end = i + 1
            while True:
                end = text.index('"', end)
                if text[end + 1:end + 2] != '"':
                    break
                end += 2
            cell += text[i + 1:end].replace('""', '"')
            i = end + 1
        elif text[i] == ",":
            row.append((cell, quoted))
            cell, quoted, i = "", False, i + 1
        elif text[i] == "\n":
            row.append((cell, quoted))
            yield row
            row, cell, quoted, i = [], "", False, i + 1
        else:
            cell += text[i]
            i += 1
    if row or cell:
        raise Difference("the last line of a CSV file has no end")


def read_csv(path):
    described = json.loads(path.with_name(path.name + "-metadata.json").read_text())
    types = [column["schema:additionalType"] for column in described["tableSchema"]["columns"]]
    lines = records(path.read_bytes().decode())
    names = [name for name, _ in next(lines)]
    return [{name: cell_of(*cell, type_) for name, cell, type_ in zip(names, line, types, strict=True)}
            for line in lines]


def read(path):
    if path.suffix == ".arrow":
        return plain(pyarrow.ipc.open_file(pyarrow.memory_map(str(path))).read_all())
    return plain(pyarrow.parquet.read_table(path)) if path.suffix == ".parquet" else read_csv(path)


def tables(directory, suffix):
    """Every table of a directory: name -> rows, each a dict by column."""
    return {path.name.removesuffix(suffix): read(path) for path in sorted(directory.glob(f"*{suffix}"))}


def compare(name, found, wanted, keys):
    """Compares rows, found by their keys whatever their order; of rows alike in the keys the sets have to agree."""
    def grouped(rows):
        groups = collections.defaultdict(list)
        for row in rows:
            groups[tuple(row[key] for key in keys)].append(row)
        return groups

    have, want = grouped(found), grouped(wanted)
    for key in want.keys() - have.keys():
        raise Difference(f"{name}: no row {dict(zip(keys, key))}; expected {want[key][0]}")
    for key in have.keys() - want.keys():
        raise Difference(f"{name}: a row {have[key][0]} that is not expected")
    for key, rows in want.items():
        place = f"{name}, row {dict(zip(keys, key))}"
        if len(have[key]) != len(rows):
            raise Difference(f"{place}: {len(have[key])} rows, expected {len(rows)}")
        if len(rows) > 1:
            rows = sorted(rows, key=repr)
            have[key] = sorted(have[key], key=lambda row: repr({column: row[column] for column in rows[0]}))
        for one, other in zip(have[key], rows):
            same_row(place, one, other)


def same_row(place, found, wanted):
    if list(found) != list(wanted):
        raise Difference(f"{place}: columns {list(found)}, expected {list(wanted)}")
    for column, value in wanted.items():
        if not agrees(found[column], value):
            raise Difference(f"{place}: {column} is {found[column]!r}, expected {value!r}")
