"""`chobo show`: aggregates through time."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.infra.cli.process import chobo, lines, running


@dataclass(frozen=True)
class Person:
    """Registered as Mia, later calling herself Mia-Sophie; `between` is a moment between the two."""

    data: Path
    id: str
    between: str

    def shown(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return chobo("show", "user", self.id, *arguments, "--data", str(self.data))


@pytest.fixture(scope="module")
def mia(installed: Callable[[Path], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    data = installed(tmp_path_factory.mktemp("show"))
    with running(data) as up, httpx.Client(base_url=up.address) as client:
        registered = client.post(
            "/v1/users", json={"email": "mia@example.com", "password": "correct horse", "name": "Mia"}
        )
        id = str(registered.raise_for_status().json()["id"])
        session = client.post("/v1/sessions", json={"email": "mia@example.com", "password": "correct horse"}).json()
        between = datetime.now(UTC).isoformat()
        headers = {"Authorization": f"Bearer {session['accessToken']}", "If-Match": "*"}
        etag = client.get(f"/v1/users/{id}", headers=headers).headers["ETag"]
        changed = {"profile": {"displayName": "Mia-Sophie"}}
        client.post(
            f"/v1/users/{id}/change-profile", json=changed, headers=headers | {"If-Match": etag}
        ).raise_for_status()
        yield Person(data, id, between)


def only(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    (line,) = lines(done)
    return line


def test_as_it_is_and_as_it_was(mia: Person) -> None:
    now, then = only(mia.shown("--json")), only(mia.shown("--at", mia.between, "--json"))
    assert now["version"] > then["version"]
    first = only(mia.shown("--at", "v1", "--json"))
    assert (first["version"], first["lastEvent"]) == (1, "users.user-registered")
    assert only(mia.shown("--at", f"p{first['position']}", "--json")) == first


def test_what_lies_between_two_moments(mia: Person) -> None:
    done = mia.shown("--at", mia.between, "--diff", "v999", "--json")
    assert "version" in {change["place"] for change in lines(done)}


def test_personal_fields_are_shown_only_on_request_which_is_recorded(mia: Person) -> None:
    sealed = only(mia.shown("--at", "v1", "--json"))
    assert sealed["event"]["display_name"] == "(personal: --personal shows it)"
    assert mia.shown("--personal").returncode == 2
    opened = only(mia.shown("--at", "v1", "--personal", "--reason", "she asked for her data", "--json"))
    assert opened["event"]["display_name"] == "Mia"
    noted = lines(chobo("audit", "--kind", "personal.show", "--data", str(mia.data), "--json"))
    assert [(entry["target"], entry["reason"]) for entry in noted] == [(mia.id, "she asked for her data")]


@pytest.mark.parametrize(
    "arguments, code, said",
    [
        (("--at", "v0"), 1, "there is no user"),
        (("--at", "noon"), 2, "is no moment"),
    ],
)
def test_what_there_is_not(mia: Person, arguments: tuple[str, ...], code: int, said: str) -> None:
    done = mia.shown(*arguments)
    assert done.returncode == code
    assert said in " ".join(done.stderr.split())


def test_another_kind_with_this_id_is_not_there(mia: Person) -> None:
    done = chobo("show", "credentials", mia.id, "--data", str(mia.data))
    assert done.returncode == 1


def test_the_categories_are_one(mia: Person) -> None:
    done = chobo("show", "categories", "--data", str(mia.data))
    assert done.returncode == 1
    assert "there is no categories" in done.stderr
