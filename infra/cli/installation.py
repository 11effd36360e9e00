"""The settings of an embedded installation: those of the environment, over the secrets kept in its data directory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from infra.bootstrap import SECRETS
from infra.embedded import secrets_in
from infra.settings import Profile, Settings


def installation(**flags: Any) -> Settings:
    """`flags` are settings by name, None for those that were not given. Raises SettingsRefused."""
    data = data_directory(flags.get("data"))
    defaults = {"profile": Profile.DEVELOPMENT, "log_level": "warning", "data": data} | secrets_in(data, SECRETS)
    return Settings.read(defaults=defaults, **flags)


def data_directory(given: Path | None) -> Path:
    """Where the secrets are kept, found out before they are asked for."""
    data = Settings.read(data=given, profile=Profile.DEVELOPMENT).data
    data.mkdir(parents=True, exist_ok=True)
    return data
