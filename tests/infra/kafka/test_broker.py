"""The broker of our own survives what happens to it, and says so when it cannot start."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from infra.kafka import jars as kafka_jars
from infra.kafka.broker import HOST, EmbeddedKafka, answers, free_port
from infra.kafka.jars import KafkaFailed, jars, java
from infra.kafka.topics import Topics
from tests.eventually import eventually

SCRIPT = "#!/bin/sh\n{}\n"
PARENT = """
import sys, time
from pathlib import Path
from infra.kafka.broker import EmbeddedKafka
kafka = EmbeddedKafka(Path(sys.argv[1]))
kafka.start()
print(kafka.pid, flush=True)
time.sleep(600)
"""


def program(folder: Path, name: str, *lines: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(SCRIPT.format("\n".join(lines)))
    (folder / name).chmod(0o755)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that is all there is on the PATH."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path / "bin"


def is_running(pid: int) -> bool:
    return bool(psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)


@pytest.mark.requires("kafka", shared=False)
async def test_topics_survive_a_stop_and_a_power_cut(tmp_path: Path) -> None:
    kafka = EmbeddedKafka(tmp_path)
    with kafka:
        address, topics = kafka.bootstrap, Topics(kafka.bootstrap)
        await topics.ensure("orders")
        kafka.stop()
        assert not answers(HOST, int(address.partition(":")[2]))
        await kafka.restart()
        assert await topics.exists("orders")
        kafka.kill()
        await kafka.restart()
        assert await topics.exists("orders")
        assert kafka.bootstrap == address


@pytest.mark.requires("kafka", shared=False)
def test_it_ends_with_the_process_that_started_it(tmp_path: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path)], stdout=subprocess.PIPE)
    assert parent.stdout
    pid = int(parent.stdout.readline())
    assert is_running(pid)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    eventually(lambda: not is_running(pid), within=60)


@pytest.mark.requires("kafka", shared=False)
def test_a_port_that_somebody_took_is_told_of(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        kafka = EmbeddedKafka(tmp_path)
        kafka._ports = (taken.getsockname()[1], free_port())
        with pytest.raises(KafkaFailed, match="Address already in use"):
            kafka.start()
        assert kafka.pid is None


def test_without_java_it_says_what_to_install(programs: Path, tmp_path: Path) -> None:
    with pytest.raises(KafkaFailed, match=r"Java 17 or later is needed .* apt-get install .* CHOBO_KAFKA_BOOTSTRAP"):
        EmbeddedKafka(tmp_path / "data").start()


def test_an_old_java_is_refused_with_its_version(programs: Path) -> None:
    program(programs, "java", "echo 'openjdk version \"11.0.2\" 2019' >&2")
    with pytest.raises(KafkaFailed, match=r'Java 17 or later .* version "11.0.2"'):
        java()


def test_a_recent_java_is_taken(programs: Path) -> None:
    program(programs, "java", "echo 'openjdk version \"21\" 2023' >&2")
    assert java() == str(programs / "java")


def test_without_maven_it_says_what_to_install(programs: Path, tmp_path: Path) -> None:
    with pytest.raises(KafkaFailed, match=r"Maven is needed .* apt-get install"):
        jars(tmp_path / "cache")


def test_what_maven_could_not_do_is_told_and_tried_again(programs: Path, tmp_path: Path) -> None:
    program(programs, "mvn", "echo no route to the repository", "exit 1")
    with pytest.raises(KafkaFailed, match="no route to the repository"):
        jars(tmp_path / "cache")
    program(programs, "mvn", 'for o; do case "$o" in -DoutputDirectory=*) /bin/mkdir "${o#*=}";; esac; done')
    said: list[str] = []
    place = jars(tmp_path / "cache", said.append)
    assert place.is_dir()
    assert said == [f"Fetching Kafka by Maven (43 MB, once) into {place} ..."]
    (programs / "mvn").unlink()
    assert jars(tmp_path / "cache") == place, "it is fetched once"


def test_other_versions_are_other_jars(programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(programs, "mvn", 'for o; do case "$o" in -DoutputDirectory=*) /bin/mkdir "${o#*=}";; esac; done')
    first = jars(tmp_path / "cache")
    pom = tmp_path / "pom.xml"
    pom.write_text(kafka_jars.POM.read_text().replace("4.1.0", "4.2.0"))
    monkeypatch.setattr(kafka_jars, "POM", pom)
    assert jars(tmp_path / "cache") != first
    assert first.is_dir()
