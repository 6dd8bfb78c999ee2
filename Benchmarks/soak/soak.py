"""Idle connections, open streams and an engine that dies every few seconds: does the gateway leak?

Mock engines hold the streams at little cost. Passes when, after the load has gone, nothing is counted in flight, the
gateway's file descriptors are back where they were, and its memory was flat while the load lasted.
"""

import argparse
import datetime
import itertools
import os
import pathlib
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "Tests/python"))

from neaptest.processes import World, free_port, samples  # noqa: E402

ENGINES = 4
MEMORY_GROWTH = 1.10  # the last minute against the second one
DESCRIPTOR_SLACK = 20


class Mock:
    """One mock engine that can die and come back on its port."""

    def __init__(self, tool: pathlib.Path):
        self.tool, self.port = tool, free_port()
        self.start()

    def start(self) -> None:
        self.child = subprocess.Popen(
            [str(self.tool), str(self.port)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def kill(self) -> None:
        self.child.kill()
        self.child.wait()


class IdleConnections:
    """Keeps this many connections open without a byte sent, and counts how often the gateway closed one."""

    def __init__(self, port: int, count: int):
        self.port, self.closed = port, 0
        self.sockets = [self.connect() for _ in range(count)]

    def connect(self) -> socket.socket:
        one = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        one.setblocking(False)
        return one

    def renew(self) -> None:
        for index, one in enumerate(self.sockets):
            try:
                gone = one.recv(4096) == b""
            except BlockingIOError:
                gone = False
            except OSError:
                gone = True
            if gone:
                one.close()
                self.closed += 1
                self.sockets[index] = self.connect()

    def close(self) -> None:
        for one in self.sockets:
            one.close()


def kill_in_turn(mocks: list[Mock], every: float, stop: threading.Event) -> None:
    for mock in itertools.cycle(mocks):
        if stop.wait(every / 2):
            return
        mock.kill()
        stop.wait(every / 2)
        mock.start()


def resident_megabytes(pid: int) -> float:
    pages = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def in_flight(port: int) -> float:
    """The sum of all gauges of what is in flight or waits in a queue."""
    gauges = [value for series, value in samples(port).items() if "in_flight" in series or "queue_depth" in series]
    if not gauges:
        raise RuntimeError("the gateway exports no gauge of what is in flight")
    return sum(gauges)


def mean(values: list[float]) -> float:
    return sum(values) / max(len(values), 1)


def soak(options, world: World, mocks: list[Mock]) -> tuple[list[tuple[str, str, bool]], str]:
    config = world.folder / "neap.yaml"
    engines = "\n".join(f"      - url: http://127.0.0.1:{mock.port}" for mock in mocks)
    config.write_text((HERE.parent / "gateway/conf/neap.yaml").read_text().replace("@ENGINES@", engines))
    gateway = world.gateway([], "--config", str(config))
    base = descriptors(gateway.pid)
    idle = IdleConnections(gateway.port, options.idle)
    stop = threading.Event()
    killer = threading.Thread(target=kill_in_turn, args=(mocks, options.every, stop))
    load = subprocess.Popen(
        [str(options.tools / "sse_load"), "-p", str(gateway.port), "-c", str(options.streams), "-n", "60", "-d", "500",
         "-r", "10", "-t", str(options.seconds)],
        stdout=subprocess.PIPE, text=True,
    )
    killer.start()
    memory: list[tuple[float, float]] = []
    began = time.monotonic()
    try:
        while load.poll() is None:
            time.sleep(2)
            idle.renew()
            memory.append((time.monotonic() - began, resident_megabytes(gateway.pid)))
    finally:
        load.kill()
        stop.set()
        killer.join()
        idle.close()
    said = load.stdout.read().strip()
    for _ in range(100):
        if in_flight(gateway.port) == 0 and descriptors(gateway.pid) <= base + DESCRIPTOR_SLACK:
            break
        time.sleep(0.2)
    left, open_now = in_flight(gateway.port), descriptors(gateway.pid)
    second = mean([m for at, m in memory if 60 <= at < 120]) or memory[0][1]
    last = mean([m for at, m in memory if at >= memory[-1][0] - 60])
    code = gateway.terminate()
    rows = [
        ("in flight and queued after the load", f"{left:.0f}", left == 0),
        ("file descriptors before / after", f"{base} / {open_now}", open_now <= base + DESCRIPTOR_SLACK),
        ("memory, second minute / last minute", f"{second:.1f} / {last:.1f} MB", last <= second * MEMORY_GROWTH),
        ("exit code after the drain", str(code), code == 0),
    ]
    return rows, f"Idle connections closed by the gateway: {idle.closed}. Streams: `{said}`"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tools", type=pathlib.Path, required=True)
    parser.add_argument("--idle", type=int, default=1000)
    parser.add_argument("--streams", type=int, default=2000)
    parser.add_argument("--every", type=float, default=10, help="seconds between deaths of an engine")
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--output", type=pathlib.Path, default=HERE / "RESULTS.md")
    options = parser.parse_args()
    world = World(pathlib.Path(tempfile.mkdtemp(prefix="neap-soak-")))
    mocks = [Mock(options.tools / "mock") for _ in range(ENGINES)]
    try:
        rows, note = soak(options, world, mocks)
    finally:
        world.close()
        for mock in mocks:
            mock.kill()
        shutil.rmtree(world.folder)
    lines = [
        "# Soak",
        "",
        f"{datetime.date.today()}, {os.cpu_count()} cores, Linux {platform.release()}. Command: `make soak`.",
        f"{options.idle:,} idle connections and {options.streams:,} open streams for {options.seconds:.0f} s; one of "
        f"{ENGINES} engines dies every {options.every:.0f} s and comes back after half of that.",
        "",
        "| | | |",
        "|---|---|---|",
        *(f"| {name} | {value} | {'ok' if good else '**no**'} |" for name, value, good in rows),
        "",
        note,
        "",
    ]
    print("\n".join(lines))
    options.output.write_text("\n".join(lines))
    if not all(good for _, _, good in rows):
        sys.exit("the soak found something")


if __name__ == "__main__":
    main()
