"""The binary as it is installed: not root, nothing writable but its data folder."""

import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest
from neaptest.processes import ROOT, binary, get, post

MODEL = "tiny"
NOBODY = 65534


def test_it_serves_as_nobody_from_a_read_only_tree(own_world, tmp_path):
    """A private mount namespace makes every file system read-only but the data folder, then drops to `nobody`."""
    if os.geteuid() != 0 or not shutil.which("unshare") or not shutil.which("setpriv"):
        pytest.skip("needs root, unshare and setpriv")
    if subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode != 0:
        pytest.skip("mount namespaces are not allowed here")
    engine = own_world.engine(model=MODEL)
    # Folders of tests are private to their user; the installed binary stands where everybody can reach it.
    home = pathlib.Path(tempfile.mkdtemp(prefix="neap-", dir="/tmp"))
    home.chmod(0o755)
    data = home / "data"
    data.mkdir(parents=True)
    os.chown(data, NOBODY, NOBODY)
    shutil.copy(binary(), home / "neap")
    script = (
        "mount --make-rprivate / && mount --bind {data} {data} && "
        # Every other mount becomes read-only; those of the kernel itself stay as they are.
        "for point in $(findmnt --raw --noheadings --output TARGET | sort -r); do "
        'case "$point" in /proc*|/sys*|/dev*|{data}) ;; *) mount --options remount,bind,ro "$point" || true;; esac; done && '
        "exec setpriv --reuid {uid} --regid {uid} --clear-groups --no-new-privs -- {home}/neap \"$@\""
    ).format(data=data, home=home, uid=NOBODY)
    try:
        gateway = own_world.gateway([engine.url], data=data, start=False)
        gateway.command = ["unshare", "--mount", "bash", "-c", script, "_", *gateway.command[1:]]
        gateway.start()
        status = pathlib.Path(f"/proc/{gateway.pid}/status").read_text()
        assert f"Uid:\t{NOBODY}\t{NOBODY}\t{NOBODY}\t{NOBODY}" in status
        mounts = pathlib.Path(f"/proc/{gateway.pid}/mounts").read_text().splitlines()
        root = [row.split() for row in mounts if row.split()[1] == "/"][-1]
        assert "ro" in root[3].split(","), root
        body = {"model": MODEL, "max_tokens": 3, "messages": [{"role": "user", "content": "Hello"}]}
        assert post(gateway.port, "/v1/chat/completions", body)[0] == 200
        assert get(gateway.port, "/v1/batches")[0] == 200
        assert gateway.terminate() == 0
        assert any(data.iterdir()), "the store was not written"
    finally:
        shutil.rmtree(home, ignore_errors=True)


def test_the_unit_file_is_well_formed():
    analyze = shutil.which("systemd-analyze")
    if not analyze:
        pytest.skip("systemd-analyze is not installed")
    check = subprocess.run(
        [analyze, "verify", str(ROOT / "packaging/neap.service")], capture_output=True, text=True, timeout=60
    )
    complaints = [row for row in check.stderr.splitlines() if "neap.service" in row and "not executable" not in row]
    assert complaints == []
