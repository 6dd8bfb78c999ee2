"""The demo of `make run`, as a person uses it."""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import threading

import openai
import pytest
from neaptest.processes import ROOT, binary, get

MODEL = "llama-3.1-8b"


class Demo:
    """`scripts/run.sh` in a process group of its own, up once it is made."""

    def __init__(self, folder: pathlib.Path, **settings: str):
        environment = {"NEAP_BINARY": binary(), "SPEED": "20", "PORT": "18480", "TMPDIR": str(folder), **settings}
        self.folder = folder
        self.child = subprocess.Popen(
            ["bash", str(ROOT / "scripts/run.sh")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, **environment}, start_new_session=True,
        )
        self.lines = []
        for row in self.child.stdout:
            self.lines.append(row)
            if row.startswith("Ctrl-C"):
                break
        self.text = "".join(self.lines)
        assert self.lines and self.lines[-1].startswith("Ctrl-C"), self.text
        self.port = int(re.search(r"127\.0\.0\.1:(\d+)/metrics", self.text)[1])
        self.processes = [int(pid) for pid in os.listdir("/proc") if pid.isdigit() and self.is_child(pid)]

    def is_child(self, pid: str) -> bool:
        try:
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            return False
        return int(fields[1]) == self.child.pid

    def ended(self) -> int:
        """Its exit code, once it is over and has left nothing behind."""
        code = self.child.wait(60)
        assert not [pid for pid in self.processes if pathlib.Path(f"/proc/{pid}").exists()], "it left processes"
        assert not list(self.folder.iterdir()), "it left its folder"
        return code

    def close(self) -> None:
        for pid in [self.child.pid, *self.processes]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.child.wait()


@pytest.fixture
def demo(tmp_path):
    made = []

    def start(name: str = "demo", **settings: str) -> Demo:
        folder = tmp_path / name
        folder.mkdir()
        made.append(Demo(folder, **settings))
        return made[-1]

    yield start
    for one in made:
        one.close()


def test_the_lines_it_prints_work(demo):
    """The very lines, run by a shell."""
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    running = demo()
    commands = [row.strip() for row in running.lines if re.match(r"  (curl|FILE|BATCH)", row)]
    assert len(commands) == 5, running.text
    chat, upload, create, status, download = commands
    streamed = subprocess.run(["bash", "-c", chat], capture_output=True, text=True, timeout=60).stdout
    assert "data: [DONE]" in streamed, streamed
    poll = f"for i in $(seq 300); do {status} | grep -q '\"status\": *\"completed\"' && break; sleep 0.1; done"
    script = "\n".join([upload, create, poll, download])
    result = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=120)
    rows = [json.loads(row) for row in result.stdout.splitlines()]
    assert sorted(row["custom_id"] for row in rows) == sorted(f"line-{number}" for number in range(1, 21)), result
    assert get(running.port, "/")[0] == 200
    running.child.send_signal(signal.SIGINT)
    assert running.ended() == 0


def test_a_second_one_takes_other_ports(demo):
    first, second = demo("first"), demo("second")
    assert first.port != second.port
    for one in (first, second):
        assert get(one.port, "/readyz")[0] == 200
    first.child.send_signal(signal.SIGINT)
    assert first.ended() == 0
    assert get(second.port, "/readyz")[0] == 200
    second.child.send_signal(signal.SIGINT)
    assert second.ended() == 0


def test_a_terminal_that_closes_leaves_nothing_running(demo):
    """The gateway takes a hang-up for a reload, and nobody reads what the script says any more."""
    running = demo()
    running.child.stdout.close()
    os.killpg(running.child.pid, signal.SIGHUP)
    running.ended()


def test_an_engine_that_dies_ends_it(demo):
    running = demo()
    engine = next(pid for pid in running.processes if b"engine" in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes())
    os.kill(engine, signal.SIGKILL)
    assert running.ended() == 1


def test_it_stops_under_an_endless_stream_and_an_open_page(demo):
    running = demo(SPEED="1", PROFILE="llama-3.1-8b-l4")
    client = openai.OpenAI(base_url=f"http://127.0.0.1:{running.port}/v1", api_key="none", max_retries=0)
    stream = client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": "x"}], max_tokens=16_000, stream=True,
        extra_body={"ignore_eos": True},
    )
    next(stream)
    reader = threading.Thread(target=lambda: pytest.raises(Exception, list, stream), daemon=True)
    reader.start()
    with socket.create_connection(("127.0.0.1", running.port)) as page:
        page.sendall(b"GET /admin/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert page.recv(64).startswith(b"HTTP/1.1 200")
        running.child.send_signal(signal.SIGTERM)
        assert running.ended() == 0
    reader.join(10)
    assert not reader.is_alive()
