"""Compares what `trapscope analyze` finds with an independent calculation, cell by cell, under random options.

Run it by analyzer/differential, which says how. WRITER in the environment is the command that writes traces of
random events.
"""

import argparse
import os
import pathlib
import random
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

from . import compared, console, counted, files, info, registers, rows, symbols, timed
from .cells import Difference, compare, tables
from .sdm import NUMBERS
from .trace import Trace, timestamp

ROOT = pathlib.Path(__file__).parents[5]
TRAPSCOPE = str(ROOT / "trapscope")
GUESTS = ["hello", "exits", "translate", "spin", "touch", "calls"]
REPORTS = {
    "coverage": ["coverage"],
    "exit_histogram": ["exit_histogram"],
    "exit_latency": ["exit_latency"],
    "hotspots": ["hotspots"],
    "register_use": ["poll_loops", "unchanged_accesses", "combinable_accesses"],
    "phases": ["phases", "phase_exits"],
    "timeline": ["timeline", "timeline_exits", "ept_fault_map"],
    "console": ["console"],
    "memory_translation": ["ept_faults", "memory_translation"],
    "exits": ["exits"],
}
ROWS_AN_EVENT = ["exits", "memory_translation"]


def run(words, statuses=(0,)):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, errors="replace")
    if done.returncode not in statuses:
        raise Difference(f"{shlex.join(map(str, words))}: status {done.returncode}: {done.stderr.strip()[:500]}")
    return done


class Sources:
    """Where traces come from; each makes one in a directory and returns its path."""

    def __init__(self, directory, golden, writer):
        self.directory = directory
        self.traces = sorted(path for path in golden.glob("format-*/*") if (path / "trace.json").exists())
        self.writer = writer
        self.accels = ["soft"] + (["kvm"] if os.access("/dev/kvm", os.R_OK | os.W_OK) else [])

    def names(self):
        return ["plausible", "hostile", "guest", "golden", "compare"]

    def make(self, name, random_):
        path = self.directory / "trace"
        shutil.rmtree(path, ignore_errors=True)
        getattr(self, name)(path, random_)
        return path

    def golden(self, path, random_):
        shutil.copytree(random_.choice(self.traces), path)

    def plausible(self, path, random_):
        self.write(path, random_, "plausible")

    def hostile(self, path, random_):
        self.write(path, random_, "hostile")

    def write(self, path, random_, kind, count=1):
        run([*self.writer, path, random_.randrange(1 << 40), kind, count])

    def sides(self, random_, kind, counts):
        """Recordings for `compare`: a list of paths a side."""
        shutil.rmtree(self.directory / "sides", ignore_errors=True)
        (self.directory / "sides").mkdir()
        self.write(self.directory / "sides" / "run", random_, kind, sum(counts))
        paths = [self.directory / "sides" / f"run-{i}" for i in range(sum(counts))]
        return paths[:counts[0]], paths[counts[0]:]

    def guest(self, path, random_):
        guest = random_.choice(GUESTS)
        words = [TRAPSCOPE, "record", "--guest", guest, "-o", path, "--accel", random_.choice(self.accels)]
        if guest == "spin":
            words += ["--append", f"count={random_.randrange(1, 400)} cpus={random_.choice([1, 2])}"]
            words += ["--cpus", 2]
        if guest == "touch":
            words += ["--append", f"pages={random_.randrange(1, 300)}"]
        if random_.random() < 0.5:
            words.append("--stacks")
        if random_.random() < 0.3:
            words += ["--exclude", random_.choice(["mmu", "hlt", "pio"])]
        run([*words, "--timeout", "20s"])


