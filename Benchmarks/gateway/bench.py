"""CPU per request and per streamed chunk of the gateway beside nginx and Envoy, and memory per open stream.

Every proxy gets the same load in turn, on loopback and free ports, in front of the same four mock engines; its CPU is
user + system time of its own process tree. Rates and latencies depend on what else the machine does; CPU per request
is the figure to compare, and the lowest slice of all rounds is reported beside the median, because noise only adds.
"""

import argparse
import datetime
import http.client
import json
import os
import pathlib
import platform
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
CHAT = "/v1/chat/completions"
ENGINES = 4
TESTS = {
    "A": "1 KB request, 600 B answer, 64 connections: µs CPU per request",
    "B": "16 KB request, 600 B answer, 64 connections: µs CPU per request",
    "C": "256 streams, a 200 B chunk each 20 ms: µs CPU per chunk",
    "D": "64 streams, 500 chunks each, unpaced: µs CPU per chunk",
    "E": "2,000 open streams, a chunk each 500 ms: KB of memory per stream",
    "P": "220 KB request, 600 B answer, 16 connections: µs CPU per request",
}
WRK = {"A": (1024, 64), "B": (16 * 1024, 64), "P": (220 * 1024, 16)}
# What the figures are held against: (test, peer, largest allowed ratio of the gateway's figure to the peer's).
RATIOS = [("A", "nginx", 1.6), ("A", "envoy", 0.75), ("B", "nginx", 1.6), ("C", "nginx", 1.4), ("D", "nginx", 2.0)]
LIMITS = [("E", 40.0, "KB per open stream"), ("P", 500.0, "µs CPU per request")]


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now, all different."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def tree(root: int) -> list[int]:
    """A process and its descendants."""
    found = [root]
    for pid in found:
        for task in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
            found += [int(child) for child in task.read_text().split()]
    return found


def cpu_and_memory(root: int) -> tuple[float, int]:
    """CPU seconds and resident KB of a process tree."""
    ticks, pages = 0, 0
    for pid in tree(root):
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
        pages += int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1])
    return ticks / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE") // 1024


def status_of(port: int) -> int:
    body = b'{"model":"mock","messages":[{"role":"user","content":"hi"}]}'
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("POST", CHAT, body, {"content-type": "application/json"})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()


class Bench:
    def __init__(self, options: argparse.Namespace, folder: pathlib.Path):
        self.options, self.folder = options, folder
        self.children: list[subprocess.Popen] = []
        ports = free_ports(ENGINES + 1)
        self.engines, self.direct = ports[:-1], ports[-1]
        for port in self.engines:
            self.spawn(f"mock-{port}", [str(options.tools / "mock"), str(port), str(self.direct)])
        self.figures: dict[str, dict[str, list[dict]]] = {}

    def spawn(self, name: str, command: list[str]) -> subprocess.Popen:
        with open(self.folder / f"{name}.log", "wb") as log:
            child = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        self.children.append(child)
        return child

    def stop(self, child: subprocess.Popen) -> None:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(10)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        self.children.remove(child)

    def close(self) -> None:
        for child in list(self.children):
            self.stop(child)

    # Proxies

    def fill(self, template: str, port: int, engines: str) -> str:
        text = (HERE / "conf" / template).read_text()
        text = text.replace("@PORT@", str(port)).replace("@FOLDER@", str(self.folder)).replace("@ENGINES@", engines)
        path = self.folder / template
        path.write_text(text)
        return str(path)

    def command(self, name: str, port: int) -> list[str]:
        if name == "nginx":
            engines = "\n".join(f"        server 127.0.0.1:{engine};" for engine in self.engines)
            return [self.options.nginx, "-c", self.fill("nginx.conf", port, engines), "-p", str(self.folder)]
        if name == "envoy":
            line = "        - endpoint: {{ address: {{ socket_address: {{ address: 127.0.0.1, port_value: {} }} }} }}"
            engines = "\n".join(line.format(engine) for engine in self.engines)
            config = self.fill("envoy.yaml", port, engines)
            return [self.options.envoy, "-c", config, "--concurrency", "1", "--disable-hot-restart", "-l", "warning"]
        engines = "\n".join(f"      - url: http://127.0.0.1:{engine}" for engine in self.engines)
        config = self.fill("neap.yaml", port, engines)
        data = str(self.folder / "data")
        return [
            str(self.options.neap), "serve", "--config", config, "--port", str(port), "--data", data,
            "--event-loops", "1",
        ]

    def start(self, name: str) -> tuple[subprocess.Popen, int]:
        (port,) = free_ports(1)
        child = self.spawn(name, self.command(name, port))
        for _ in range(300):
            if status_of(port) == 200:
                return child, port
            if child.poll() is not None:
                break
            time.sleep(0.1)
        log = (self.folder / f"{name}.log").read_text()[-2000:]
        raise RuntimeError(f"{name} never answered: {log}")

    # Loads

    def wrk(self, test: str, port: int, root: int | None, seconds: int) -> dict:
        size, connections = WRK[test]
        before = cpu_and_memory(root)[0] if root else 0
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", str(HERE / "post.lua")]
        run = subprocess.run(
            [*command, f"http://127.0.0.1:{port}{CHAT}"], env={**os.environ, "BYTES": str(size)}, capture_output=True,
            text=True, timeout=seconds + 60, check=True,
        )
        row = json.loads(run.stdout.splitlines()[-1])
        after = cpu_and_memory(root)[0] if root else 0
        row["value"] = (after - before) * 1e6 / max(row["requests"], 1)
        row["rate"] = row["requests"] / row["window_s"]
        return row

    def streams(self, test: str, port: int, root: int | None, seconds: int) -> dict:
        settings = {
            "C": ["-c", "256", "-n", "100", "-d", "20", "-r", "2", "-t", str(seconds)],
            "D": ["-c", "64", "-n", "500", "-r", "1", "-t", str(seconds)],
            "E": ["-c", "2000", "-n", "100000", "-d", "500", "-b", "1024", "-r", "5", "-t", "6"],
        }[test]
        command = [str(self.options.tools / "sse_load"), "-p", str(port), *settings]
        if root:
            command += ["-P", str(root)]
        run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        row = json.loads(run.stdout)
        row["value"], row["rate"] = row["us_per_chunk"], row["chunks_per_s"]
        row["errors"] += row["bad_order"]
        return row

    def measure(self, name: str) -> None:
        child, port = self.start(name)
        try:
            idle = cpu_and_memory(child.pid)[1]
            if "A" in self.options.tests:
                self.wrk("A", port, child.pid, 1)  # connections and caches warm
            for test in self.options.tests:
                load = self.wrk if test in WRK else self.streams
                row = load(test, port, child.pid, self.options.seconds)
                row["idle_kb"] = idle
                if test == "E":
                    row["value"] = (row["rss_end_kb"] - idle) / max(row["open_end"], 1)
                self.figures.setdefault(name, {}).setdefault(test, []).append(row)
                print(f"{name:6} {test} {row['value']:9.2f}  rate {row['rate']:9.0f}  errors {row['errors']}", flush=True)
        finally:
            self.stop(child)

    def direct_delays(self) -> dict[str, dict]:
        """The same load without a proxy, for the delay that a proxy adds."""
        return {
            test: (self.wrk if test in WRK else self.streams)(test, self.direct, None, 2)
            for test in self.options.tests if test in ("A", "C")
        }


