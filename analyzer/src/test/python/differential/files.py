"""Files besides tables: HdrHistogram percentile files, folded call stacks, a Perfetto trace."""

import collections
import math
import struct

from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as protos

from .cells import Difference
from .counted import stage
from .sdm import reason
from .trace import STAGES, duration, handling, is_exit

WEIGHTS = {"count": lambda event: 1, "guest_ns": lambda event: duration(event, "guest_ns") or 0,
           "handling_ns": handling}


def check_histograms(trace, directory):
    times = collections.defaultdict(list)
    for event in trace.exits:
        for name in STAGES:
            if (time := stage(event, name)) is not None:
                times[f"{event['reason']}-{name}.hgrm"].append(time)
    files = {path.name for path in directory.iterdir()}
    if files != set(times):
        raise Difference(f"--hgrm: files {sorted(files ^ set(times))} too few or too many")
    for name, values in times.items():
        check_histogram(name, sorted(values), (directory / name).read_text())


def check_histogram(name, values, text):
    lines = [line.split() for line in text.splitlines()[2:] if not line.startswith("#")]
    for value, share, count, *_ in lines:
        below = sum(time <= float(value) for time in values)
        if below != int(count):
            raise Difference(f"{name}: {count} at {value} or below, expected {below}")
        exact = values[max(1, math.ceil(round(float(share) * len(values), 6))) - 1]
        # The text has three decimals; the value is the last that its cell holds.
        if not exact <= float(value) <= exact * 1.001 + 1:
            raise Difference(f"{name}: {share} of the times within {value}, exact {exact}")
    if int(lines[-1][2]) != len(values):
        raise Difference(f"{name}: {lines[-1][2]} times, expected {len(values)}")


def check_folded(trace, weight, text):
    """Stacks by the addresses alone: the trace is analyzed without symbols."""
    wanted = collections.Counter()
    before = {}
    for event in trace.events:
        if is_exit(event):
            before[event.get("vcpu")] = event
        if event["type"] == "STACK":
            data = event.get("data", b"")
            callers = struct.unpack(f"<{len(data) // 8}Q", data[:len(data) // 8 * 8])
            frames = ([event["rip"]] if "rip" in event else []) + list(callers)
            names = [f"0x{frame:x}" for frame in reversed(frames)] + [reason(event.get("detail", 255))]
            # A stack repeats the times of its exit but for the kernel's.
            exit_ = before.get(event.get("vcpu"), {})
            timed = exit_ if weight == "handling_ns" and exit_.get("time") == event["time"] else event
            wanted[";".join(names)] += WEIGHTS[weight](timed)
    found = {line.rsplit(" ", 1)[0]: int(line.rsplit(" ", 1)[1]) for line in text.splitlines()}
    if found != wanted:
        wrong = [key for key in found.keys() | wanted.keys() if found.get(key) != wanted.get(key)]
        raise Difference(f"--folded by {weight}: {wrong[0]} is {found.get(wrong[0])}, expected {wanted.get(wrong[0])}")


def slices(path):
    """Per thread's name its slices in order: (begin, end, category); they have to nest."""
    trace = protos.Trace()
    trace.ParseFromString(path.read_bytes())
    names, categories, open_, found = {}, {}, collections.defaultdict(list), collections.defaultdict(list)
    for packet in trace.packet:
        categories.update({entry.iid: entry.name for entry in packet.interned_data.event_categories})
        if packet.HasField("track_descriptor"):
            names[packet.track_descriptor.uuid] = packet.track_descriptor.thread.thread_name
        elif packet.HasField("track_event"):
            event = packet.track_event
            stack = open_[event.track_uuid]
            if event.type == protos.TrackEvent.TYPE_SLICE_BEGIN:
                stack.append((packet.timestamp, categories[event.category_iids[0]]))
            elif event.type == protos.TrackEvent.TYPE_SLICE_END:
                begin, category = stack.pop()
                if stack:
                    raise Difference(f"perfetto: a slice of {category} inside another of the same track")
                found[names[event.track_uuid]].append((begin, packet.timestamp, category))
    if any(open_.values()):
        raise Difference("perfetto: a slice does not end")
    return found


def check_perfetto(trace, path):
    """Every exit is a slice at its time as long as its stages; where times overlap, later ones begin later."""
    found = slices(path)
    lanes = collections.defaultdict(list)
    for event in sorted(trace.exits, key=lambda event: event["sequence"]):
        lanes[event.get("vcpu")].append(event)
    for vcpu, events in lanes.items():
        track = found["vCPU not known" if vcpu is None else f"vCPU {vcpu}"]
        exits = [slice_[:2] for slice_ in track if slice_[2] == "exit"]
        guest = sum(end - begin for begin, end, category in track if category == "guest")
        wanted, filled, room = [], -math.inf, 0
        for event in events:
            begin = max(event["time"] - trace.offset, filled)
            room += min(duration(event, "guest_ns") or 0, begin - filled)
            filled = begin + handling(event)
            wanted.append((begin, filled))
        if exits != wanted:
            wrong = next((pair for pair in zip(exits, wanted) if pair[0] != pair[1]), (len(exits), len(wanted)))
            raise Difference(f"perfetto: vCPU {vcpu}: exit slices {wrong[0]}, expected {wrong[1]}")
        if guest > room:
            raise Difference(f"perfetto: vCPU {vcpu}: {guest} ns in the guest, there were {room}")
