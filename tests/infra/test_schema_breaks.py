"""A change of the schema that breaks front ends is refused, unless what went had been deprecated before."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from infra.schema_breaks import ACCEPTED, FILE, breaks, broken

BEFORE = """
type Query { a: Int @deprecated(reason: "b") b(x: Int, y: Int @deprecated(reason: "x")): Colour c: Int old: Old
  older: Older @deprecated(reason: "b") }
enum Colour { RED BLUE @deprecated(reason: "RED") }
type Old { a: Int }
type Older { a: Int }
"""


def changed(what: str, to: str) -> str:
    assert what in BEFORE
    return BEFORE.replace(what, to)


@pytest.mark.parametrize(
    "now, said",
    [
        (changed(" c: Int", ""), ["Field Query.c was removed."]),
        (changed(" c: Int", " c: String"), ["Field Query.c changed type from Int to String."]),
        (changed("x: Int,", ""), ["Argument Query.b(x:) was removed."]),
        (changed("x: Int,", "x: Int!,"), ["Argument Query.b(x:) has changed type from Int to Int!."]),
        (changed("{ RED", "{"), ["Enum value Colour.RED was removed."]),
        (
            changed("old: Old\n", "\n").replace("type Old { a: Int }", ""),
            ["Old was removed.", "Field Query.old was removed."],
        ),
    ],
)
def test_what_front_ends_use_must_not_go(now: str, said: list[str]) -> None:
    found = broken(BEFORE, now)
    assert [line.partition(" from ")[0] for line in found] == [line.partition(" from ")[0] for line in said]


@pytest.mark.parametrize(
    "now",
    [
        BEFORE,
        changed('a: Int @deprecated(reason: "b") ', ""),
        changed(', y: Int @deprecated(reason: "x")', ""),
        changed(' BLUE @deprecated(reason: "RED")', ""),
        changed('older: Older @deprecated(reason: "b")', "").replace("type Older { a: Int }", ""),
        changed(" c: Int", " c: Int! d(x: Int): Int"),
        changed("{ RED", "{ GREEN RED"),
    ],
)
def test_what_was_deprecated_may_go_and_anything_may_come(now: str) -> None:
    assert broken(BEFORE, now) == []


class TestWhatWasBefore:
    @pytest.fixture
    def clone(self, tmp_path: Path) -> Path:
        self.git(tmp_path, "init", "-q")
        self.commit(tmp_path, BEFORE)
        return tmp_path

    def git(self, clone: Path, *arguments: str) -> None:
        who = ["-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "core.hooksPath="]
        subprocess.run(["git", "-C", str(clone), *who, *arguments], check=True, capture_output=True)

    def commit(self, clone: Path, schema: str) -> None:
        (clone / FILE).write_text(schema)
        self.git(clone, "add", FILE)
        self.git(clone, "commit", "-q", "-m", "x")

    def test_what_is_committed(self, clone: Path) -> None:
        assert breaks(clone, BEFORE) == []
        assert breaks(clone, changed(" c: Int", "")) == ["Field Query.c was removed."]

    def test_a_commit_is_compared_with_the_one_before(self, clone: Path) -> None:
        self.commit(clone, changed(" c: Int", ""))
        assert breaks(clone, changed(" c: Int", "")) == ["Field Query.c was removed."]

    def test_a_merge_is_compared_with_what_it_was_merged_into(self, clone: Path) -> None:
        self.git(clone, "checkout", "-q", "-b", "branch")
        self.commit(clone, changed(" c: Int", ""))
        self.commit(clone, changed(" c: Int", " d: Int"))
        self.git(clone, "checkout", "-q", "-")
        self.git(clone, "merge", "-q", "--no-ff", "branch")
        assert breaks(clone, changed(" c: Int", " d: Int")) == ["Field Query.c was removed."]

    def test_what_was_broken_on_purpose_is_said_in_a_file(self, clone: Path) -> None:
        (clone / ACCEPTED).parent.mkdir()
        (clone / ACCEPTED).write_text("- `Field Query.c was removed.`: nobody used it\n")
        assert breaks(clone, changed(" c: Int", "")) == []

    def test_without_git_there_is_no_before(self, tmp_path: Path) -> None:
        assert breaks(tmp_path, BEFORE) == []