def best(rows: list[dict]) -> float:
    return min(row["value"] for row in rows)


def report(bench: Bench, direct: dict[str, dict]) -> str:
    options, figures = bench.options, bench.figures
    load = os.getloadavg()[0]
    cpu = next((row.split(":")[1].strip() for row in open("/proc/cpuinfo") if row.startswith("model name")), "?")
    lines = [
        "# CPU and memory of the data path",
        "",
        f"{datetime.date.today()}, {os.cpu_count()} cores ({cpu}), Linux {platform.release()}, load average {load:.1f}.",
        f"Command: `make bench` ({options.rounds} rounds, {options.seconds} s each). One event loop, one worker of nginx "
        "and of Envoy. The gateway picks endpoints, keeps its prefix index and writes its access log; nginx and Envoy "
        "write a JSON access log to a file. Lowest slice of all rounds (median in brackets).",
        "",
        "| test | " + " | ".join(figures) + " |",
        "|---|" + "---|" * len(figures),
    ]
    for test in options.tests:
        cells = []
        for name in figures:
            values = [row["value"] for row in figures[name].get(test, [])]
            cells.append(f"{min(values):.1f} ({statistics.median(values):.1f})" if values else "–")
        lines.append(f"| {test}: {TESTS[test]} | " + " | ".join(cells) + " |")
    lines += ["", "| held against | figure | allowed | |", "|---|---|---|---|"]
    ours = figures.get("neap", {})
    for test, peer, allowed in RATIOS:
        if ours.get(test) and figures.get(peer, {}).get(test):
            ratio = best(ours[test]) / best(figures[peer][test])
            lines.append(f"| {test} / {peer} | {ratio:.2f} × | {allowed} × | {'yes' if ratio <= allowed else 'no'} |")
    for test, allowed, unit in LIMITS:
        if ours.get(test):
            value = best(ours[test])
            lines.append(f"| {test} | {value:.0f} {unit} | {allowed:.0f} | {'yes' if value <= allowed else 'no'} |")
    lines += ["", "| added delay, ms | " + " | ".join(figures) + " |", "|---|" + "---|" * len(figures)]
    if "A" in direct:
        cells = [f"{(min(r['p50_us'] for r in figures[n]['A']) - direct['A']['p50_us']) / 1e3:.2f}" for n in figures]
        lines.append("| A, p50 | " + " | ".join(cells) + " |")
    for quantile in ("p50", "p99") if "C" in direct else ():
        base = direct["C"]["delay_us"][quantile]
        cells = [f"{(min(r['delay_us'][quantile] for r in figures[n]['C']) - base) / 1e3:.2f}" for n in figures]
        lines.append(f"| C, per chunk, {quantile} | " + " | ".join(cells) + " |")
    errors = {name: sum(row["errors"] for rows in tests.values() for row in rows) for name, tests in figures.items()}
    lines += ["", "Errors: " + ", ".join(f"{name} {count}" for name, count in errors.items()) + ".", ""]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--neap", type=pathlib.Path, required=True)
    parser.add_argument("--tools", type=pathlib.Path, required=True)
    parser.add_argument("--nginx")
    parser.add_argument("--envoy")
    parser.add_argument("--tests", default="ABCDPE", help="which tests, in order; E last: memory is never given back")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=5)
    parser.add_argument("--output", type=pathlib.Path, default=HERE / "RESULTS.md")
    options = parser.parse_args()
    if not shutil.which("wrk"):
        sys.exit("wrk is needed: make bench installs it")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="neap-bench-"))
    names = ["neap"] + [name for name in ("nginx", "envoy") if getattr(options, name)]
    for name in {"nginx", "envoy"} - set(names):
        print(f"{name} is not here: left out")
    bench = Bench(options, folder)
    try:
        direct = bench.direct_delays()
        for _ in range(options.rounds):
            for name in names:
                bench.measure(name)
        text = report(bench, direct)
        options.output.write_text(text)
        print(text)
    finally:
        bench.close()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
