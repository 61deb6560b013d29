"""What must hold after a round of cli/soak. Each check returns its complaints, a line each."""

import datetime
import json
import os
import re
import subprocess
from pathlib import Path

TRACE_PARTS = {"trace.json", "end.json", "other", "files", "analysis"}
MOST_EVENTS = 150_000  # that are looked at one by one
FAULT_SIGNS = re.compile(r"^\s+at \S+\(|Exception|internal error|did not stop|hs_err|# A fatal", re.M)


def leftovers(folder, expected, session):
    """Files besides those expected, and processes of the round's session."""
    found = sorted(each.name for each in Path(folder).iterdir() if each.name not in expected)
    complaints = [f"left behind: {name}" for name in found]
    for each in Path("/proc").iterdir():
        if each.name.isdigit():
            try:
                fields = (each / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == session and fields[0] != "Z":
                complaints.append(f"process {each.name} is still there")
    return complaints


def printed(err, failed):
    """What a user sees of the run."""
    complaints = []
    if FAULT_SIGNS.search(err):
        complaints.append("a fault of ours on stderr: " + FAULT_SIGNS.search(err).group().strip())
    if failed and len(re.findall(r"^trapscope[^:\n]*: ", err, re.M)) != 1:
        complaints.append("it failed, without one line of error")
    return complaints


class Reader:
    """Reads a trace with the built command."""

    def __init__(self, trapscope, environment, folder):
        self.trapscope = trapscope
        self.environment = environment
        self.folder = folder

    def run(self, *arguments):
        """Its status, stdout, and complaints about it."""
        done = subprocess.run(
            [self.trapscope, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=300,
            env=self.environment,
            cwd=self.folder,
        )
        complaints = [f"{arguments[0]}: {each}" for each in printed(done.stderr, False)]
        return done.returncode, done.stdout, complaints


def readable(reader, trace, incomplete):
    """Whether info, dump and analyze read it; returns also what info and analyze say."""
    allowed = {0, 4} if incomplete else {0}
    complaints = []
    said = {}
    # Not beside the trace, whose disk may be full.
    tables = str(reader.folder.with_name(Path(trace).name + ".tables"))
    for command in (["info", "--json"], ["analyze", "--json", "-o", tables]):
        status, out, more = reader.run(command[0], trace, *command[1:])
        complaints += more
        if status not in allowed:
            complaints.append(f"{command[0]}: status {status}")
        try:
            said[command[0]] = json.loads(out)
        except ValueError:
            complaints.append(f"{command[0]}: no JSON: {out[:80]!r}")
            said[command[0]] = {}
    warnings = said["info"].get("warnings") or []
    if warnings and not incomplete:
        complaints.append(f"info: {warnings[:2]}")
    return complaints, said


def same_totals(said, end, loses):
    """What attach has said at its end beside what its trace says, and whether something was lost."""
    summary = json.loads(said[said.index("{") :])
    complaints = []
    for each in ("events", "lost"):
        if summary[each] != end.get(each):
            complaints.append(f"{summary[each]} {each} said, {end.get(each)} in info")
    if loses != (summary["lost"] > 0):
        complaints.append(f"{summary['lost']} lost, status {4 if loses else 0}")
    if loses and "No space left" not in summary.get("failure", ""):
        complaints.append(f"it does not say why: {summary.get('failure')}")
    return complaints


def counted(analysis, options):
    """KVM's own counters beside what was recorded."""
    complaints = []
    chosen = any(each in options for each in ("--events", "--exclude"))
    for row in analysis.get("tables", {}).get("coverage", {}).get("rows", []):
        # KVM counts accesses that go to user space; those to its own local APICs are recorded too.
        least = row["kind"] == "memory-mapped I/O" and not chosen
        exact = row["kind"].startswith("record of ")
        if exact and row["recorded"] != row["counted"] or least and row["recorded"] < row["counted"]:
            complaints.append(f"{row['kind']}: {row['recorded']} recorded, {row['counted']} counted")
    return complaints


def nanos(text):
    """Of a time such as 2026-11-26T19:37:02.177532760Z, in ns since 1970."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    seconds = datetime.datetime.fromisoformat(whole + "+00:00").timestamp()
    return int(seconds) * 1_000_000_000 + int(fraction.ljust(9, "0"))


def events_of(reader, trace, incomplete=False):
    """The events, as dump has them, and complaints."""
    status, out, complaints = reader.run("dump", trace, "--json")
    if status not in ({0, 4} if incomplete else {0}):
        complaints.append(f"dump: status {status}")
    try:
        return json.loads(out), complaints
    except ValueError:
        return [], [*complaints, "dump: no JSON"]


def in_order(events, loses):
    """Sequence numbers without a hole, times that do not run backwards, stages that fit between."""
    complaints = []
    last = {}
    ends = {}
    for event in events:
        stream = event.get("vcpu", "other")
        sequence, time = event["sequence"], nanos(event["time"])
        before = last.get(stream)
        if before and sequence != before[0] + 1 and not loses:
            complaints.append(f"{stream}: event {sequence} behind {before[0]}")
        if before and time < before[1]:
            complaints.append(f"{stream}: event {sequence} is {before[1] - time} ns before the last")
        last[stream] = (sequence, time)
        if "loop_ns" not in event or event["type"] in ("STACK", "EMULATION"):
            continue  # those two repeat the exit before them
        begun = time - event.get("guest_ns", 0)
        if begun < ends.get(stream, 0):
            complaints.append(f"{stream}: event {sequence} begins {ends[stream] - begun} ns too early")
        stages = sum(event.get(each, 0) for each in ("loop_ns", "dispatch_ns", "device_ns"))
        ends[stream] = time + stages
    return complaints[:5]


def comparable(events):
    """Of each event what must be the same in each run on soft."""
    kept = []
    for event in events:
        if event["type"] != "INPUT":
            kept.append({k: v for k, v in event.items() if k != "time" and not k.endswith("_ns")})
    return kept


def spin_writes(events):
    return sum(each["type"] == "PIO" and each.get("port") == "0x600" for each in events)


def parts(trace, killed):
    """Files in a trace that do not belong there; a kill may leave one that was being written."""
    odd = []
    for each in sorted(Path(trace).iterdir()):
        unfinished = killed and each.name.endswith(".part")
        if each.name not in TRACE_PARTS and not unfinished and not re.fullmatch(r"(vcpu|host)-\d+", each.name):
            odd.append(f"in the trace: {each.name}")
    for folder, _, files in os.walk(trace):
        odd += [f"in the trace: {folder}/{name}" for name in files if "lock" in name or "tmp" in name]
    return odd


def shown(events):
    """What the guest has printed."""
    return b"".join(bytes.fromhex(each["data"]) for each in events if each["type"] == "CONSOLE_OUTPUT")


def said(plan, events):
    """Whether the guest has printed the lines that it should; a filter may have made them capitals."""
    lines = shown(events).decode(errors="replace").lower().splitlines()
    wanted = [each.lower() for each in plan.says]
    differ = [pair for pair in zip(wanted, lines) if pair[0] != pair[1]]
    return [] if lines == wanted else [f"{len(lines)} lines of {len(wanted)} printed, {differ[:1]}"]


def echoed(plan, events):
    """Whether the guest has sent back all that was typed; a terminal may turn CR into LF."""
    typed = b"".join(text for _, text in plan.typed).split(b"\x01")[0]
    wanted = re.sub(rb"[^a-hq]", b"", typed)
    found = re.sub(rb"[^a-hq]", b"", shown(events).lower())
    return [] if wanted == found else [f"{len(wanted)} keys typed, {len(found)} sent back"]
