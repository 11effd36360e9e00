"""What is deployed names only what there is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from infra.settings import Settings, variable

ROOT = Path(__file__).parents[2]
KNOWN = {variable(name) for name in Settings.model_fields}


def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return document


def test_compose_sets_only_settings_that_exist():
    named = {name for s in compose()["services"].values() for name in s["environment"] if name.startswith("CHOBO_")}
    assert named <= KNOWN


def test_the_image_sets_only_settings_that_exist():
    assert set(re.findall(r"CHOBO_[A-Z_]+", (ROOT / "deploy" / "Dockerfile").read_text())) <= KNOWN


def test_compose_has_the_version_of_postgres_that_is_needed():
    assert compose()["services"]["postgres"]["image"] == "postgres:18"


def test_compose_builds_from_a_file_that_is_there():
    assert (ROOT / compose()["services"]["chobo"]["build"]["dockerfile"]).is_file()
