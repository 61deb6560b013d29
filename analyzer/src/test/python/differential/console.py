"""The table console: what was written, line by line."""

import re

from .trace import words

# The stream of what belongs to no vCPU comes last.
OTHER = 0xffff


def console(trace):
    """Pieces in the order of time, of a damaged trace too, whose streams go back in it. Lines by console and direction; (begin, end, channel, flow, text)."""
    lines = []
    pieces = {}
    streams = sorted(trace.events, key=lambda event: event.get("vcpu", OTHER))
    for event in sorted(streams, key=lambda event: event["time"]):
        if event["type"] in ("CONSOLE_OUTPUT", "CONSOLE_INPUT"):
            flow = "OUT" if event["type"] == "CONSOLE_OUTPUT" else "IN"
            pieces.setdefault((event.get("channel", 0), flow), []).append((event["time"], event.get("data", b"")))
    for (channel, flow), written in pieces.items():
        begin = end = None
        line = b""
        for time, data in written:
            for byte in data:
                begin = time if not line else begin
                end = time
                if byte == 10:
                    lines.append((begin, end, channel, flow, text(line)))
                    line = b""
                else:
                    line += bytes([byte])
        if line:
            lines.append((begin, end, channel, flow, text(line)))
    return lines


def text(line):
    found = words(line).replace("\r", "")
    return re.sub(r"\x1b(\[[0-9;?]*[A-Za-z]|[()][A-Z0-9])", "", found)


def console_rows(trace):
    return [{"time": begin, "since_start": begin - trace.start, "channel": channel, "flow": flow, "text": line}
            for begin, _, channel, flow, line in console(trace)]
