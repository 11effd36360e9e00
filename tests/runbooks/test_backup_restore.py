"""docs/runbooks/backup-restore.md, step by step: dumped while it is written to, restored elsewhere, made to forget."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from infra.embedded import EmbeddedPostgres
from tests.eventually import eventually
from tests.infra.cli.process import Up, chobo, running
from tests.infra.stored import execute
from tests.runbooks.shell import Runbook

PASSWORD = "correct horse"
RUNBOOK = "backup-restore.md"


def register(up: Up, name: str) -> str:
    person = {"email": f"{name}@example.com", "password": PASSWORD, "name": name}
    answer = httpx.post(f"{up.address}/v1/users", json=person, timeout=30)
    answer.raise_for_status()
    return str(answer.json()["id"])


def sign_in(up: Up, name: str) -> httpx.Response:
    return httpx.post(
        f"{up.address}/v1/sessions", json={"email": f"{name}@example.com", "password": PASSWORD}, timeout=30
    )


def erase(up: Up, name: str, id: str) -> None:
    token = sign_in(up, name).json()["accessToken"]
    headers = {"Authorization": f"Bearer {token}"}
    version = httpx.get(f"{up.address}/v1/users/{id}", headers=headers).json()["version"]
    headers |= {"If-Match": f'"{version}"', "Idempotency-Key": f"erase-{name}"}
    httpx.post(f"{up.address}/v1/users/{id}/erase", json={}, headers=headers, timeout=30).raise_for_status()


@contextmanager
def writers(up: Up) -> Iterator[None]:
    """Somebody registers all the time."""
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            register(up, f"writer-{number}")
            number += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def readiness(up: Up) -> httpx.Response:
    return httpx.get(f"{up.address}/readyz")


def is_erased(database: str, id: str) -> bool:
    return execute(database, "SELECT wrapped IS NULL FROM users.keys WHERE user_id = %s", id) == [(True,)]


def head(database: str) -> int:
    [(position,)] = execute(database, "SELECT max(notification_id) FROM users.stored_events")
    return int(position)


def replayed(database: str) -> bool:
    """No read model is being built, and all are followed to the end."""
    behind = "SELECT count(*) FROM projections.checkpoints WHERE status <> 'RUNNING' OR floor < head"
    return execute(database, behind) == [(0,)]


@pytest.mark.full("processes")
@pytest.mark.timeout(600)
def test_a_dump_restored_elsewhere_forgets_and_is_built_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    data, backup = tmp_path / "data", tmp_path / "backup"
    backup.mkdir()
    with EmbeddedPostgres(tmp_path / "old") as old, EmbeddedPostgres(tmp_path / "new") as new:
        monkeypatch.setenv("CHOBO_DATA", str(data))
        monkeypatch.setenv("CHOBO_DATABASE_URL", old.conninfo())
        book = Runbook(RUNBOOK, {"BACKUP": str(backup), "NEW_DATABASE_URL": new.conninfo()})
        book.run("")  # where the tools are
        with running(data) as up:
            mia, ned = register(up, "mia"), register(up, "ned")
            with writers(up):
                eventually(lambda: head(old.conninfo()) > 40)
                book.run("dump")
            erase(up, "ned", ned)
            last = register(up, "late")
            assert up.stop() == 0
        assert is_erased(old.conninfo(), ned)

        book.run("restore")
        monkeypatch.setenv("CHOBO_DATABASE_URL", new.conninfo())
        assert 40 < head(new.conninfo()) < head(old.conninfo())
        assert not is_erased(new.conninfo(), ned)  # the backup knows him still
        book.run("incarnations")
        book.run("verify")
        book.run("todo")
        with running(data) as up:
            assert is_erased(new.conninfo(), ned)
            assert not is_erased(new.conninfo(), mia)
            assert execute(new.conninfo(), "SELECT count(*) FROM users.keys WHERE user_id = %s", last) == [(0,)]
            assert sign_in(up, "mia").status_code == 200
            register(up, "after")
            eventually(lambda: readiness(up).status_code == 503)
            assert "is STOPPED" in readiness(up).text
            assert "incarnation" in book.run("models")
            book.run("replay")
            eventually(lambda: readiness(up).status_code == 200)
            eventually(lambda: replayed(new.conninfo()))
            book.run("verify-models")
            shown = execute(new.conninfo(), "SELECT email FROM reads.users ORDER BY created_at")
            assert ("mia@example.com",) in shown
            assert ("after@example.com",) in shown
            assert ("ned@example.com",) not in shown


@pytest.mark.timeout(200)
def test_the_files_of_a_running_server_are_a_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    data, backup = tmp_path / "data", tmp_path / "backup"
    backup.mkdir()
    book = Runbook(RUNBOOK, {"BACKUP": str(backup), "NEW_DATA": str(tmp_path / "new"), "CHOBO_DATA": str(data)})
    book.run("")
    with running(data) as up:
        register(up, "mia")
        book.environment["CHOBO_DATABASE_URL"] = EmbeddedPostgres(data).conninfo()
        with writers(up):
            book.run("files")
        (data / "erasures.jsonl").touch()
        assert up.stop() == 0
    book.run("files-restore")
    with running(tmp_path / "new") as up:
        assert sign_in(up, "mia").status_code == 200
        checked = chobo("verify", "log", "--data", str(tmp_path / "new"))
        assert checked.returncode == 0, checked.stdout


def test_every_block_of_the_page_is_run_by_a_test():
    here = Path(__file__).read_text()
    titles = Runbook(RUNBOOK, {"BACKUP": ""}).titles
    assert len(titles) > 5
    assert not [title for title in titles if f'"{title}"' not in here]
