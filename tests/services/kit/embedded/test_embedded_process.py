"""Children of a home: ready or reported, stopped or killed, and never confused with strangers."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from services.kit.embedded import EngineFailed, Home
from services.kit.embedded.process import ChildProcess, Identity, end_stale

SLEEPS = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)",
]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with Home(tmp_path / "home") as opened:
        yield opened


@pytest.fixture
def stranger() -> Iterator["subprocess.Popen[bytes]"]:
    """A process that runs the recorded command and was not started by a home."""
    with subprocess.Popen(SLEEPS, stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        yield process
        process.kill()


def says_up(child: ChildProcess):
    async def probe() -> bool:
        return "up" in child.log.read_text()

    return probe


async def never() -> bool:
    return False


def record_of(identity: Identity, path: Path) -> Path:
    path.write_text(
        json.dumps(
            {"pid": identity.pid, "started": identity.started, "boot": identity.boot, "command": identity.command}
        )
    )
    return path


async def test_a_stopped_child_is_gone_and_leaves_no_record(home: Home):
    child = ChildProcess(home, "engine")
    child.start(SLEEPS, cwd=home.path)
    await child.wait_ready(says_up(child))
    pid = child.pid
    assert os.getsid(pid) != os.getsid(0), "Ctrl-C would reach the engine before the server has drained"
    child.stop()
    assert not psutil.pid_exists(pid)
    assert not child.running
    assert list((home.path / "run").iterdir()) == []
    child.stop()


async def test_a_child_that_ignores_the_request_to_stop_is_killed(home: Home):
    child = ChildProcess(home, "engine")
    child.start(STUBBORN, cwd=home.path)
    await child.wait_ready(says_up(child))
    pid = child.pid
    child.stop(within=0.2)
    assert not psutil.pid_exists(pid)


async def test_a_child_that_ends_by_itself_is_reported_with_its_last_words(home: Home):
    child = ChildProcess(home, "engine")
    child.start([sys.executable, "-c", "raise SystemExit('the store is damaged')"], cwd=home.path)
    with pytest.raises(EngineFailed, match=r"engine ended with status 1(?s:.)*the store is damaged"):
        await child.wait_ready(never)
    child.stop()


async def test_a_child_that_never_gets_ready_is_reported(home: Home):
    child = ChildProcess(home, "engine")
    child.start(SLEEPS, cwd=home.path)
    with pytest.raises(EngineFailed, match=r"not ready within 0\.3 s"):
        await child.wait_ready(never, within=0.3)
    child.stop()


async def test_a_child_is_not_started_from_a_thread_that_would_take_it_along(home: Home):
    child = ChildProcess(home, "engine")
    with pytest.raises(RuntimeError, match="main thread"):
        await asyncio.to_thread(child.start, SLEEPS, home.path)
    assert not child.running


def test_settings_and_secrets_of_the_server_are_not_handed_to_a_child(home: Home):
    names = "from services.kit.embedded import Home; from services.kit.embedded.process import ChildProcess\n"
    parent = names + (
        "import sys, pathlib\n"
        f"child = ChildProcess(Home({str(home.path.with_name('other'))!r}), 'engine')\n"
        "child.start([sys.executable, '-c', 'import os; print(sorted(os.environ))'], pathlib.Path('.'))\n"
        "child._process.wait(); print(child.log.read_text())"
    )
    environment = {**os.environ, "COHORT_RAZORPAY_SECRET": "x", "LANG": "C.UTF-8"}
    seen = subprocess.run([sys.executable, "-c", parent], env=environment, capture_output=True, text=True, check=True)
    assert "LANG" in seen.stdout
    assert "COHORT_" not in seen.stdout


def test_a_child_left_by_a_killed_parent_is_ended_before_the_next_start(
    home: Home, stranger: "subprocess.Popen[bytes]"
):
    left = Identity.of(stranger.pid, SLEEPS)
    assert left
    record_of(left, home.folder("run") / "engine.json")
    child = ChildProcess(home, "engine")
    child.start(SLEEPS, cwd=home.path)
    assert stranger.wait(5) == -signal.SIGTERM
    child.stop()


def test_a_stubborn_child_left_by_a_killed_parent_is_killed(tmp_path: Path):
    with subprocess.Popen(STUBBORN, stdout=subprocess.PIPE) as left:
        assert left.stdout
        left.stdout.readline()
        identity = Identity.of(left.pid, STUBBORN)
        assert identity
        end_stale(record_of(identity, tmp_path / "engine.json"), within=0.2)
        assert left.wait(5) == -signal.SIGKILL


@pytest.mark.parametrize("different", ["started", "boot", "command"])
def test_a_stranger_with_the_recorded_number_is_left_alone(
    tmp_path: Path, stranger: "subprocess.Popen[bytes]", different: str
):
    real = Identity.of(stranger.pid, SLEEPS)
    assert real
    changed = {
        "started": Identity(real.pid, real.started - 1, real.boot, real.command),
        "boot": Identity(real.pid, real.started, "another-boot", real.command),
        "command": Identity(real.pid, real.started, real.boot, ("/usr/bin/valkey-server", "--port", "0")),
    }[different]
    end_stale(record_of(changed, tmp_path / "engine.json"))
    assert stranger.poll() is None


@pytest.mark.parametrize(
    "record", ["", "{", "[]", '{"pid": 1}', '{"pid": "1", "started": 1, "boot": "", "command": []}']
)
def test_an_unreadable_record_ends_nobody(tmp_path: Path, record: str):
    (tmp_path / "engine.json").write_text(record)
    end_stale(tmp_path / "engine.json")
    assert (tmp_path / "engine.json").read_text() == record
