"""Tables with a row an event: exits, memory_translation."""

# The columns of memory_translation that are fields of the event.
FAULT_FIELDS = ["time", "sequence", "vcpu", "gva", "gpa", "hva", "hpa", "access", "region", "first_touch", "rip", "mode",
                "instructions", "qualification", "guest_ns", "loop_ns", "dispatch_ns", "device_ns", "kernel_ns",
                "user_ns"]


def cell(trace, event, column):
    value = event.get(column)
    return trace.region(value) if column == "region" and value is not None else value


def signed(column, value):
    """A duration is 64 bits with a sign in Arrow."""
    return value - (1 << 64) if column.endswith("_ns") and value is not None and value >= 1 << 63 else value


def exits(trace, columns):
    return [{column: event["type"] if column == "event" else signed(column, cell(trace, event, column))
             for column in columns} for event in trace.exits]


def memory_translation(trace):
    rows = []
    for event in trace.exits:
        if event["type"] == "EPT_FAULT":
            row = {column: signed(column, cell(trace, event, column)) for column in FAULT_FIELDS}
            for column in ("guest_page", "ept_page"):
                row[f"{column}_size"] = 1 << event[column] if event.get(column, 64) < 64 else None
            rows.append(row)
    return rows
