"""Finds and reads the tables that `trapscope analyze` and `trapscope demo` leave, for the notebooks here."""

import os
import pathlib

import matplotlib.pyplot as plt
import pyarrow as pa
import pyarrow.ipc

INK, MUTED, BLUE, GRID = "#1f2933", "#7b8794", "#2f6db3", "#e4e7eb"
COLOURS = ["#2f6db3", "#d9772b", "#3d9a70", "#a05195", "#7b8794"]

plt.rcParams.update({
    "figure.dpi": 110, "font.size": 10, "axes.edgecolor": MUTED, "axes.labelcolor": INK,
    "text.color": INK, "xtick.color": INK, "ytick.color": INK, "axes.spines.top": False,
    "axes.spines.right": False, "axes.titlelocation": "left", "axes.titleweight": "bold",
})


def find():
    """The directory of the tables: what TRAPSCOPE_TABLES names, else what the newest `trapscope demo` left.

    Of a demo the Linux boot comes first; where no kernel could be fetched, the bundled guest `exits`.
    """
    if "TRAPSCOPE_TABLES" in os.environ:
        return pathlib.Path(os.environ["TRAPSCOPE_TABLES"])
    demos = sorted((path for place in [".", ".."] for path in pathlib.Path(place).glob("trapscope-demo-*")),
                   key=lambda path: path.name, reverse=True)
    for guest in ["soft-debian-cloud", "soft-exits"]:
        for demo in demos:
            if (demo / guest / "analysis" / "exits.arrow").exists():
                return demo / guest / "analysis"
    raise FileNotFoundError("no tables: run `trapscope demo`, or set TRAPSCOPE_TABLES to what `analyze -o` filled")


tables = find()


def read(name):
    """A table, mapped into memory: nothing is copied before it is used."""
    return pa.ipc.open_file(pa.memory_map(str(tables / f"{name}.arrow"))).read_all()


def nanoseconds(table, column):
    """A duration column as numbers of ns; not captured is NaN."""
    return table[column].cast(pa.int64()).to_numpy().astype(float)


def words(table, column):
    """A text column as an array of strings."""
    return table[column].cast(pa.string()).to_numpy(zero_copy_only=False)


def about(table):
    """What the file says of its trace: the schema's metadata without its prefix."""
    return {key.decode().removeprefix("trapscope."): value.decode() for key, value in table.schema.metadata.items()}


def is_linux_boot(table):
    """Whether the trace is a kernel's. Says so where it is not: the notebooks then show the guest there is."""
    facts = about(table)
    linux = "kernel " in facts["images"]
    if not linux:
        print(f"These tables are not of a Linux boot but of: {facts['command_line']}")
    return linux


def short(ns):
    """A duration with three digits and its unit."""
    for size, unit in [(1e9, "s"), (1e6, "ms"), (1e3, "us")]:
        if ns >= size:
            return f"{ns / size:.3g} {unit}"
    return f"{ns:.3g} ns"


def since_start(table):
    """Times in seconds since the first row's."""
    times = table["time"].cast(pa.int64()).to_numpy()
    return (times - times[0]) / 1e9 if len(times) else times
