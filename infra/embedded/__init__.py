"""PostgreSQL 18 as a child process of ours, for `chobo up`, tests and benchmarks: nothing to install, no port."""

from infra.embedded.programs import PostgresFailed, binary
from infra.embedded.secrets import secrets_in
from infra.embedded.server import DataDirectoryInUse, EmbeddedPostgres

__all__ = ["DataDirectoryInUse", "EmbeddedPostgres", "PostgresFailed", "binary", "secrets_in"]
