"""What a round of cli/soak does, drawn from a seed: the command, what is typed, the disturbance."""

import dataclasses
import gzip
import shutil
import subprocess
from pathlib import Path

FOREVER = 4_000_000_000  # writes of `spin` that no round sees the end of
BY_ITSELF = {"HALTED", "DEBUG_EXIT", "RESET", "POWER_OFF", "TRIPLE_FAULT"}
LINUX = "console=ttyS0 panic=-1 reboot=t lpj=5000000 tsc_early_khz=2800000 no_timer_check nolapic noapic"
MOST_MODULES = 64
SIGNALS = ("INT", "TERM", "HUP")


@dataclasses.dataclass
class Plan:
    """One round. Times are seconds since the command's start."""

    back_end: str
    guest: str
    options: list
    stdin: str = "null"  # closed, null, pipe, terminal
    typed: list = dataclasses.field(default_factory=list)  # (time, bytes), in order
    leave_open: bool = False  # what stdin is, once all is typed
    disturbance: str = "none"  # a signal, stop, kill, reader, slow, disk, hangup
    when: float = 0.0
    stopped: float = 0.0  # how long a stop lasts
    timeout: float = 0.0  # --timeout; 0 for none
    ends: set = dataclasses.field(default_factory=set)  # what the run may end with, undisturbed
    same_each_time: bool = False
    says: list = dataclasses.field(default_factory=list)  # lines on its console; empty where that is open
    writes: int = 0  # port writes of `spin` that must be in the trace; 0 where that is open
    json: bool = True  # whether stdout has the summary, and not the guest's console
    attach: tuple = ()  # options of a recorder from outside; empty for none
    attach_end: str = ""  # a signal that ends it; empty where it ends by itself
    attach_after: float = 0.0  # how long it runs until then
    attach_disk: bool = False  # whether its trace is on a small disk

    def arguments(self, trace):
        summary = ["--json"] if self.json else []
        return ["record", "--accel", self.back_end, *self.options, *summary, "-o", trace]


class Host:
    """What this host lets a round choose from."""

    def __init__(self, kvm, tracepoints, faults, cpus, root, work, kernels):
        self.back_ends = ["soft", "kvm"] if kvm else ["soft"]
        self.tracepoints = tracepoints
        self.faults = faults
        self.cpus = cpus
        self.root = root
        self.images = images(work)
        self.modules = modules(work) if self.images else None
        self.kernels, self.ram_disk = unpacked(kernels, work)


def images(work):
    """The guests that are typed to, by what they do and how many ticks they wait for."""
    found = {}
    if shutil.which("nasm"):
        source = Path(__file__).with_name("keys.asm")
        for wait in ("HALT", "COMPUTE", "POLL"):
            for ticks in (0, 30, 120):
                image = work / f"keys-{wait}-{ticks}.bin"
                subprocess.run(
                    ["nasm", "-f", "bin", f"-DWAIT={wait}", f"-DTICKS={ticks}", "-o", image, source],
                    check=True,
                )
                found[wait, ticks] = image
    return found


def modules(work):
    """A Multiboot kernel, in a folder that its modules can go to."""
    image = work / "modules.bin"
    source = Path(__file__).with_name("modules.asm")
    subprocess.run(["nasm", "-f", "bin", "-o", image, source], check=True)
    return image


def unpacked(folder, work):
    """Kernels, and the RAM disk for them, out of a folder that may lack either."""
    if not folder or not (Path(folder) / "busybox.cpio.gz").is_file():
        return [], None
    kernels = sorted(Path(folder).glob("*.bzImage"))
    for packed in sorted(Path(folder).glob("*.vmlinux.gz")):
        kernels.append(work / packed.stem)
        kernels[-1].write_bytes(gzip.decompress(packed.read_bytes()))
    return kernels, Path(folder) / "busybox.cpio.gz"


def plan(rnd, host, only):
    """Draws a round."""
    back_end = only or rnd.choice(host.back_ends)
    kinds = ["bundled"] * 5 + (["keys"] * 5 + ["multiboot"] * 2 if host.images else [])
    kinds += ["linux"] if host.kernels else []
    kind = rnd.choice(kinds)
    makers = {"bundled": bundled, "keys": keys, "multiboot": multiboot, "linux": linux}
    drawn = makers[kind](rnd, host, back_end)
    machine(rnd, drawn)
    chosen_events(rnd, host, drawn)
    until(rnd, drawn)
    if back_end == "kvm":
        on_kvm(rnd, host, drawn)
        if host.tracepoints and rnd.random() < 0.3:
            attached(rnd, host, drawn)
    disturb(rnd, host, drawn)
    drawn.json = rnd.random() < 0.6
    if drawn.timeout:
        drawn.options += ["--timeout", f"{drawn.timeout * 1000:.0f}ms"]
        drawn.ends |= {"TIMEOUT"}
    quiet = drawn.disturbance == "none" and not drawn.timeout and kind != "linux"
    drawn.same_each_time = back_end == "soft" and quiet and drawn.stdin in ("closed", "null")
    return drawn


