"""What registers are called: the header's map of devices, and registers.txt, as its head says how to read it."""

import pathlib
import re

from .trace import devices

TABLE = pathlib.Path(__file__).parents[3] / "main/resources/io/trapscope/analyzer/platform/registers.txt"


class Platform:
    def __init__(self, trace):
        self.map = devices(trace)
        self.usual = []      # (space, base, bytes, kind)
        self.registers = {}  # kind or space -> {offset: (name, role)}
        current = None
        for line in TABLE.read_text().splitlines():
            words = line.split()
            if not words or line.startswith("#"):
                continue
            if words[0] == "device":
                _, kind, space, base, size = words
                current = self.registers.setdefault(kind, {})
                if base != "-":
                    self.usual.append((space, int(base, 0), int(size, 0), kind))
            elif len(words) == 1:
                current = self.registers.setdefault(words[0], {})
            else:
                current[int(words[0], 0)] = (words[1], words[2] if len(words) > 2 else "unknown")

    def place(self, type_, number):
        """Device, register, role; None for what is not known."""
        if type_ in ("PIO", "MMIO"):
            return self.in_device("ports" if type_ == "PIO" else "memory", number)
        space = {"MSR": "msr", "CPUID": "cpuid", "HYPERCALL": "hypercall"}.get(type_)
        if space is None:
            return None, None, "unknown"
        key = number >> 32 if type_ == "CPUID" else number
        name, role = self.registers.get(space, {}).get(key, (None, "unknown"))
        return space, name, role

    def in_device(self, space, address):
        for where, first, last, name in self.map:
            if where == space and first <= address <= last:
                known = self.registers.get(name, self.registers.get(re.sub(r"\d+$", "", name), {}))
                return name, *known.get(address - first, (f"+0x{address - first:x}", "unknown"))
        for where, base, size, kind in self.usual:
            if where == space and base <= address < base + size:
                device = kind + (" (absent)" if self.map else "")
                found = self.registers[kind].get(address - base, (f"+0x{address - base:x}", "unknown"))
                return device, *found
        return None, None, "unknown"


def target(type_, number):
    """The register in words."""
    if type_ == "CPUID":
        return f"cpuid 0x{number >> 32:x}.{number & 0xffffffff}"
    if type_ == "HYPERCALL":
        return f"hypercall {number}"
    if type_ == "CR_ACCESS":
        return f"cr{number}"
    if type_ == "EXCEPTION":
        return f"vector {number}"
    return {"PIO": "port", "MMIO": "mmio", "MSR": "msr"}[type_] + f" 0x{number:x}"


NAMED_BY = {"PIO": "port", "MMIO": "gpa", "MSR": "msr", "CPUID": "leaf", "HYPERCALL": "hypercall",
            "CR_ACCESS": "control_register", "EXCEPTION": "vector", "EPT_FAULT": "region"}


def number(event):
    """The number that says what an exit was about, or None."""
    found = event.get(NAMED_BY.get(event["type"], ""))
    if found is not None and event["type"] == "CPUID":
        return found << 32 | event.get("subleaf", 0)
    return found
