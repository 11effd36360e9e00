"""`chobo programs`: where PostgreSQL's own tools are."""

from __future__ import annotations


def programs() -> None:
    """Print the directory of the embedded PostgreSQL's programs: psql, pg_dump, pg_restore, pg_basebackup, ..."""
    from infra.embedded import binary

    print(binary("postgres").parent)
