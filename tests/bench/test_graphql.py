"""The benchmark of GraphQL runs, at a tiny size: every case gives a figure beside its ceiling."""

from __future__ import annotations

import json

import pytest

from bench.graphql import main


@pytest.mark.timeout(240)
def test_every_case_gives_a_figure(capsys: pytest.CaptureFixture[str]) -> None:
    main(seconds=0.3, orders=500, pages=5)
    figures = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [figure["case"] for figure in figures] == ["orders-page", "executor", "pgbench", "deep"]
    assert all(figure["value"] > 0 and figure["ceiling"] > 0 for figure in figures)
