"""Log lines are JSON objects that carry what the call knew."""

from __future__ import annotations

import json
import logging

import pytest

from infra.logs import log_to_stderr

log = logging.getLogger("chobo.test")


@pytest.fixture(autouse=True)
def restored():
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = before


def test_a_line_is_an_object_with_its_extras(capsys):
    log_to_stderr("info", as_json=True)
    log.info("placed %s", "it", extra={"correlation_id": "c-1"})
    line = json.loads(capsys.readouterr().err)
    assert line.pop("time")
    assert line == {"level": "info", "logger": "chobo.test", "message": "placed it", "correlation_id": "c-1"}


def test_an_exception_stays_on_its_line(capsys):
    log_to_stderr("info", as_json=True)
    try:
        int("no good")
    except ValueError:
        log.exception("it failed")
    (line,) = capsys.readouterr().err.splitlines()
    assert "ValueError: invalid literal" in json.loads(line)["exception"]


def test_below_the_level_nothing_is_said(capsys):
    log_to_stderr("warning", as_json=True)
    log.info("quiet")
    assert capsys.readouterr().err == ""
