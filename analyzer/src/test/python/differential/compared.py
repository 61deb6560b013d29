"""`compare` of several recordings, its intervals, and `analyze --budget`."""

import json
import math
import statistics

from . import counted
from .cells import Difference, Near, compare
from .phases import phases
from .timed import between
from .trace import duration

MEASURES = {"count": lambda event: 1, "guest": lambda event: duration(event, "guest_ns"),
            "handling": lambda event: counted.handled([event])}
HOTSPOT_KEYS = ["target", "direction", "size"]


def beta(a, b, x):
    """The regularized incomplete beta function, by its continued fraction (Numerical Recipes, 6.4)."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    if x > (a + 1) / (a + b + 2):
        return 1 - beta(b, a, 1 - x)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) / a
    tiny, c, d, result = 1e-300, 1.0, 0.0, 1.0
    for i in range(2000):
        m = i // 2
        step = 1.0 if i == 0 else (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)) if i % 2 == 0 else
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)))
        d = 1 / (1 + step * d or tiny)
        c = 1 + step / c or tiny
        result *= c * d
        if i and abs(c * d - 1) < 1e-15:
            break
    return front * (result - 1)


def two_sided(t, degrees):
    """How likely Student's t is at least as far from 0."""
    return beta(degrees / 2, 0.5, degrees / (degrees + t * t))


def quantile(degrees):
    """Where 95 % of Student's t lie within."""
    low, high = 0.0, 1e9
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if two_sided(middle, degrees) > 0.05 else (low, middle)
    return low


def change(a, b):
    """Mean, mean, low, high, p by Welch; None where nothing is known of the spread."""
    if None in a or None in b:
        return None, None, None, None, None
    means = statistics.fmean(a), statistics.fmean(b)
    if len(a) < 2 or len(b) < 2:
        return *means, None, None, None
    difference = means[1] - means[0]
    parts = [statistics.variance(a) / len(a), statistics.variance(b) / len(b)]
    error = math.sqrt(sum(parts))
    if error == 0:
        return *means, difference, difference, 1.0 if difference == 0 else 0.0
    degrees = sum(parts) ** 2 / (parts[0] ** 2 / (len(a) - 1) + parts[1] ** 2 / (len(b) - 1))
    half = quantile(degrees) * error
    return *means, difference - half, difference + half, two_sided(difference / error, degrees)


def holm(values):
    known = sorted((value, i) for i, value in enumerate(values) if value is not None)
    adjusted, largest = list(values), 0.0
    for rank, (value, i) in enumerate(known):
        largest = max(largest, min(1.0, value * (len(known) - rank)))
        adjusted[i] = largest
    return adjusted


def verdict(a, b, p):
    if a == 0 or b == 0:
        return "same" if a == b else "new" if a == 0 else "gone"
    if p is None:
        return "unknown"
    return "same" if p >= 0.05 else "more" if b > a else "less"


def sums(trace, key):
    """What a trace has by key: number, guest time and handling; None where no exit tells it."""
    return {values: {name: counted.total(map(of, events)) for name, of in MEASURES.items()}
            for values, events in counted.grouped(trace.exits, key).items()}


def by_phase(trace):
    found = {}
    begins = phases(trace, [], [])
    for (name, _, _), span in zip(begins, between(trace, [begin for _, begin, _ in begins])):
        row, passed = found.setdefault((name,), dict.fromkeys(MEASURES)), span.sums()
        for measure, column in zip(MEASURES, ["count", "guest_ns", "handling_ns"]):
            row[measure] = counted.total([row[measure], passed[column]])
    return found


def expected(columns, sides, sums_of):
    found = [[sums_of(trace) for trace in side] for side in sides]
    keys = list(dict.fromkeys(key for side in found for one in side for key in one))
    rows = [dict(zip(columns, key)) for key in keys]
    for name in MEASURES:
        changes = [change(*([one.get(key, {}).get(name, 0) for one in side] for side in found)) for key in keys]
        adjusted = holm([change[4] for change in changes])
        for row, (a, b, low, high, _), p in zip(rows, changes, adjusted):
            if a is None:
                row |= {f"{name}_{part}": None for part in ("a", "b", "change", "low", "high", "ratio", "p", "verdict")}
                continue
            # Times are whole ns.
            least = 1e-6 if name == "count" else 0.51
            near = lambda value: None if value is None else Near(value, least=least)
            row |= {f"{name}_a": near(a), f"{name}_b": near(b), f"{name}_change": near(b - a), f"{name}_low": near(low),
                    f"{name}_high": near(high), f"{name}_ratio": Near(b / a) if a else None,
                    f"{name}_p": None if p is None else Near(p, 1e-6, 1e-9), f"{name}_verdict": verdict(a, b, p)}
    return rows


def check(found, sides, by):
    """The three tables; hotspots by these columns."""
    def same(name, columns, sums_of):
        compare(f"compare_{name}", found[f"compare_{name}"], expected(columns, sides, sums_of), columns)

    def by_hotspot(trace):
        keys = counted.Keys(trace, [])
        return sums(trace, lambda event: tuple(keys.of(event, name) for name in by))

    if sorted(found) != ["compare_hotspots", "compare_phases", "compare_reasons"]:
        raise Difference(f"compare: tables {sorted(found)}")
    same("reasons", ["reason"], lambda trace: sums(trace, lambda event: (event["reason"],)))
    same("phases", ["phase"], by_phase)
    same("hotspots", by, by_hotspot)


def intervals(found, hits):
    """Counts how often the interval of two sides that are alike holds 0."""
    for row in found["compare_reasons"]:
        for name in MEASURES:
            hits.append(row[f"{name}_low"] <= 0 <= row[f"{name}_high"])


class Budget:
    """Random limits on a trace, and which of them it breaks."""

    def __init__(self, random_, trace, path):
        self.lines, self.broken = [], []
        reasons = sorted({event["reason"] for event in trace.exits if not event["reason"].isdigit()})
        for _ in range(random_.randrange(1, 4)):
            reason = random_.choice([None, *reasons, "TRIPLE_FAULT"])
            chosen = [event for event in trace.exits if reason in (None, event["reason"])]
            line = {} if reason is None else {"reason": reason}
            name = random_.choice(["max_exits", "max_guest_ns", "max_handling_ns"])
            of = dict(zip(["max_exits", "max_guest_ns", "max_handling_ns"], MEASURES.values()))[name]
            value = counted.total(map(of, chosen)) if chosen else 0
            line[name] = max(0, (value or 0) + random_.choice([-1, 0, 1]))
            self.lines.append(line)
            if value is None or value > line[name]:
                self.broken.append(reason or "all exits")
        path.write_text("// limits\n" + json.dumps({"budget": self.lines}))

    def check(self, done):
        lines = [line for line in done.stderr.splitlines() if line.startswith("over budget: ")]
        named = [line.removeprefix("over budget: ").split(":")[0] for line in lines]
        if named != self.broken:
            raise Difference(f"budget {self.lines}: {lines}, expected {self.broken}")
        if done.returncode != 4 and done.returncode != (1 if self.broken else 0):
            raise Difference(f"budget {self.lines}: status {done.returncode} with {lines}")


def random_sides(random_):
    return random_.randrange(1, 5), random_.randrange(1, 5)
