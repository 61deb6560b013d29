"""Reads an Arrow file with words as strings and times as whole numbers of ns."""

import pyarrow
import pyarrow.ipc


def read(path):
    table = pyarrow.ipc.open_file(pyarrow.memory_map(str(path))).read_all()
    for i, field in enumerate(table.schema):
        if pyarrow.types.is_dictionary(field.type):
            table = table.set_column(i, field.name, table[field.name].cast(pyarrow.string()))
        elif pyarrow.types.is_duration(field.type) or pyarrow.types.is_timestamp(field.type):
            table = table.set_column(i, field.name, table[field.name].cast(pyarrow.int64()))
    return table
