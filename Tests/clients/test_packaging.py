"""The binary as it is installed: not root, nothing writable but its data folder."""

import io
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

import openai
import pytest
from neaptest.processes import ROOT, binary, free_port, get, request, samples

MODEL = "tiny"
CHAT = "/v1/chat/completions"
NOBODY = 65534
LINES = 300
# A private mount namespace in which every file system is read-only but the data folder, then `nobody` without any right.
# What the kernel itself serves stays as it is. ARGS: data folder, user id, program, its arguments.
SANDBOX = """
set -e
mount --make-rprivate /
mount --bind "$1" "$1"
findmnt --raw --noheadings --output TARGET | sort --unique | while read -r point; do
    case "$point" in /proc | /proc/* | /sys | /sys/* | /dev | /dev/* | "$1") continue ;; esac
    mount --options remount,bind,ro "$point"
done
user=$2
shift 2
exec setpriv --reuid "$user" --regid "$user" --clear-groups --no-new-privs --bounding-set=-all -- "$@"
"""


def sandboxed(data: pathlib.Path, command: list[str]) -> list[str]:
    return ["unshare", "--mount", "bash", "-c", SANDBOX, "_", str(data), str(NOBODY), *command]


@pytest.fixture
def installed():
    """The program and an empty data folder where `nobody` reaches them: folders of tests are private to their user."""
    if os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("setpriv"):
        pytest.skip("needs root, unshare and setpriv")
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode != 0:
        pytest.skip("mount namespaces are not allowed here")
    home = pathlib.Path(tempfile.mkdtemp(prefix="neap-", dir="/tmp"))
    home.chmod(0o755)
    (home / "data").mkdir()
    os.chown(home / "data", NOBODY, NOBODY)
    shutil.copy(binary(), home / "neap")
    yield home
    shutil.rmtree(home)


def test_the_sandbox_holds(installed):
    """Without this the test below could pass in a sandbox that keeps nothing out."""
    # Both would let anybody write if their file system did.
    for place in ("/tmp", "/var/tmp"):
        tried = subprocess.run(
            sandboxed(installed / "data", ["touch", f"{place}/neap-sandbox"]), capture_output=True, text=True, timeout=30
        )
        assert tried.returncode != 0 and "Read-only file system" in tried.stderr, (place, tried)
    written = subprocess.run(sandboxed(installed / "data", ["touch", str(installed / "data/mine")]), timeout=30)
    assert written.returncode == 0
    assert (installed / "data/mine").stat().st_uid == NOBODY


def writable_files(pid: int) -> set[str]:
    """Files that the process holds open for writing; its standard streams came from outside."""
    found = set()
    for entry in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = os.readlink(entry)
            about = pathlib.Path(f"/proc/{pid}/fdinfo/{entry.name}").read_text().splitlines()
        except OSError:
            continue  # closed meanwhile
        flags = int(next(row for row in about if row.startswith("flags:")).split()[1], 8)
        if int(entry.name) > 2 and target.startswith("/") and flags & (os.O_WRONLY | os.O_RDWR):
            found.add(target)
    return {path for path in found if not path.startswith("/dev/")}


def test_it_serves_as_nobody_from_a_read_only_tree(own_world, installed):
    engine = own_world.engine(model=MODEL)
    data = installed / "data"
    gateway = own_world.gateway([engine.url], data=data, start=False)
    gateway.command = sandboxed(data, [str(installed / "neap"), *gateway.command[1:]])
    gateway.start()
    status = dict(
        row.split(":\t", 1) for row in pathlib.Path(f"/proc/{gateway.pid}/status").read_text().splitlines() if ":\t" in row
    )
    assert status["Uid"].split() == status["Gid"].split() == [str(NOBODY)] * 4
    assert status["NoNewPrivs"] == "1"
    assert int(status["CapEff"], 16) == int(status["CapPrm"], 16) == int(status["CapBnd"], 16) == 0

    client = openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="none", max_retries=0, timeout=60)
    message = [{"role": "user", "content": "Hello"}]
    assert client.chat.completions.create(model=MODEL, max_tokens=3, messages=message).choices[0].message.content
    assert get(gateway.port, "/")[0] == 200
    lines = [
        {"custom_id": f"line-{n}", "method": "POST", "url": CHAT, "body": {"model": MODEL, "max_tokens": 3, "messages": message}}
        for n in range(LINES)
    ]
    file = client.files.create(file=("b.jsonl", io.BytesIO("\n".join(map(json.dumps, lines)).encode())), purpose="batch")
    batch = client.batches.create(input_file_id=file.id, endpoint=CHAT, completion_window="24h")
    for _ in range(600):
        if (batch := client.batches.retrieve(batch.id)).status == "completed":
            break
        time.sleep(0.1)
    assert batch.status == "completed", batch
    rows = [json.loads(row) for row in client.files.content(batch.output_file_id).text.splitlines()]
    assert sorted(row["custom_id"] for row in rows) == sorted(line["custom_id"] for line in lines)
    assert samples(gateway.port)["neap_store_healthy"] == 1
    opened = writable_files(gateway.pid)
    assert opened and all(path.startswith(f"{data}/") for path in opened), opened
    assert request("DELETE", gateway.port, f"/v1/files/{file.id}")[0] == 200
    assert gateway.terminate() == 0
    assert all(path.stat().st_uid == NOBODY for path in data.rglob("*"))


def unit_lines() -> list[str]:
    return (ROOT / "packaging/neap.service").read_text().splitlines()


def test_the_unit_file_is_well_formed():
    analyze = shutil.which("systemd-analyze")
    if not analyze:
        pytest.skip("systemd-analyze is not installed")
    check = subprocess.run(
        [analyze, "verify", str(ROOT / "packaging/neap.service")], capture_output=True, text=True, timeout=60
    )
    complaints = [row for row in check.stderr.splitlines() if "neap.service" in row and "not executable" not in row]
    assert complaints == []


@pytest.mark.parametrize("source", ["neap.service", "Dockerfile"])
def test_the_command_that_is_installed_is_understood(source, tmp_path):
    """The very arguments of the unit and of the image, with files that are here and `check` instead of `serve`."""
    if source == "Dockerfile":
        text = (ROOT / "packaging/Dockerfile").read_text()
        arguments = json.loads(text[text.rindex("CMD [") + 4:])
    else:
        (start,) = [row for row in unit_lines() if row.startswith("ExecStart=")]
        arguments = start.split()[1:]
    assert arguments[0] == "serve"
    config, engine = tmp_path / "neap.yaml", f"http://127.0.0.1:{free_port()}"
    (tmp_path / "keys").write_text("")
    config.write_text(f"keys:\n  file: {tmp_path}/keys\nengines:\n  - {engine}\n")
    arguments[arguments.index("--config") + 1] = str(config)
    check = subprocess.run([binary(), "check", *arguments[1:]], capture_output=True, text=True, timeout=60)
    # Nothing listens there: an endpoint that does not answer is the only complaint.
    assert engine in check.stdout and "unreachable" in check.stdout, check
    assert check.stderr == "", check.stderr