class Options:
    """Random options of `analyze`, and what they mean."""

    def __init__(self, random_, source, trace, directory):
        self.source = source
        self.words = []
        self.random = random_
        self.trace = trace
        self.suffix = random_.choice([".arrow", ".arrow", ".parquet", ".csv"])
        self.words += ["--format", self.suffix[1:]]
        self.reports = []
        self.rows = True
        self.bucket = None
        self.marks = []
        self.symbols = []
        self.by, self.where, self.sort = counted.DEFAULT_KEYS, [], "count"
        if random_.random() < 0.4:
            self.choose_symbols(directory)
        if random_.random() < 0.7:
            self.choose_hotspots()
        if random_.random() < 0.4:
            self.choose_bucket()
        if random_.random() < 0.5:
            self.choose_marks()
        if random_.random() < 0.3:
            self.reports = random_.sample(sorted(REPORTS), random_.randrange(1, 4))
            for report in self.reports:
                self.words += ["--report", report]
        if random_.random() < 0.3:
            most = random_.choice([0, len(trace.exits) - 1, len(trace.exits), len(trace.exits) + 1])
            most = max(0, most)
            self.rows = len(trace.exits) <= most
            self.words += ["--max-rows", str(most)]

    def choose_hotspots(self):
        self.by = self.random.sample(counted.KEYS, self.random.randrange(1, 6))
        self.words += ["--by", ",".join(self.by)]
        self.sort = self.random.choice(self.by + counted.SUMS)
        self.words += ["--sort", self.sort]
        self.words += ["--top", str(self.random.choice([0, 1, 5, 20]))]
        if self.trace.exits and self.random.random() < 0.7:
            self.where, words = self.conditions(counted.KEYS)
            self.words += ["--where", words]

    def conditions(self, keys):
        """One or two conditions on fields of exits and on these keys, and as they are written."""
        found = [self.condition(keys) for _ in range(self.random.randrange(1, 3))]
        return found, ",".join(one[0] + one[1] + self.written(*one) for one in found)

    def condition(self, keys):
        """A condition on any column, mostly with a value that some exit has."""
        of = counted.Keys(self.trace, self.symbols)
        fields = {name for event in self.trace.exits for name in event} - {"type", "data"}
        known = {name: values for name in sorted(fields | {"event", *keys})
                 if (values := [value for event in self.trace.exits if (value := of.asked(event, name)) is not None])}
        name = self.random.choice(list(known))
        value = self.random.choice(known[name])
        if isinstance(value, bool):
            return name, self.random.choice(["=", "!="]), value
        if isinstance(value, str):
            operator = self.random.choice(["=", "!=", "~"])
            return name, operator, self.regex(value) if operator == "~" else value
        operator = self.random.choice(["=", "!=", "<", "<=", ">", ">="])
        return name, operator, max(0, value + self.random.choice([0, 0, 0, -1, 1])) & (1 << 64) - 1

    def regex(self, value):
        begin = self.random.randrange(len(value))
        part = re.escape(value[begin:begin + self.random.randrange(1, 5)])
        return self.random.choice([part, f"^{part}", f"{part}$", f"[A-M].*{part}"])

    def written(self, name, operator, value):
        """The value as one of the files or a person writes it."""
        if isinstance(value, bool):
            return self.random.choice([str(int(value)), str(value).lower()])
        if name == "time" and self.random.random() < 0.5:
            return timestamp(value)
        if isinstance(value, int):
            return self.random.choice([str(value), hex(value)])
        return value.lower() if operator != "~" and name in ("reason", "event", "mode") and self.random.random() < 0.5 \
            else value

    def choose_bucket(self):
        nanos = self.random.choice([1000, 20_000, 1_000_000, 7_000_000, 1_000_000_000])
        self.bucket = nanos
        self.words += ["--bucket", f"{nanos}ns" if nanos < 1000 else f"{nanos // 1000}us"]

    def choose_marks(self):
        """Marks of each kind: (name, kind, value, words of the table)."""
        ports = [event["port"] for event in self.trace.exits if "port" in event and event["type"] == "PIO"]
        choices = [("text", self.random.choice(["l", "reboot", "^$", "[a-h]+o"])),
                   ("port", self.random.choice(ports or [0x80])), ("hypercall", 22),
                   ("symbol", self.random.choice([name for _, name in self.symbols] or ["f_1"]))]
        if self.trace.exits:
            choices.append(("where", self.conditions([])))
        names = self.random.sample(["own", "run", "loader", "init", "drivers", "more"], 3)
        for name, (kind, value) in zip(names, self.random.sample(choices, self.random.randrange(1, 4))):
            value, words = value if kind == "where" else (value, str(value))
            self.marks.append((name, kind, value, f"{kind} {words}"))
            self.words += ["--mark", f"{name}={kind}:{words}"]

    def choose_symbols(self, directory):
        """Functions around some of the places that exit, of a kernel that was moved or not, and decoys."""
        places = [event for event in self.trace.exits if "rip" in event]
        slide = symbols.ALIGN * self.random.choice([0, 0, 1, -3, 100])
        for i in range(self.random.randrange(1, 12) if places else 0):
            event = self.random.choice(places)
            address = event["rip"] - (slide if event["rip"] >= symbols.KERNEL_HALF else 0)
            decoy = symbols.ALIGN * self.random.randrange(-2, 3) if self.random.random() < 0.2 else 0
            address = address + decoy - self.random.randrange(4) & (1 << 64) - 1
            word = symbols.KINDS.get(symbols.instruction(event), "f") if self.random.random() < 0.8 else "f"
            if address:
                self.symbols.append((address, f"{word}_{i}"))
        if self.symbols:
            path = directory / "System.map"
            path.write_text("".join(f"{address:016x} T {name}\n" for address, name in self.symbols))
            self.words += ["--symbols", str(path)]


