"""Functions by address, and where a relocated kernel runs them, as TABLES.md, "Functions", says it."""

import bisect

KERNEL_HALF = 1 << 63
ALIGN = 2 << 20
LONGEST = 1 << 20
LARGEST_GAP = 32 << 20
LEAST_FITTING = 3

# A name that holds the word has the instruction; no name that is drawn here holds two kinds' words but MSRs'.
KINDS = {"in": "inb", "out": "outb", "cpuid": "cpuid", "rdmsr": "msr", "wrmsr": "msr", "hlt": "halt",
         "hypercall": "hypercall", "cr": "cr3"}


def instruction(event):
    """What must be at the RIP of an exit, or None."""
    direction = event.get("direction")
    if event["type"] in ("PIO", "MSR"):
        read, write = ("in", "out") if event["type"] == "PIO" else ("rdmsr", "wrmsr")
        return {"READ": read, "WRITE": write}.get(direction)
    if event["type"] == "HYPERCALL":
        return "hypercall" if event["reason"] == "VMCALL" else None
    return {"CPUID": "cpuid", "HLT": "hlt", "CR_ACCESS": "cr"}.get(event["type"])


def is_user(event):
    return event["cpl"] == 3 if "cpl" in event else event.get("rip", KERNEL_HALF) < KERNEL_HALF


def signed(value):
    value &= (1 << 64) - 1
    return value - (1 << 64) if value >> 63 else value


class Symbols:
    def __init__(self, functions, exits):
        """Functions as (address, name) where they are linked; of several at an address the first counts."""
        self.names = {}
        for address, name in functions:
            self.names.setdefault(address, name)
        self.addresses = sorted(self.names)
        self.first, self.last = self.kernel()
        places = {(event["rip"], kind) for event in exits
                  if "rip" in event and not is_user(event) and (kind := instruction(event))}
        self.upper = self.offset([place for place in places if place[0] >= KERNEL_HALF])
        self.lower = self.offset([place for place in places if place[0] < KERNEL_HALF])

    def kernel(self):
        """From where to where most functions lie without a large gap."""
        runs = []
        for address in self.addresses:
            if runs and address - runs[-1][-1] <= LARGEST_GAP:
                runs[-1].append(address)
            else:
                runs.append([address])
        longest = max(runs, key=len, default=[0])
        return longest[0], longest[-1] + LONGEST

    def offset(self, places):
        """What to take off a RIP: 0 where nothing is sure."""
        votes = {}
        for rip, kind in places:
            offset = -(-signed(rip - self.last) // ALIGN) * ALIGN
            while signed(rip - offset) >= signed(self.first):
                linked = (rip - offset) & (1 << 64) - 1
                found = self.linked(linked)
                if found and KINDS[kind] in found[0]:
                    votes[offset] = votes.get(offset, 0) + 1
                offset += ALIGN
        ordered = sorted(votes, key=lambda offset: (-votes[offset], abs(offset)))
        if not ordered:
            return 0
        fitting, following = votes[ordered[0]], votes[ordered[1]] if len(ordered) > 1 else 0
        expected = ordered[0] == 0 and fitting == len(places)
        sure = fitting >= 2 * following and fitting >= len(places) - fitting and (fitting >= LEAST_FITTING or expected)
        return ordered[0] if sure else 0

    def linked(self, address):
        """Function and offset of an address as the kernel is linked, or None."""
        at = bisect.bisect_right(self.addresses, address) - 1
        if at < 0 or address - self.addresses[at] >= LONGEST:
            return None
        return self.names[self.addresses[at]], address - self.addresses[at]

    def of(self, event):
        """Function and offset of an exit's RIP, or None."""
        if "rip" not in event:
            return None
        rip = event["rip"]
        if not is_user(event):
            rip = (rip - (self.upper if rip >= KERNEL_HALF else self.lower)) & (1 << 64) - 1
        return self.linked(rip)
