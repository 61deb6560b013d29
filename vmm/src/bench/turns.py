"""Lets several VMMs run in turn, a slice of time each, and compares what an exit costs them.

A host's speed drifts, by a third within seconds; two runs one after the other compare moments, not
programs. So all of them are started at once, all but one stand still (SIGSTOP), and every few
hundredths of a second it is another's turn. The first command's turn comes between any two others,
so that each slice is compared with those of the first right before and after it. How many exits a
slice had is KVM's own count, read while the VMM runs.

Prints, for each of the others, the medians of those ratios: apart for start-up and for later, by
the clock and by the time that the vCPU's thread was on a CPU, which other processes on the host
change less.
"""

import argparse
import ctypes
import os
import signal
import statistics
import struct
import subprocess
import sys
import time
from pathlib import Path

SETTLE_SECONDS = 0.004
START_SECONDS = 20
PIDFD_GETFD = 438  # of x86-64, asm/unistd_64.h
COUNTER = b"exits"


class Counter:
    """A counter of a vCPU of another process, which keeps its KVM_GET_STATS_FD open."""

    def __init__(self, pid, descriptor):
        process = os.pidfd_open(pid)
        libc = ctypes.CDLL(None, use_errno=True)
        self.file = libc.syscall(PIDFD_GETFD, process, descriptor, 0)
        os.close(process)
        if self.file < 0:
            sys.exit(f"turns: pidfd_getfd: {os.strerror(ctypes.get_errno())}")
        # struct kvm_stats_header and struct kvm_stats_desc, linux/kvm.h
        _, name_size, count, _, descriptors, data = struct.unpack("6I", os.pread(self.file, 24, 0))
        for i in range(count):
            row = os.pread(self.file, 16 + name_size, descriptors + i * (16 + name_size))
            if row[16:].split(b"\0")[0] == COUNTER:
                self.place = data + struct.unpack_from("I", row, 8)[0]

    def read(self):
        return struct.unpack("Q", os.pread(self.file, 8, self.place))[0]

    def close(self):
        os.close(self.file)


def vcpu_counters(pid):
    """The descriptors of a process that are counters of vCPUs."""
    folder = Path(f"/proc/{pid}/fd")
    try:
        return [int(each.name) for each in folder.iterdir() if "kvm-vcpu-stats" in os.readlink(each)]
    except OSError:
        return []


def descendants(pid):
    """A process and all that it has started, they too."""
    yield pid
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from descendants(int(child))
    except OSError:
        pass


