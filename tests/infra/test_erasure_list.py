from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from infra.erasure_list import ErasureList, ListDamaged

AT = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
ONE, OTHER, THIRD = UUID(int=1), UUID(int=2), UUID(int=3)


@pytest.fixture
def erasures(tmp_path: Path) -> ErasureList:
    return ErasureList(tmp_path / "kept" / "erasures.jsonl")


async def test_it_grows_and_says_each_user_once(erasures: ErasureList) -> None:
    assert await erasures.read() == {}
    await erasures.add({ONE: AT})
    await erasures.add({ONE: AT + timedelta(days=1), OTHER: AT})
    assert await erasures.read() == {ONE: AT, OTHER: AT}
    assert len(erasures.path.read_text().splitlines()) == 2


async def test_a_line_torn_by_a_crash_is_left_behind(erasures: ErasureList) -> None:
    await erasures.add({ONE: AT})
    with erasures.path.open("a") as file:
        file.write('{"user": "00000000-0000')
    assert await erasures.read() == {ONE: AT}
    await erasures.add({OTHER: AT})
    await erasures.add({THIRD: AT})
    assert await erasures.read() == {ONE: AT, OTHER: AT, THIRD: AT}


@pytest.mark.parametrize(
    "line", ['{"user": "somebody", "at": "2026-01-02T03:04:05Z"}', "{}", '["user"}', '{"user": 1}']
)
async def test_a_list_that_cannot_be_read_is_refused_by_line(erasures: ErasureList, line: str) -> None:
    await erasures.add({ONE: AT})
    with erasures.path.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(ListDamaged, match="line 2"):
        await erasures.read()


async def test_half_a_line_on_a_full_disk_is_an_error_and_written_again(
    erasures: ErasureList, monkeypatch: pytest.MonkeyPatch
) -> None:
    await erasures.add({ONE: AT})
    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", lambda file, data: write(file, data[: len(data) // 2]))
        with pytest.raises(OSError, match="bytes of"):
            await erasures.add({OTHER: AT})
    await erasures.add({OTHER: AT})
    assert await erasures.read() == {ONE: AT, OTHER: AT}
