"""What a `ken up` takes that nobody asks anything: processor, wake-ups, memory, with the embedder loaded and one question answered.

    python bench/idle.py [--data DIR] [--home HOME] [--seconds 60]

Linux alone: the figures are the kernel's own, from /proc. The home holds the four handbooks (640 documents). A wake-up is a
voluntary switch of one of its threads: something was waited for, and came.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from rig.handbooks import add_options, found, loaded_home, machine
from rig.server import ASK, Server, client, serving

SETTLING_S = 5.0
"""After the question: what it left to be written is written."""


def switches(pid: int) -> dict[str, int]:
    """Voluntary switches so far, by thread."""
    found_switches: dict[str, int] = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        lines = (task / "status").read_text("utf-8").splitlines()
        fields = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
        found_switches[task.name] = int(fields["voluntary_ctxt_switches"])
    return found_switches


def print_idle(server: Server, *, seconds: float) -> None:
    """One row."""
    with client(server) as asking:
        asking.ask("How many days of annual leave are there?", door=ASK)
    time.sleep(SETTLING_S)
    used, before, began = server.cpu_s(), switches(server.pid), time.perf_counter()
    time.sleep(seconds)
    took = time.perf_counter() - began
    after = switches(server.pid)
    woken = sum(count - before.get(thread, 0) for thread, count in after.items())
    memory, anonymous = server.resident_mb()
    print("| processor, % of a core | wake-ups a second | threads | memory MB | without mapped files MB |")
    print("|---:|---:|---:|---:|---:|")
    share = (server.cpu_s() - used) / took
    print(f"| {share:.2%} | {woken / took:.1f} | {len(after)} | {memory:.0f} | {anonymous:.0f} |", flush=True)


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser)
    parser.add_argument("--seconds", type=float, default=60.0)
    given = parser.parse_args()
    print(machine())
    if not Path("/proc/self/status").exists():
        print("Not measured: this system has no /proc.")
        return
    if not found(given.data):
        return
    with loaded_home(given.data, given.home) as home, serving(home) as server:
        print_idle(server, seconds=given.seconds)


if __name__ == "__main__":
    main()
