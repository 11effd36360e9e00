"""PostgreSQL 18 as a child process of ours, for `chobo up`, tests and benchmarks: no installation, no port, no account."""

from infra.embedded.server import DataDirectoryInUse, EmbeddedPostgres, PostgresFailed
from infra.embedded.secrets import secrets_in

__all__ = ["DataDirectoryInUse", "EmbeddedPostgres", "PostgresFailed", "secrets_in"]