def wanted_tables(options, trace):
    chosen = options.reports
    hotspots = "--by" in options.words
    own = (["hotspots"] if hotspots else []) + (["timeline"] if options.bucket else []) + (
        ["phases"] if options.marks else [])
    reports = (chosen or ([] if own else list(REPORTS))) + [report for report in own if report not in chosen]
    names = [name for report in reports for name in REPORTS[report]]
    if not trace.header.get("counters"):
        names = [name for name in names if name != "coverage"]
    return sorted(name for name in names if options.rows or name not in ROWS_AN_EVENT)


def check_analysis(trace, options, directory):
    output = directory / "tables"
    shutil.rmtree(output, ignore_errors=True)
    done = run([TRAPSCOPE, "analyze", trace.path, "-o", output, *options.words], statuses=(0, 4))
    found = tables(output, options.suffix)
    if sorted(found) != wanted_tables(options, trace):
        raise Difference(f"tables {sorted(found)}, expected {wanted_tables(options, trace)}")
    check = Check(trace, options, found)
    for name in found:
        getattr(check, name, lambda: None)()
    return done


class Check:
    """One analysis; a method a table."""

    def __init__(self, trace, options, found):
        self.trace, self.options, self.found = trace, options, found
        self.registers = registers.Registers(trace, options.symbols)
        if "timeline" in found:
            self.times = timed.Timeline(trace, NUMBERS, found["timeline"], options.bucket)

    def same(self, name, wanted, keys):
        compare(name, self.found[name], wanted, keys)

    def exit_histogram(self):
        self.same("exit_histogram", counted.exit_histogram(self.trace, NUMBERS), ["reason", "vcpu"])

    def exit_latency(self):
        self.same("exit_latency", counted.exit_latency(self.trace, NUMBERS), ["reason", "vcpu", "stage"])

    def hotspots(self):
        options = self.options
        self.same("hotspots", counted.hotspots(self.trace, options.symbols, options.by, options.where), options.by)
        values = [row[options.sort] for row in self.found["hotspots"]]
        known = [value for value in values if value is not None]
        ordered = sorted(known, reverse=options.sort not in counted.TEXT and options.sort != "mode")
        if values != ordered + [None] * (len(values) - len(known)):
            raise Difference(f"hotspots are not sorted by {options.sort}: {values[:20]}")

    def ept_faults(self):
        self.same("ept_faults", counted.ept_faults(self.trace),
                  ["region", "access", "guest_page_size", "ept_page_size"])

    def coverage(self):
        self.same("coverage", counted.coverage(self.trace), ["kind"])

    def poll_loops(self):
        self.same("poll_loops", self.registers.poll_loops(), ["target", "size", "location"])

    def unchanged_accesses(self):
        self.same("unchanged_accesses", self.registers.unchanged_accesses(), ["target", "size", "direction"])

    def combinable_accesses(self):
        self.same("combinable_accesses", self.registers.combinable_accesses(),
                  ["kind", "target", "size", "direction", "location"])

    def phases(self):
        timed.check_phases(self.trace, NUMBERS, self.options.symbols, self.found, self.options.marks, compare,
                           overlaps=self.options.source == "hostile")

    def timeline(self):
        self.same("timeline", self.times.timeline, ["time"])
        self.same("timeline_exits", self.times.exits, ["reason", "time"])
        self.same("ept_fault_map", self.times.faults, ["time", "gpa"])

    def console(self):
        self.same("console", console.console_rows(self.trace), ["time", "channel", "flow", "text"])

    def memory_translation(self):
        self.same("memory_translation", rows.memory_translation(self.trace), ["vcpu", "sequence"])
        self.in_order("memory_translation", [e for e in self.trace.exits if e["type"] == "EPT_FAULT"])

    def exits(self):
        columns = list(self.found["exits"][0]) if self.found["exits"] else []
        self.same("exits", rows.exits(self.trace, columns), ["vcpu", "sequence"])
        self.in_order("exits", self.trace.exits)

    def in_order(self, name, events):
        order = [(row["vcpu"], row["sequence"]) for row in self.found[name]]
        if order != [(event.get("vcpu"), event["sequence"]) for event in events]:
            raise Difference(f"{name}: rows are not in the order of dump")


