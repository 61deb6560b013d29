"""Reads a Perfetto trace with Perfetto's own definitions and prints what is in it, as JSON.

Usage: check_perfetto.py FILE

Fails where a packet has a field that the definitions do not know, a slice ends that has not begun, slices of a
track overlap without nesting, or a number stands for a word that was not sent before.
"""

import collections
import json
import sys

from google.protobuf import unknown_fields
from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as protos


def check_known(message):
    """No field at any depth is one that the definitions lack."""
    unknown = unknown_fields.UnknownFieldSet(message)
    if len(unknown):
        sys.exit(f"unknown field {unknown[0].field_number} in {type(message).__name__}")
    for field, value in message.ListFields():
        if field.message_type:
            for part in value if field.is_repeated else [value]:
                check_known(part)


class Track:
    def __init__(self, descriptor):
        self.descriptor = descriptor
        self.name = descriptor.thread.thread_name or descriptor.process.process_name or descriptor.name
        self.open = []
        self.slices = []
        self.instants = []
        self.values = []
        self.last = 0


def check_event(packet, event, track, words):
    kind = protos.TrackEvent.Type.Name(event.type)
    name = event.name or words["names"].get(event.name_iid)
    if kind == "TYPE_SLICE_BEGIN":
        track.open.append((packet.timestamp, name, words["categories"][event.category_iids[0]],
                           {words["annotations"][a.name_iid]: a.uint_value or a.pointer_value
                            for a in event.debug_annotations}))
    elif kind == "TYPE_SLICE_END":
        begin, name, category, annotations = track.open.pop()
        if packet.timestamp < begin:
            sys.exit(f"{track.name}: {name} ends before it begins")
        track.slices.append((begin, packet.timestamp, name, category, annotations))
    elif kind == "TYPE_INSTANT":
        track.instants.append((packet.timestamp, name))
    elif kind == "TYPE_COUNTER":
        track.values.append((packet.timestamp, event.counter_value))
    if kind.startswith("TYPE_SLICE"):
        if packet.timestamp < track.last:
            sys.exit(f"{track.name}: {name} at {packet.timestamp}, after {track.last}")
        track.last = packet.timestamp


def main():
    trace = protos.Trace()
    with open(sys.argv[1], "rb") as file:
        trace.ParseFromString(file.read())
    tracks = {}
    words = {"names": {}, "categories": {}, "annotations": {}}
    for packet in trace.packet:
        check_known(packet)
        interned = packet.interned_data
        words["names"].update({entry.iid: entry.name for entry in interned.event_names})
        words["categories"].update({entry.iid: entry.name for entry in interned.event_categories})
        words["annotations"].update({entry.iid: entry.name for entry in interned.debug_annotation_names})
        if packet.HasField("track_descriptor"):
            tracks[packet.track_descriptor.uuid] = Track(packet.track_descriptor)
            parent = packet.track_descriptor.parent_uuid
            if parent and parent not in tracks:
                sys.exit(f"track {packet.track_descriptor.uuid} is below {parent}, which is none")
        elif packet.HasField("track_event"):
            check_event(packet, packet.track_event, tracks[packet.track_event.track_uuid], words)
    if any(track.open for track in tracks.values()):
        sys.exit("a slice does not end")
    first = trace.packet[0]
    found = {
        "packets": len(trace.packet),
        "clocks": {clock.clock_id: clock.timestamp for clock in first.clock_snapshot.clocks},
        "tracks": {},
    }
    for uuid, track in tracks.items():
        by_category = collections.Counter(category for _, _, _, category, _ in track.slices)
        found["tracks"].setdefault(track.name, []).append({
            "categories": by_category,
            "time": {category: sum(end - begin for begin, end, _, c, _ in track.slices if c == category)
                     for category in by_category},
            "names": collections.Counter(name for _, _, name, c, _ in track.slices if c in ("exit", "device")),
            "first": next((slice_ for slice_ in track.slices if slice_[3] == "exit"), None),
            "instants": track.instants[:100],
            "sum": sum(value for _, value in track.values),
            "last": track.values[-1][1] if track.values else None,
        })
    print(json.dumps(found))


main()