def bundled(rnd, host, back_end):
    name = rnd.choice(["hello", "exits", "translate", "spin", "spin", "touch", "calls"])
    drawn = Plan(back_end, name, ["--guest", name], ends=set(BY_ITSELF))
    vcpus = rnd.choice([1, 1, 2, 3, 4])
    drawn.options += ["--cpus", str(vcpus)]
    if name == "spin":
        spinning = rnd.randint(1, vcpus)
        count = int(10 ** rnd.uniform(1, 4.5))
        if rnd.random() < 0.4:
            count = FOREVER
            drawn.timeout = rnd.uniform(0.3, 4)
        else:
            drawn.writes = count * spinning
        drawn.options += ["--append", f"count={count} cpus={spinning}"]
    elif name == "touch":
        drawn.options += ["--append", f"pages={rnd.randint(1, 3000)}"]
    drawn.stdin = rnd.choice(["closed", "null", "pipe", "terminal"])
    drawn.leave_open = True
    return drawn


def keys(rnd, host, back_end):
    (wait, ticks), image = rnd.choice(sorted(host.images.items()))
    options = ["--flat", str(image), "--load", "0x1000", "--entry", "0x1000", "--mode", "real"]
    drawn = Plan(back_end, f"keys-{wait}-{ticks}", options)
    drawn.options += ["--cpus", str(rnd.choice([1, 1, 1, 2, 4]))]
    drawn.stdin = rnd.choice(["closed", "null", "pipe", "pipe", "terminal", "terminal"])
    last = False
    if drawn.stdin in ("pipe", "terminal"):
        at = rnd.choice([0.0, 0.8, 1.5])
        for _ in range(rnd.choice([0, 1, 3, 20])):
            text = bytes(rnd.choice(b"abcdefgh\r") for _ in range(rnd.choice([1, 1, 2, 17, 300])))
            drawn.typed.append((at, text))
            at += rnd.choice([0.0, 0.001, 0.02, 0.3, 2.0]) * rnd.random()
        last = rnd.random() < 0.6
        drawn.leave_open = last or drawn.stdin == "terminal" or rnd.random() < 0.5
        if last:
            drawn.typed.append((at, b"q"))
        elif drawn.stdin == "terminal" and rnd.random() < 0.5:
            drawn.typed.append((max(at, 1.5), b"\x01c\x01x"))
            drawn.ends |= {"INTERRUPTED"}
    drawn.ends |= {"DEBUG_EXIT"} if last or ticks else set()
    open_ended = drawn.leave_open and not last
    if wait == "HALT" and not open_ended and not ticks:
        drawn.ends |= {"HALTED"}
    elif not last and not ticks and "INTERRUPTED" not in drawn.ends:
        drawn.timeout = rnd.uniform(0.5, 4)
    if rnd.random() < 0.3:
        clocks = ["--realtime", "--no-realtime"] if back_end == "soft" else ["--realtime"]
        drawn.options.append(rnd.choice(clocks))
    return drawn


def multiboot(rnd, host, back_end):
    """Modules of random bytes, which the guest adds up; the RAM disk is the first."""
    options = ["--kernel", str(host.modules), "--append", "a  b"]
    drawn = Plan(back_end, "multiboot", options, ends={"DEBUG_EXIT"})
    drawn.says = [f"{host.modules} a  b"]
    ram_disk = rnd.random() < 0.5
    for i in range(rnd.choice([0, 1, 2, 5, 64]) + ram_disk):
        if i >= MOST_MODULES:
            break
        content = rnd.randbytes(rnd.choice([1, 4095, 4096, 20_000]))
        path = host.modules.with_name(f"module-{len(content)}-{sum(content):x}")
        path.write_bytes(content)
        text = str(path)
        if ram_disk and i == 0:
            drawn.options += ["--initrd", text]
        else:
            text += rnd.choice(["", " of mine", " x=1 y  z"])
            drawn.options += ["--module", text]
        drawn.says.append(f"{len(content):08x} {sum(content):08x} {text}")
    drawn.stdin = rnd.choice(["closed", "null", "pipe", "terminal"])
    return drawn


def linux(rnd, host, back_end):
    kernel = rnd.choice(host.kernels)
    options = ["--kernel", str(kernel), "--initrd", str(host.ram_disk), "--append", LINUX]
    drawn = Plan(back_end, kernel.name, options, ends=set(BY_ITSELF))
    drawn.stdin = rnd.choice(["closed", "null", "pipe", "terminal"])
    if drawn.stdin in ("pipe", "terminal"):
        drawn.typed = sorted((rnd.uniform(0, 6), b"x\r") for _ in range(rnd.randint(0, 5)))
        drawn.leave_open = rnd.random() < 0.5
    if back_end == "kvm" or rnd.random() < 0.3:
        drawn.timeout = rnd.uniform(1, 8)
    return drawn