class More:
    """Files and answers besides the tables, each now and then."""

    def __init__(self, random_, source, trace, directory):
        self.random, self.trace, self.directory = random_, trace, directory
        self.words = ["--max-rows", "0"]
        self.budget = self.weight = None
        self.histograms, self.perfetto = directory / "hgrm", directory / "perfetto"
        self.folded = directory / "folded"
        shutil.rmtree(self.histograms, ignore_errors=True)
        self.words += ["--hgrm", self.histograms]
        if source != "hostile":  # times that overlap by hours are drawn as they can be
            self.words += ["--perfetto", self.perfetto]
        if "stacks" in trace.header.get("notes", {}):
            self.weight = random_.choice(list(files.WEIGHTS))
            self.words += ["--folded", self.folded, "--weight", self.weight]
        if source != "hostile":
            self.budget = compared.Budget(random_, trace, directory / "budget.json")
            self.words += ["--budget", directory / "budget.json"]

    def check(self):
        done = run([TRAPSCOPE, "analyze", self.trace.path, "-o", self.directory / "more", *self.words], (0, 1, 4))
        files.check_histograms(self.trace, self.histograms)
        if self.weight:
            files.check_folded(self.trace, self.weight, self.folded.read_text())
        if self.perfetto in self.words:
            files.check_perfetto(self.trace, self.perfetto)
        if self.budget:
            self.budget.check(done)


def compare_round(random_, sources, kind, counts, directory, by=compared.HOTSPOT_KEYS):
    sides = sources.sides(random_, kind, counts)
    output = directory / "compared"
    shutil.rmtree(output, ignore_errors=True)
    run([TRAPSCOPE, "compare", "-o", output, "--by", ",".join(by), *sides[0], "--", *sides[1]], (0, 4))
    return sides, tables(output, ".arrow")


def intervals(count, seed, sources, directory):
    """How often the 95 % interval of a comparison of recordings from one distribution holds 0."""
    random_, hits = random.Random(seed), []
    for _ in range(count):
        compared.intervals(compare_round(random_, sources, "run", (4, 4), directory)[1], hits)
    share = sum(hits) / len(hits)
    # Nine intervals of one comparison depend on each other: their number counts as that of comparisons.
    error = 4 * (0.95 * 0.05 / (3 * count)) ** 0.5
    print(f"{len(hits)} intervals, {100 * share:.1f} % hold the truth")
    if abs(share - 0.95) > error:
        raise Difference(f"95 % intervals hold the truth in {100 * share:.1f} % of {len(hits)}")


def round_(number, seed, sources, directory, only):
    random_ = random.Random(f"{seed}/{number}")
    source = only or sources.names()[number % len(sources.names())]
    if source == "compare":
        kind, counts = random_.choice(["run", "plausible"]), compared.random_sides(random_)
        by = random_.choice([compared.HOTSPOT_KEYS, random_.sample(counted.KEYS, random_.randrange(1, 4))])
        print(f"round {number}: compare {counts[0]} and {counts[1]} {kind} recordings by {','.join(by)}", flush=True)
        sides, found = compare_round(random_, sources, kind, counts, directory, by)
        compared.check(found, [[Trace(TRAPSCOPE, str(path)) for path in side] for side in sides], by)
        return
    path = sources.make(source, random_)
    trace = Trace(TRAPSCOPE, str(path))
    options = Options(random_, source, trace, directory)
    print(f"round {number}: {source}, {len(trace.exits)} exits, analyze {shlex.join(options.words)}", flush=True)
    info.check(trace)
    check_analysis(trace, options, directory)
    if random_.random() < 0.5:
        More(random_, source, trace, directory).check()


def main():
    parser = argparse.ArgumentParser(prog="analyzer/differential", add_help=False)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--only", choices=["plausible", "hostile", "guest", "golden", "compare"])
    parser.add_argument("--intervals", type=int)
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}")
    failures = 0
    directory = pathlib.Path(tempfile.mkdtemp(prefix="differential-"))
    sources = Sources(directory, ROOT / "traces", shlex.split(os.environ["WRITER"]))
    only = f" --only {arguments.only}" if arguments.only else ""
    again = f"analyzer/differential --seed {arguments.seed}{only} --keep"
    try:
        if arguments.intervals:
            intervals(arguments.intervals, arguments.seed, sources, directory)
            return
        for number in range(arguments.first, arguments.first + arguments.rounds):
            try:
                round_(number, arguments.seed, sources, directory, arguments.only)
            except Difference as difference:
                failures += 1
                print(f"DIFFERENCE {difference}\nagain: {again} --first {number} --rounds 1", flush=True)
    except Difference as difference:
        sys.exit(f"DIFFERENCE {difference}")
    finally:
        if arguments.keep:
            print(f"kept: {directory}")
        else:
            shutil.rmtree(directory)
    print(f"{arguments.rounds} rounds, {failures} with a difference")
    sys.exit(1 if failures else 0)


main()
