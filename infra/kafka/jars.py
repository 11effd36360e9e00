"""Kafka's own programs: fetched by Maven once for each user, in the versions of pom.xml."""

from __future__ import annotations

import fcntl
import hashlib
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Final

POM: Final = Path(__file__).with_name("pom.xml")
FETCH_WITHIN: Final = 600.0
"""Seconds that Maven may take for its 43 MB."""
OLDEST_JAVA: Final = 17
HOW: Final = (
    "on Debian: apt-get install openjdk-17-jre-headless maven; or name a running broker in CHOBO_KAFKA_BOOTSTRAP"
)


class KafkaFailed(Exception):
    """Kafka could not be had or did not come up. The message ends with what it said, or with what to do."""


def java() -> str:
    """The path of a Java that is recent enough."""
    if (program := shutil.which("java")) is None:
        raise KafkaFailed(f"Java {OLDEST_JAVA} or later is needed to run Kafka, and there is none: {HOW}")
    said = subprocess.run([program, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', said)
    if version is None or int(version[1]) < OLDEST_JAVA:
        raise KafkaFailed(f"Java {OLDEST_JAVA} or later is needed to run Kafka; {program} says: {said.strip()}: {HOW}")
    return program


def jars(cache: Path | None = None, say: Callable[[str], None] = lambda _: None) -> Path:
    """The directory of Kafka's jars. Made whole or not at all; processes that come together wait for one of them."""
    cache = cache or Path.home() / ".cache" / "chobo"
    place = cache / f"kafka-{hashlib.sha256(POM.read_bytes()).hexdigest()[:12]}"
    if place.exists():
        return place
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "kafka.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            say(f"Fetching Kafka by Maven (43 MB, once) into {place} ...")
            _fetch(place)
    return place


def _fetch(place: Path) -> None:
    if (maven := shutil.which("mvn")) is None:
        raise KafkaFailed(f"Maven is needed to fetch Kafka, and there is none: {HOW}")
    new = place.with_name(f"{place.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    command = [maven, "-B", "-q", "-f", str(POM), "dependency:copy-dependencies", f"-DoutputDirectory={new}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=FETCH_WITHIN)
    except subprocess.TimeoutExpired:
        raise KafkaFailed(f"Maven did not fetch Kafka within {FETCH_WITHIN:.0f} s; try again, or: {HOW}") from None
    if done.returncode != 0:
        last = "\n".join((done.stdout + done.stderr).splitlines()[-8:])
        raise KafkaFailed(f"Maven could not fetch Kafka:\n{last}\n{HOW}")
    new.replace(place)
