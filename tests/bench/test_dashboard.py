"""The benchmark of the dashboard runs, with fewer sagas but the long one; no page of it is heavier than it may be."""

from __future__ import annotations

import json

import pytest

from bench.dashboard import main
from sagas.dashboard.pages import PAGES


@pytest.mark.timeout(400)
def test_every_page_is_asked_for_and_none_is_too_heavy(capsys: pytest.CaptureFixture[str]) -> None:
    main(sagas=400, times=1, seconds=2)
    said = capsys.readouterr().out.splitlines()
    figures = {figure["case"]: figure["value"] for figure in map(json.loads, said)}
    assert {f"{page.menu.lower()}: p95" for page in PAGES if page.menu} <= set(figures)
    assert 0 < figures["heaviest page"] <= 150
    assert figures["slowest page: p95"] > 0
    assert figures["live"] > 0
