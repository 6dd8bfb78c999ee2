"""User instructions of the gateway per request and per streamed chunk, counted by valgrind's callgrind.

The requests are those of bench.py, in fixed numbers and in rounds, so that runs can be compared to within a percent on
any machine. What the kernel does is not in them: system calls and page faults are counted beside them, in a second run
without valgrind.
"""

import argparse
import collections
import datetime
import json
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import bench

CONNECTIONS = {"A": 8, "B": 8, "P": 8, "C": 32}
TESTS = {
    "A": "1 KB request, 600 B answer: per request",
    "B": "16 KB request, 600 B answer: per request",
    "P": "220 KB request, 600 B answer: per request",
    "C": "a stream's 200 B chunk, paced: per chunk",
}
ROUNDS = {"A": 60, "B": 60, "P": 25, "C": 60}
# A chunk each so many milliseconds: slow enough that valgrind keeps up and chunks are not read together.
PACE = 100
FILLER = "lorem ipsum dolor sit amet "


def request(size: int, session: int, stream: str = "") -> bytes:
    """One request as post.lua and sse_load write it; `stream` goes in front of the messages."""
    head = '{"model":"mock",%s"messages":[{"role":"user","content":"session %d ' % (
        stream or '"max_tokens":64,"temperature":0.7,', session)
    if stream:
        head += f"pace_ms={PACE} "
    body = head + (FILLER * (size // len(FILLER) + 1))[: max(1, size - len(head) - 4)] + '"}]}'
    lines = [
        f"POST {bench.CHAT} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json",
        "Authorization: Bearer bench", f"Content-Length: {len(body)}", "", "",
    ]
    return ("\r\n".join(lines) + body).encode()


class Client:
    """One kept connection that reads whole answers."""

    def __init__(self, port: int):
        self.socket = socket.create_connection(("127.0.0.1", port), 120)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b""

    def answer(self) -> None:
        while b"\r\n\r\n" not in self.rest:
            self.more()
        head, self.rest = self.rest.split(b"\r\n\r\n", 1)
        if not head.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(f"not 200: {head[:200]!r} {self.rest[:200]!r}")
        length = int(re.search(rb"(?i)content-length: *(\d+)", head)[1])
        while len(self.rest) < length:
            self.more()
        self.rest = self.rest[length:]

    def stream(self) -> int:
        """Reads a chunked answer to its end; the number of its events."""
        while not self.rest.endswith(b"\r\n0\r\n\r\n"):
            self.more()
        events = self.rest.count(b"data: ")
        self.rest = b""
        return events

    def more(self) -> None:
        part = self.socket.recv(1 << 18)
        if not part:
            raise RuntimeError("the gateway closed a connection")
        self.rest += part


def load(test: str, clients: list[Client], rounds: int) -> int:
    """Runs one test's requests, each client one at a time; how many requests, or chunks, there were."""
    if test == "C":
        stream = f'"stream":true,"max_tokens":{rounds},'
        for session, client in enumerate(clients):
            client.socket.sendall(request(1024, session, stream))
            # Apart, as streams of different users are: each chunk comes alone.
            time.sleep(PACE / 1000 / len(clients))
        return sum(client.stream() for client in clients)
    wires = [request(bench.WRK[test][0], session) for session in range(64)]
    for turn in range(rounds):
        for place, client in enumerate(clients):
            client.socket.sendall(wires[(turn * len(clients) + place) % 64])
        for client in clients:
            client.answer()
    return rounds * len(clients)


# What callgrind wrote


def area(name: str, image: str) -> str:
    """Whose code a function is."""
    image = pathlib.Path(image).name
    if image.startswith("libswift"):
        return "Swift runtime"
    if image.startswith(("libc.", "libc-", "ld-", "ld.", "libpthread", "libm", "vgpreload")):
        return "C library"
    module = re.match(r"\$s(\d+)(\w+)", name)
    if module:
        module = module[2][: int(module[1])]
        if module.startswith(("NIO", "_NIO", "CNIO")):
            return "swift-nio"
        return module
    return "other"


def costs(dump: pathlib.Path) -> tuple[int, dict[str, int], dict[str, int]]:
    """All instructions of a dump; by area; by function."""
    names: dict[tuple[str, str], str] = {}
    areas: dict[str, int] = collections.Counter()
    functions: dict[str, int] = collections.Counter()
    name, image, called = "", "", False

    def lookup(kind: str, text: str) -> str:
        match = re.match(r"\((\d+)\)(?: (.*))?$", text)
        if match[2] is not None:
            names[kind, match[1]] = match[2]
        return names[kind, match[1]]

    for line in dump.read_text(errors="replace").splitlines():
        key, _, value = line.partition("=")
        if key == "fn":
            name = lookup("name", value)
        elif key == "ob":
            image = lookup("image", value)
        elif key == "cfn":
            lookup("name", value)
        elif key == "cob":
            lookup("image", value)
        elif key == "calls":
            called = True
        elif line[:1] in "0123456789+-*" and line:
            if called:
                called = False
                continue
            cost = int(line.split()[1]) if " " in line else 0
            areas[area(name, image)] += cost
            functions[name] += cost
    return sum(areas.values()), areas, functions


class Count(bench.Bench):
    """A gateway under valgrind in front of the mock engines."""

    def __init__(self, options: argparse.Namespace, folder: pathlib.Path):
        super().__init__(options, folder)
        # Valgrind may not know the newest forms of debugging information; the names of functions are enough.
        bare = folder / "neap"
        subprocess.run(["strip", "--strip-debug", "-o", str(bare), str(options.neap)], check=True)
        options.neap = bare

    def command(self, name: str, port: int) -> list[str]:
        command = super().command("neap", port)
        if name == "native":
            return command
        return [
            "env", f"LD_PRELOAD={self.options.tools.resolve()}/valgrind_sigsuspend.so",
            "valgrind", "--tool=callgrind", "--instr-atstart=no", "--fair-sched=try", "--vgdb=yes", f"--vgdb-prefix={self.folder}/vgdb",
            f"--callgrind-out-file={self.folder}/callgrind.out", "--separate-threads=yes", *command,
        ]

    def tell(self, child: subprocess.Popen, *words: str) -> None:
        subprocess.run(
            ["vgdb", f"--vgdb-prefix={self.folder}/vgdb", f"--pid={child.pid}", *words], check=True,
            capture_output=True, timeout=120)

    def measure_instructions(self) -> dict[str, dict]:
        child, port = self.start("neap")
        rows, dumps = {}, 0
        try:
            self.tell(child, "instrumentation", "on")
            for test in self.options.tests:
                clients = [Client(port) for _ in range(CONNECTIONS[test])]
                load(test, clients, 20 if test != "C" else 5)  # connections, caches and the allocator are warm
                self.tell(child, "dump")  # counts from zero again
                began = time.monotonic()
                done = load(test, clients, ROUNDS[test])
                seconds = time.monotonic() - began
                self.tell(child, "dump")
                dumps += 2
                threads = {file.suffix.split("-")[1]: costs(file) for file in self.dumps(dumps)}
                # The event loop's thread; what others do depends on time, not on requests.
                loop = max(threads, key=lambda thread: threads[thread][0])
                total, areas, functions = threads[loop]
                time.sleep(self.options.idle)
                self.tell(child, "dump")
                dumps += 1
                idle, idle_areas, _ = costs(self.folder / f"callgrind.out.{dumps}-{loop}")
                share = seconds / self.options.idle
                rows[test] = {
                    "value": (total - idle * share) / done, "done": done, "idle": idle * share / done, "seconds": seconds,
                    "areas": {key: (areas[key] - idle_areas.get(key, 0) * share) / done for key in areas},
                    "functions": {key: value / done for key, value in functions.items()},
                }
                print(
                    f"{test} {rows[test]['value']:10.0f} instructions, idle {rows[test]['idle']:.0f} "
                    f"of {done} in {seconds:.1f} s", flush=True)
                for client in clients:
                    client.socket.close()
        finally:
            self.stop(child)
        return rows

    def dumps(self, number: int) -> list[pathlib.Path]:
        return list(self.folder.glob(f"callgrind.out.{number}-*"))

    def measure_kernel(self) -> dict[str, dict]:
        """System calls (with strace, where it is) and page faults of the same loads without valgrind."""
        child, port = self.start("native")
        rows = {}
        try:
            for test in self.options.tests:
                clients = [Client(port) for _ in range(CONNECTIONS[test])]
                load(test, clients, 20 if test != "C" else 5)
                before = faults(child.pid)
                done = load(test, clients, ROUNDS[test])
                rows[test] = {"faults": (faults(child.pid) - before) / done}
                if shutil.which("strace"):
                    rows[test]["calls"] = self.calls(child, test, clients)
                for client in clients:
                    client.socket.close()
        finally:
            self.stop(child)
        return rows

    def calls(self, child: subprocess.Popen, test: str, clients: list[Client]) -> dict[str, float]:
        summary = self.folder / f"strace-{test}"
        tracer = subprocess.Popen(
            ["strace", "-f", "-c", "-U", "calls,name", "-o", str(summary), "-p", str(child.pid)],
            stderr=subprocess.PIPE, text=True)
        try:
            tracer.stderr.readline()  # attached
            time.sleep(0.5)
            done = load(test, clients, ROUNDS[test])
        finally:
            tracer.send_signal(bench.signal.SIGINT)
            tracer.wait(20)
            tracer.stderr.close()
        found = re.findall(r"^ *(\d+) +(\w+)$", summary.read_text(), re.MULTILINE)
        return {name: int(count) / done for count, name in found if name != "total"}


def faults(pid: int) -> int:
    """Minor page faults of a process so far."""
    return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[7])


def report(rows: dict[str, dict], kernel: dict[str, dict]) -> str:
    tests = list(rows)
    areas = sorted({key for row in rows.values() for key in row["areas"]},
                   key=lambda key: -max(row["areas"].get(key, 0) for row in rows.values()))
    smallest = 0.005
    lines = [
        "# Instructions of the data path", "",
        f"{datetime.date.today()}. Command: `Benchmarks/gateway/instructions.sh`. User instructions of the "
        f"event loop's thread, counted by valgrind; {CONNECTIONS['A']} connections, {CONNECTIONS['C']} streams; what the thread of an idle gateway does in "
        "the same time is taken off. Code that was inlined counts where it was inlined.", "",
        "| | " + " | ".join(f"{test}: {TESTS[test]}" for test in tests) + " |", "|---|" + "---|" * len(tests),
        "| **all** | " + " | ".join(f"**{rows[test]['value']:,.0f}**" for test in tests) + " |",
    ]
    for key in areas:
        if max(rows[test]["areas"].get(key, 0) / rows[test]["value"] for test in tests) > smallest:
            lines.append(f"| {key} | " + " | ".join(f"{rows[test]['areas'].get(key, 0):,.0f}" for test in tests) + " |")
    if kernel:
        lines += ["", "| kernel | " + " | ".join(tests) + " |", "|---|" + "---|" * len(tests)]
        lines.append("| page faults | " + " | ".join(f"{kernel[test]['faults']:.2f}" for test in tests) + " |")
        calls = sorted({name for row in kernel.values() for name in row.get("calls", {})},
                       key=lambda name: -max(row.get("calls", {}).get(name, 0) for row in kernel.values()))
        for name in calls:
            if max(row.get("calls", {}).get(name, 0) for row in kernel.values()) >= 0.02:
                lines.append(f"| {name} | " + " | ".join(
                    f"{kernel[test].get('calls', {}).get(name, 0):.2f}" for test in tests) + " |")
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--neap", type=pathlib.Path, required=True)
    parser.add_argument("--tools", type=pathlib.Path, required=True)
    parser.add_argument("--tests", default="ABPC")
    parser.add_argument("--idle", type=float, default=5, help="seconds for which the idle gateway is counted")
    parser.add_argument("--functions", type=int, default=0, help="prints so many of each test's dearest functions")
    parser.add_argument("--keep", type=pathlib.Path, help="keeps callgrind's files there")
    parser.add_argument("--no-kernel", action="store_true", help="without system calls and page faults")
    parser.add_argument("--output", type=pathlib.Path, default=bench.HERE / "RESULTS-instructions.md")
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="neap-instructions-"))
    count = Count(options, folder)
    try:
        rows = count.measure_instructions()
        for test, row in rows.items() if options.functions else ():
            print(f"\n{test}")
            for name, cost in sorted(row["functions"].items(), key=lambda pair: -pair[1])[: options.functions]:
                print(f"{cost:10.0f} {name}")
        text = report(rows, {} if options.no_kernel else count.measure_kernel())
        options.output.write_text(text)
        print(text)
    finally:
        count.close()
        if options.keep:
            options.keep.mkdir(parents=True, exist_ok=True)
            for file in folder.glob("callgrind.out*"):
                shutil.copy(file, options.keep)
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
