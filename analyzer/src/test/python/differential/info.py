"""The figures of `info --json`, against the events and the files."""

import pathlib

from .cells import Difference


def check(trace):
    path, info = pathlib.Path(trace.path), trace.info
    end = info["end"]
    wanted = {
        "directory": str(path),
        "bytes": sum(file.stat().st_size for file in path.glob("*/*.cq4")),
        "kept_files": [image["path"] for image in trace.header.get("images", []) if is_kept(path, image)],
    }
    for name, value in wanted.items():
        if info[name] != value:
            raise Difference(f"info: {name} is {info[name]!r}, expected {value!r}")
    if (end is not None) != (path / "end.json").exists():
        raise Difference(f"info: end is {end}")
    if info["complete"] != (end is not None and end["lost"] == 0):
        raise Difference(f"info: complete is {info['complete']} with the end {end}")
    if not info["complete"] and not info["warnings"]:
        raise Difference("info: incomplete, and no warning")
    if end and end["events"] != len(trace.events):
        raise Difference(f"info: {end['events']} events, dump has {len(trace.events)}")


def is_kept(path, image):
    return image.get("sha256", "") != "" and any(image["sha256"] in file.name for file in path.glob("files/*"))
