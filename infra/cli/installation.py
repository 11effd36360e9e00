"""The settings of an embedded installation: those of the environment, over the secrets kept in its data directory."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from infra.embedded import EmbeddedPostgres, secrets_in
from infra.own_secrets import SECRETS
from infra.settings import Profile, Settings

ERASURES: Final = "erasures.jsonl"
"""In the data directory, beside the cluster: a backup of the cluster leaves it alone, and so does its restore."""


MAIL: Final = "mail"
"""In the data directory: the mails that no mail server was there for."""


def installation(**flags: Any) -> Settings:
    """`flags` are settings by name, None for those that were not given. Raises SettingsRefused."""
    data = data_directory(flags.get("data"))
    kept = {"data": data, "erasure_list": data / ERASURES, "mail_directory": data / MAIL}
    defaults = {"profile": Profile.DEVELOPMENT, "log_level": "warning"} | kept | secrets_in(data, SECRETS)
    return Settings.read(defaults=defaults, **flags)


class NothingRuns(Exception):
    def __init__(self, data: Path) -> None:
        super().__init__(
            f"no Chobo runs on {data.absolute()}: start it with `chobo up`, or name another --data or --database-url"
        )


def reachable(**flags: Any) -> Settings:
    """As `installation`; without a database of its own it is the embedded one of a `chobo up` that runs.

    Raises NothingRuns.
    """
    settings = installation(**flags)
    if settings.database_url:
        return settings
    embedded = EmbeddedPostgres(settings.data)
    if not embedded.listens:
        raise NothingRuns(settings.data)
    return settings.model_copy(update={"database_url": SecretStr(embedded.conninfo())})


def data_directory(given: Path | None) -> Path:
    """Where the secrets are kept, found out before they are asked for."""
    data = Settings.read(data=given, profile=Profile.DEVELOPMENT).data
    data.mkdir(parents=True, exist_ok=True)
    return data