class Vmm:
    """A process with one VM whose vCPU's thread is the one that has used most time."""

    def __init__(self, name, command, log):
        self.name = name
        self.process = subprocess.Popen(
            f"exec {command}", shell=True, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            start_new_session=True)
        self.pid, self.exits = self._await_vm()
        while self.exits.read() == 0 and self.process.poll() is None:
            time.sleep(0.0005)
        if self.process.poll() is not None:
            sys.exit(f"turns: {name} ended before its guest ran")
        self.slices = []  # (exits before it, wall ns an exit, CPU ns an exit)

    def _await_vm(self):
        limit = time.monotonic() + START_SECONDS
        while time.monotonic() < limit and self.process.poll() is None:
            for pid in descendants(self.process.pid):
                for descriptor in vcpu_counters(pid):
                    return pid, Counter(pid, descriptor)
            time.sleep(0.0005)
        sys.exit(f"turns: {self.name}: no virtual machine came to run")

    def _on_cpu(self):
        """Time on a CPU so far, ns, by thread."""
        used = {}
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            try:
                used[task.name] = int((task / "schedstat").read_text().split()[0])
            except OSError:
                pass  # it has just ended
        return used

    def resume(self):
        os.killpg(self.process.pid, signal.SIGCONT)

    def stop(self):
        os.killpg(self.process.pid, signal.SIGSTOP)

    def run(self, seconds):
        """One slice; what comes before it is let pass, until the caches are this VMM's."""
        self.resume()
        time.sleep(SETTLE_SECONDS)
        used = self._on_cpu()
        first, begin = self.exits.read(), time.monotonic_ns()
        time.sleep(seconds)
        last, end = self.exits.read(), time.monotonic_ns()
        # The vCPU's thread is the one that has done most.
        used = max(now - used.get(task, 0) for task, now in self._on_cpu().items())
        self.stop()
        exits = last - first
        if self.process.poll() is not None:
            sys.exit(f"turns: {self.name} has ended")
        # Without one, the host did not let it run at all.
        self.slices.append(exits and (first, (end - begin) / exits, used / exits))

    def end(self):
        self.exits.close()
        os.killpg(self.process.pid, signal.SIGCONT)
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def series(options, log):
    """Runs all of them once; returns name -> rows of (exits before, wall ratio, CPU ratio)."""
    vmms = []
    try:
        for name, command in options.vmm:
            vmm = Vmm(name, command, log)
            vmm.stop()
            vmms.append(vmm)
        first, others = vmms[0], vmms[1:]
        first.run(options.slice)
        for _ in range(options.turns):
            for other in others:
                other.run(options.slice)
                first.run(options.slice)
    finally:
        for vmm in vmms:
            vmm.end()
    rows = {}
    for i, other in enumerate(others):
        rows[other.name] = []
        for turn, own in enumerate(other.slices):
            at = turn * len(others) + i
            before, after = first.slices[at], first.slices[at + 1]
            if not (own and before and after):
                continue
            exits, wall, cpu = own
            rows[other.name].append((
                exits, 2 * wall / (before[1] + after[1]), 2 * cpu / (before[2] + after[2])))
    return rows, [each[1] for each in first.slices if each]


def spread(ratios):
    ratios = sorted(ratios)
    return ratios[len(ratios) // 4], ratios[len(ratios) * 3 // 4]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--series", type=int, default=3, help="starts of all of them")
    parser.add_argument("--turns", type=int, default=40, help="slices of each in a series")
    parser.add_argument("--slice", type=float, default=0.05, help="seconds")
    parser.add_argument("--parts", type=int, nargs="*", default=[50_000, 200_000], help="exits at which another part of a run begins")
    parser.add_argument("--log", type=Path, required=True, help="what the VMMs print")
    parser.add_argument("--medians", type=Path, help="gets NAME, tab, ratio by the clock at the end")
    parser.add_argument("vmm", nargs="+", help="NAME=COMMAND; the first is what the others are set against")
    options = parser.parse_args()
    options.vmm = [each.split("=", 1) for each in options.vmm]
    base = options.vmm[0][0]
    pooled = {name: [] for name, _ in options.vmm[1:]}
    with options.log.open("wb") as log:
        for number in range(1, options.series + 1):
            rows, walls = series(options, log)
            print(f"series {number}: {base} {statistics.median(walls):.0f} ns an exit"
                  f" ({min(walls):.0f} to {max(walls):.0f})", end="")
            for name, found in rows.items():
                later = [wall for exits, wall, _ in found if exits >= options.parts[-1]]
                print(f"; {name} {statistics.median(later):.3f}" if later else f"; {name} -", end="")
                pooled[name] += found
            print(flush=True)
    print(f"\n{'x ' + base:<12} {'exits':>16} {'slices':>7} {'by clock':>9} {'quartiles':>15} {'on CPU':>7}")
    bounds = [0, *options.parts, 1 << 62]
    medians = {}
    for name, rows in pooled.items():
        for begin, end in zip(bounds, bounds[1:]):
            part = [row for row in rows if begin <= row[0] < end]
            if part:
                low, high = spread([wall for _, wall, _ in part])
                medians[name] = statistics.median(wall for _, wall, _ in part)
                print(f"{name:<12} {f'from {begin:,}':>16} {len(part):>7}"
                      f" {medians[name]:>9.3f} {low:>7.3f} {high:>7.3f}"
                      f" {statistics.median(cpu for _, _, cpu in part):>7.3f}")
    if options.medians:
        options.medians.write_text("".join(f"{name}\t{ratio}\n" for name, ratio in medians.items()))


main()