def machine(rnd, drawn):
    """Options that both back ends have."""
    if rnd.random() < 0.5:
        drawn.options += ["--memory", rnd.choice(["96M", "128M", "1G"])]
    if rnd.random() < 0.2:
        models = ["default", "x86-64-v2"] + (["host", "compat"] if drawn.back_end == "kvm" else [])
        drawn.options += ["--cpu", rnd.choice(models)]
    if rnd.random() < 0.25:
        drawn.options.append(rnd.choice(["--stacks", "--stacks=1", "--stacks=128"]))
    if rnd.random() < 0.15:
        drawn.options += ["--console-filter", "upper"]
    if rnd.random() < 0.15:
        drawn.options += ["--keep-files", rnd.choice(["0", "4096", "1G"])]
    if rnd.random() < 0.15:
        halts = "HALT" in drawn.guest
        drawn.options += ["--watchdog", "1s" if halts else "10s"]
        drawn.ends |= {"TIMEOUT"} if "COMPUTE" in drawn.guest else set()


def chosen_events(rnd, host, drawn):
    if rnd.random() < 0.3:
        names = rnd.sample(["pio", "mmio", "msr", "cpuid", "hlt", "exits", "interrupts", "mmu"], 2)
        drawn.options += [rnd.choice(["--events", "--exclude"]), ",".join(names)]
        drawn.writes = 0


def until(rnd, drawn):
    if rnd.random() < 0.25:
        forms = [f"exits={rnd.randint(1, 3000)}", f"time={rnd.randint(1, 1500)}ms", "text=l"]
        if drawn.back_end == "soft":
            forms.append(f"instructions={int(10 ** rnd.uniform(2, 7))}")
        drawn.options += ["--until", rnd.choice(forms)]
        drawn.ends |= {"UNTIL"}
        drawn.writes = 0


def on_kvm(rnd, host, drawn):
    options = drawn.options
    if rnd.random() < 0.7:
        options += ["--irqchip", rnd.choice(["kernel", "split", "user"])]
    memory = rnd.choice(["", "", "faults", "prefault", "huge"])
    if memory == "faults" and host.faults and records(drawn, "ept-fault"):
        options += ["--faults", "uffd"]
    elif memory == "prefault":
        options.append("--prefault")
    elif memory == "huge":
        options += ["--huge-pages", "transparent"]
    if rnd.random() < 0.3 and records(drawn, "dirty"):
        options.append(rnd.choice(["--dirty", "--dirty=log", "--dirty=ring"]))
        if options[-1] == "--dirty=ring":
            drawn.ends |= {"ERROR"}  # where KVM overruns its ring, which the run says
    if rnd.random() < 0.06:
        options += ["--tsc-khz", rnd.choice(["1", "1000000", "2500000", "4000000000"])]
    if rnd.random() < 0.3:
        options += ["--pin", f"0:{rnd.randrange(host.cpus)}"]
    if host.tracepoints and rnd.random() < 0.6:
        options += ["--kernel-events", rnd.choice(["yes", "no"])]
    if rnd.random() < 0.15 and "no" not in options:
        options += ["--kernel-buffer", rnd.choice(["64K", "1M", "16M"])]


def records(drawn, word):
    """Sees to it that what is watched is recorded too; whether it can be."""
    options = drawn.options
    if "--events" in options:
        options[options.index("--events") + 1] += "," + word
    left_out = options[options.index("--exclude") + 1] if "--exclude" in options else ""
    return word != "ept-fault" or "exits" not in left_out


def attached(rnd, host, drawn):
    """A recorder from outside. By name it would wait for more processes, so something ends it."""
    whose = rnd.choice([("--pid", "PID"), ("--pid", "PID"), ("--comm", "java"), ("--all-vms",)])
    drawn.attach = whose
    drawn.attach_after = rnd.uniform(0.3, 3)
    drawn.attach_end = rnd.choice(["INT", "TERM", "KILL", ""])
    if not drawn.attach_end and (whose[0] != "--pid" or rnd.random() < 0.3):
        drawn.attach += ("--duration", f"{drawn.attach_after * 1000:.0f}ms")
    if rnd.random() < 0.3:
        drawn.attach += (rnd.choice(["--events", "--exclude"]), "exits,interrupts")
    drawn.attach_disk = host.root and rnd.random() < 0.5


def disturb(rnd, host, drawn):
    kinds = ["none"] * 8 + list(SIGNALS) + ["stop", "stop", "kill", "kill", "reader"]
    kinds += ["slow"]
    kinds += ["disk"] if host.root else []
    kinds += ["hangup"] if drawn.stdin == "terminal" else []
    drawn.disturbance = rnd.choice(kinds)
    drawn.when = rnd.choice([rnd.uniform(0.02, 0.8), rnd.uniform(0.5, 3)])
    drawn.stopped = rnd.uniform(0.05, 1.5)
