"""A trace as `trapscope dump --json` and `trapscope info --json` tell it, and nothing else.

An event is a dict of its captured fields: numbers as int, names of codes as str, `data` as bytes, `time` as ns
since 1970. What was not captured is not there.
"""

import calendar
import json
import re
import subprocess
import time

EXITS = ["PIO", "MMIO", "CPUID", "MSR", "HYPERCALL", "HLT", "EPT_FAULT", "CR_ACCESS", "EXCEPTION", "EXIT"]
STAGES = ["guest", "kernel", "loop", "dispatch", "device", "user"]
HANDLING = [f"{stage}_ns" for stage in STAGES[1:]]

# A time from here on is none (TABLES.md, "What is counted").
LIMIT = 1 << 53


def nanos(text):
    """RFC 3339 with nine digits, as ns since 1970."""
    second, fraction = text.removesuffix("Z").split(".")
    return calendar.timegm(time.strptime(second, "%Y-%m-%dT%H:%M:%S")) * 10**9 + int(fraction)


def timestamp(nanos):
    """The same as text."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(nanos // 10**9)) + f".{nanos % 10**9:09d}Z"


def words(data):
    """UTF-8 as Java reads it: half of a surrogate pair is one character that cannot be read, not one a byte."""
    return re.sub(rb"\xed[\xa0-\xbf][\x80-\xbf]?", b"\xff", data).decode("utf-8", "replace")


def event_of(found):
    event = {}
    for name, value in found.items():
        if name == "time":
            value = nanos(value)
        elif name == "data":
            value = bytes.fromhex(value)
        elif isinstance(value, str) and value.startswith("0x"):
            value = int(value, 16)
        event[name] = value
    return event


def is_exit(event):
    return event["type"] in EXITS and "reason" in event


def duration(event, name):
    """A stage's or idle time; None where it was not captured, or cannot be one."""
    value = event.get(name)
    return None if value is None or value >= LIMIT else value


def handling(event):
    """Time of all stages but the guest's, 0 where none was captured."""
    return sum(duration(event, stage) or 0 for stage in HANDLING)


class Trace:
    """All events in the order of `dump`, and what the header says."""

    def __init__(self, trapscope, path):
        self.path = path
        self.events = [event_of(event) for event in json.loads(self.run(trapscope, "dump"))]
        self.info = json.loads(self.run(trapscope, "info"))
        self.header = self.info["header"]
        clocks = self.header["clocks"]
        self.offset = clocks["epoch_ns"] - clocks["monotonic_ns"]
        self.exits = [event for event in self.events if is_exit(event)]
        self.regions = {region["id"]: region["name"] for region in self.header.get("regions", [])}
        self.cpus = max(1, self.header.get("cpus", 1))
        self.start = self.find_start()

    def run(self, trapscope, command):
        done = subprocess.run([trapscope, command, "--json", self.path], capture_output=True)
        if done.returncode not in (0, 4):
            raise SystemExit(f"trapscope {command} {self.path}: status {done.returncode}: {done.stderr.decode()}")
        return done.stdout

    def region(self, number):
        return self.regions.get(number, f"region {number}")

    def find_start(self):
        """When the run began: the first event of a stream that came first, with the guest time before it."""
        firsts = {}
        for event in self.events:
            stream = event.get("vcpu", "other")
            if stream not in firsts or event["sequence"] < firsts[stream]["sequence"]:
                firsts[stream] = event
        starts = []
        for event in firsts.values():
            guest = (duration(event, "guest_ns") or 0) if is_exit(event) else 0
            starts.append(event["time"] - (guest if guest < event["time"] - self.offset else 0))
        return min(starts, default=self.header["clocks"]["epoch_ns"])

    def note(self, name):
        """What the header says of something, empty where it says nothing."""
        return self.header.get("notes", {}).get(name, "")


def devices(trace):
    """The devices of the header's map of the machine: (space, first, last, name)."""
    found = []
    space = "memory"
    for line in trace.note("regions").splitlines():
        if "address-space:" in line:
            space = "ports" if line.endswith("I/O") else "memory"
        match = re.fullmatch(r"\s*([0-9a-f]+)-([0-9a-f]+) \(device\): (\S+).*", line)
        if match:
            found.append((space, int(match[1], 16), int(match[2], 16), match[3]))
    return found
