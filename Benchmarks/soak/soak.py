"""Idle connections, open streams and an engine that dies every few seconds: does the gateway leak?

Mock engines hold the streams at little cost. `verdict.py` says what must be true; the answer goes to RESULTS.md.
"""

import argparse
import datetime
import itertools
import json
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

from neaptest.processes import World, free_port, get, samples  # noqa: E402
from verdict import ENGINES, WORK_GAUGES, Observed, Plan, Reading, judge, page  # noqa: E402

RAMP_SECONDS = 10
OVERTIME_SECONDS = 60  # for the load to end by itself
CALM_SECONDS = 60  # for connections to close and engines to come back


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


class Reaper(threading.Thread):
    """Kills one engine after the other and brings each back after half of the interval."""

    def __init__(self, mocks: list[Mock], every: float):
        super().__init__()
        self.mocks, self.every, self.deaths, self.stopped = mocks, every, 0, threading.Event()

    def run(self) -> None:
        for mock in itertools.cycle(self.mocks):
            if self.stopped.wait(self.every / 2):
                return
            mock.kill()
            self.deaths += 1
            self.stopped.wait(self.every / 2)
            mock.start()

    def stop(self) -> None:
        self.stopped.set()
        self.join()


class IdleConnections:
    """Keeps this many connections open after one small request each, as client pools do, and counts how often the
    gateway closed one."""

    def __init__(self, port: int, count: int):
        self.port, self.closed = port, 0
        self.sockets = [self.connect() for _ in range(count)]

    def connect(self) -> socket.socket:
        one = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        one.sendall(b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        if not one.recv(4096).startswith(b"HTTP/1.1 200"):
            sys.exit("the gateway does not answer /livez")
        one.setblocking(False)
        return one

    def renew(self) -> None:
        for index, one in enumerate(self.sockets):
            try:
                gone = one.recv(4096) == b""
            except BlockingIOError:
                gone = False  # nothing to read: it is open
            except OSError:
                gone = True
            if gone:
                one.close()
                self.closed += 1
                self.sockets[index] = self.connect()

    def close(self) -> None:
        for one in self.sockets:
            one.close()


def resident_megabytes(pid: int) -> float:
    pages = int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))


def totals(port: int) -> dict[str, float]:
    """The gateway's metrics, series of one name summed."""
    sums: dict[str, float] = {}
    for series, value in samples(port).items():
        name = series.partition("{")[0]
        sums[name] = sums.get(name, 0) + value
    return sums


def missing(port: int) -> list[str]:
    rows = json.loads(get(port, "/admin/endpoints")[2])["data"]
    return [f"{row['url']} ({row['state']})" for row in rows if row["state"] != "healthy"]


def start_load(plan: Plan, tool: pathlib.Path, port: int) -> subprocess.Popen:
    """Streams of ten seconds, a chunk each half second, each followed by the next on its connection."""
    return subprocess.Popen(
        [str(tool), "-p", str(port), "-c", str(plan.streams), "-n", "20", "-d", "500", "-r", str(RAMP_SECONDS), "-t",
         str(plan.seconds)],
        stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True,
    )


def follow(plan: Plan, gateway, idle: IdleConnections, load: subprocess.Popen) -> list[Reading]:
    """Reads the gateway once a second until the load ends."""
    began, readings = time.monotonic() + RAMP_SECONDS, []
    while load.poll() is None:
        time.sleep(1)
        if gateway.child.poll() is not None:
            sys.exit(f"the gateway ended with {gateway.child.returncode}:\n{gateway.tail()}")
        if time.monotonic() - began > plan.seconds + OVERTIME_SECONDS:
            sys.exit("the load does not end")
        idle.renew()
        now = totals(gateway.port)
        readings.append(
            Reading(
                time.monotonic() - began, resident_megabytes(gateway.pid), now.get("neap_in_flight_requests", 0),
                now.get("neap_client_connections", 0),
            )
        )
    return readings


def settled(gateway, limit: int) -> tuple[dict[str, float], int, list[str]]:
    """Metrics, descriptors and missing engines once all is calm, or as they are when it takes too long. What is judged
    is what was looked at last: each look opens connections of its own, which the next one may still see."""
    end = time.monotonic() + CALM_SECONDS
    while True:
        left, open_files, absent = totals(gateway.port), descriptors(gateway.pid), missing(gateway.port)
        is_calm = (
            not any(left.get(name) for name in WORK_GAUGES) and left.get("neap_client_connections", 0) <= 1
            and open_files <= limit and not absent
        )
        if is_calm or time.monotonic() > end:
            return left, open_files, absent
        time.sleep(0.5)


def soak(plan: Plan, tools: pathlib.Path, world: World, mocks: list[Mock]) -> Observed:
    config = world.folder / "neap.yaml"
    engines = "\n".join(f"      - url: http://127.0.0.1:{mock.port}" for mock in mocks)
    config.write_text((HERE.parent / "gateway/conf/neap.yaml").read_text().replace("@ENGINES@", engines))
    gateway = world.gateway([], "--config", str(config))
    before = descriptors(gateway.pid)
    idle = IdleConnections(gateway.port, plan.idle)
    reaper = Reaper(mocks, plan.every)
    load = start_load(plan, tools / "sse_load", gateway.port)
    reaper.start()
    try:
        readings = follow(plan, gateway, idle, load)
    finally:
        load.kill()
        reaper.stop()
        idle.close()
    if load.returncode != 0:
        sys.exit(f"the load ended with {load.returncode}")
    client = json.loads(load.stdout.read())
    left, after, absent = settled(gateway, before)
    return Observed(
        readings=readings, deaths=reaper.deaths, client=client, idle_closed=idle.closed, descriptors_before=before,
        descriptors_after=after, left=left, missing=absent, exit_code=gateway.terminate(),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tools", type=pathlib.Path, required=True)
    parser.add_argument("--idle", type=int, default=1000)
    parser.add_argument("--streams", type=int, default=2000)
    parser.add_argument("--every", type=float, default=10, help="seconds between deaths of an engine")
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--output", type=pathlib.Path, default=HERE / "RESULTS.md")
    options = parser.parse_args()
    plan = Plan(options.idle, options.streams, options.seconds, options.every)
    world = World(pathlib.Path(tempfile.mkdtemp(prefix="neap-soak-")))
    mocks = [Mock(options.tools / "mock") for _ in range(ENGINES)]
    try:
        seen = soak(plan, options.tools, world, mocks)
    finally:
        world.close()
        for mock in mocks:
            mock.kill()
        shutil.rmtree(world.folder)
    rows = judge(plan, seen)
    changed = [word for word in sys.argv[1:] if word not in ("--tools", str(options.tools))]
    command = " ".join(["Benchmarks/soak/run.sh", *changed]) if changed else "make soak"
    machine = f"{datetime.date.today()}, {os.cpu_count()} cores, Linux {platform.release()}. Command: `{command}`."
    text = page(plan, seen, rows, machine)
    print(text)
    options.output.write_text(text)
    if not all(row.good for row in rows):
        sys.exit("the soak found something")


if __name__ == "__main__":
    main()
