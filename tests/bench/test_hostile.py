"""The benchmark of hostile documents runs, and each of them is refused by the whole app."""

from __future__ import annotations

import json

import pytest

from bench.hostile import main


@pytest.mark.timeout(240)
def test_every_case_gives_a_figure(capsys: pytest.CaptureFixture[str]) -> None:
    main(often=2)
    figures = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(figure["case"], figure["goal"]) for figure in figures] == [("slowest", "<= 50"), ("work", "<= 25")]
