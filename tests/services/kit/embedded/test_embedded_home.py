"""The home folder: one owner at a time, and nothing in it is ever repaired or deleted."""

import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from services.kit.embedded import Home, HomeBroken, HomeInUse


def contents(folder: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in sorted(folder.rglob("*"))
    }


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_home_is_made_for_its_owner_alone_and_says_its_layout(tmp_path: Path):
    with Home(tmp_path / "deep" / "home") as home:
        assert mode(home.path) == 0o700
        assert mode(home.folder("documents")) == 0o700
        assert json.loads((home.path / "cohort-home.json").read_text()) == {"product": "cohort", "layout": 1}


def test_a_closed_home_opens_again_with_everything_in_it(tmp_path: Path):
    with Home(tmp_path / "home") as home:
        (home.folder("documents") / "kept").write_text("data")
    with Home(tmp_path / "home") as home:
        assert (home.folder("documents") / "kept").read_text() == "data"


def test_a_second_instance_is_refused_and_told_who_holds_the_home(tmp_path: Path):
    with Home(tmp_path / "home") as home:
        home.announce("http://127.0.0.1:8765")
        before = contents(home.path)
        second = f"from services.kit.embedded import Home; Home({str(home.path)!r})"
        refused = subprocess.run([sys.executable, "-c", second], capture_output=True, text=True, check=False)
        assert refused.returncode != 0
        sentence = refused.stderr.splitlines()[-1]
        for fact in ("HomeInUse", str(home.path), f"process {os.getpid()}", "http://127.0.0.1:8765", "COHORT_HOME"):
            assert fact in sentence
        assert contents(home.path) == before


def test_a_second_home_in_the_same_process_is_refused_as_well(tmp_path: Path):
    with Home(tmp_path / "home"), pytest.raises(HomeInUse) as refused:
        Home(tmp_path / "home")
    assert refused.value.holder.pid == os.getpid()
    assert refused.value.holder.url is None


def test_a_home_whose_holder_was_killed_opens_at_once(tmp_path: Path):
    path = str(tmp_path / "home")
    code = f"import os; from services.kit.embedded import Home; h = Home({path!r}); os.kill(os.getpid(), 9)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    Home(tmp_path / "home").close()


def test_a_foreign_folder_is_refused_and_untouched(tmp_path: Path):
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "one.txt").write_text("dear")
    tmp_path.chmod(0o755)
    before = contents(tmp_path)
    with pytest.raises(HomeBroken, match=r"not a Cohort home: it holds letters but no cohort-home\.json") as refused:
        Home(tmp_path)
    assert refused.value.path == tmp_path
    assert contents(tmp_path) == before
    assert mode(tmp_path) == 0o755


@pytest.mark.parametrize(
    ("marker", "says"),
    [
        (b"", "damaged or half written"),
        (b'{"product": "coh', "damaged or half written"),
        (b"\xff\xfe\x00", "damaged or half written"),
        (b"[1]", "damaged or half written"),
        (b'{"product": "cohort", "layout": "1"}', "damaged or half written"),
        (b'{"product": "other", "layout": 1}', "damaged or half written"),
        (b'{"product": "cohort", "layout": 0}', "damaged or half written"),
        (b'{"product": "cohort", "layout": 2}', "layout 2, written by a newer Cohort"),
    ],
)
def test_a_half_written_or_newer_marker_is_named_and_untouched(tmp_path: Path, marker: bytes, says: str):
    (tmp_path / "cohort-home.json").write_bytes(marker)
    (tmp_path / "documents").mkdir()
    before = contents(tmp_path)
    with pytest.raises(HomeBroken, match=says) as refused:
        Home(tmp_path)
    assert refused.value.path == tmp_path / "cohort-home.json"
    assert contents(tmp_path) == before


def test_a_home_killed_while_being_made_is_made_anew(tmp_path: Path):
    (tmp_path / "lock").write_bytes(b'{"pid"')
    (tmp_path / "cohort-home.json.new").write_bytes(b'{"product"')
    with Home(tmp_path) as home:
        assert sorted(path.name for path in home.path.iterdir()) == ["cohort-home.json", "lock"]


def test_a_file_in_the_place_of_the_home_is_named(tmp_path: Path):
    (tmp_path / "home").write_text("not a folder")
    with pytest.raises(HomeBroken, match="is a file, not a folder"):
        Home(tmp_path / "home")
    assert (tmp_path / "home").read_text() == "not a folder"


def test_a_secret_is_drawn_once_and_read_by_its_owner_alone(tmp_path: Path):
    with Home(tmp_path / "home") as home:
        first = home.secret("jwt")
        assert len(first) == 32
        assert home.secret("jwt") == first
        assert home.secret("webhook") != first
    with Home(tmp_path / "home") as home:
        assert home.secret("jwt") == first
        assert mode(home.path / "secrets" / "jwt") == 0o600
        assert mode(home.path / "secrets") == 0o700


def test_threads_that_ask_at_once_get_the_same_secret(tmp_path: Path):
    with Home(tmp_path / "home") as home:
        together, drawn = threading.Barrier(8), []

        def ask() -> None:
            together.wait()
            drawn.append(home.secret("jwt"))

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(drawn) == 8
        assert len(set(drawn)) == 1


def test_a_cut_secret_is_named_and_not_replaced(tmp_path: Path):
    with Home(tmp_path / "home") as home:
        home.secret("jwt")
        cut = home.path / "secrets" / "jwt"
        cut.write_bytes(b"short")
        with pytest.raises(HomeBroken, match="holds 5 bytes where a secret of 32 is expected") as refused:
            home.secret("jwt")
        assert refused.value.path == cut
        assert cut.read_bytes() == b"short"


@pytest.mark.parametrize("name", ["../jwt", "", "/etc/passwd", ".hidden", "a/b"])
def test_a_name_cannot_lead_out_of_the_home(tmp_path: Path, name: str):
    with Home(tmp_path / "home") as home, pytest.raises(ValueError, match="is not a name"):
        home.secret(name)


def test_a_socket_of_a_long_home_lives_in_a_private_short_folder(tmp_path: Path):
    long = tmp_path / ("h" * 100)
    with Home(long) as home:
        path = home.socket_path("valkey.sock")
        assert len(os.fsencode(path)) <= 107
        assert mode(path.parent) == 0o700
    assert not path.parent.exists()
    with Home(long) as home:
        assert home.socket_path("valkey.sock") == path


def test_a_socket_of_a_short_home_lives_in_it(tmp_path: Path):
    with Home(tmp_path / "h") as home:
        assert home.socket_path("valkey.sock") == tmp_path / "h" / "valkey.sock"
