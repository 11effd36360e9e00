"""`chobo up` comes up, stops in order, and comes up again whatever was done to it."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import suppress
from pathlib import Path

import httpx
import psutil

from tests.eventually import eventually
from tests.infra.cli.process import Up, chobo, running


def postmaster(data: Path) -> int:
    """0 while there is none."""
    try:
        return int((data / "postgres" / "postmaster.pid").read_text().split()[0])
    except FileNotFoundError:
        return 0


def ready(address: str) -> bool:
    return httpx.get(f"{address}/readyz").status_code == 200


def register(up: Up, name: str) -> bool:
    body = {"email": f"{name}@example.com", "password": "correct horse", "name": "Mia"}
    return httpx.post(f"{up.address}/v1/users", json=body, timeout=20).status_code == 201


def test_it_says_that_it_is_ready_and_stops_with_exit_code_0(empty_data):
    with running(empty_data) as up:
        assert httpx.get(f"{up.address}/healthz").json() == {"status": "ok"}
        assert httpx.get(f"{up.address}/readyz").json()["status"] == "ok"
        assert up.stop() == 0


def test_it_shows_the_metrics_of_all_its_duties(data):
    with running(data) as up:
        register(up, "mia")

        def seen() -> bool:
            text = httpx.get(f"{up.address}/metrics").text
            wanted = ("chobo_commands_total{", 'chobo_consumer_status{consumer="users@1"', "chobo_pool_connections{")
            return all(name in text for name in wanted)

        eventually(seen)


def test_it_comes_up_again_on_the_same_data_after_kill_9(data):
    with running(data) as up:
        up.process.send_signal(signal.SIGKILL)
        up.process.wait()
    with running(data) as up:
        assert ready(up.address)


def test_it_goes_on_after_kill_9_of_its_postgres(data):
    with running(data) as up:
        killed = postmaster(data)
        os.kill(killed, signal.SIGKILL)
        eventually(lambda: postmaster(data) not in (0, killed))
        eventually(lambda: ready(up.address))
        assert register(up, "after-the-kill")
        assert up.stop() == 0


def test_it_goes_on_after_kill_9_of_every_process_of_its_postgres(data):
    with running(data) as up:
        children = {child.cmdline()[0]: child for child in psutil.Process(postmaster(data)).children()}
        assert any("checkpointer" in name for name in children)
        for name, child in children.items():
            with suppress(psutil.NoSuchProcess):  # one that ended with another
                child.kill()
            eventually(lambda: ready(up.address))
            assert register(up, f"after-{hash(name)}")
        assert up.stop() == 0


def test_a_data_directory_in_use_is_unavailable_and_says_so(data):
    with running(data) as up:
        second = chobo("up", "--port", "0", "--data", str(data))
        assert second.returncode == 3
        assert f"{data} is in use by process {up.process.pid}: stop that one first" in second.stderr


def test_a_port_in_use_is_unavailable_and_says_so(data):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = chobo("up", "--port", str(port), "--data", str(data))
    assert done.returncode == 3
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr
    assert "Traceback" not in done.stderr


def test_its_secrets_are_kept_with_the_data(data):
    with running(data):
        first = (data / "secrets.json").read_text()
    with running(data):
        assert (data / "secrets.json").read_text() == first


def test_it_runs_on_a_database_that_is_there(empty_data, database):
    with running(empty_data, "--database-url", database) as up:
        assert ready(up.address)
        assert not (empty_data / "postgres").exists()
        assert up.stop() == 0


def test_a_bad_secret_is_refused_before_anything_starts(data):
    done = chobo("up", "--port", "0", "--data", str(data), CHOBO_MASTER_KEY="c2hvcnQ=")
    assert done.returncode == 2
    assert done.stderr == "chobo: CHOBO_MASTER_KEY is refused: it has 5 bytes, it must have 32\n"
