"""Files of lines, compressed when their name ends in `.zst`; written whole or not at all, read a line at a time."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

import zstandard

LINE: Final = 64 * 2**20
"""Bytes that a line may have; a longer one is no line of ours, and reading it whole would take all memory."""


class NotWhole(Exception):
    """The file is not what it should be: cut off, altered, something else. Nothing was taken from it."""


@contextmanager
def written(path: Path) -> Iterator[IO[bytes]]:
    """Writes beside the place and moves the file there once it is on disk: a killed attempt leaves no half file."""
    part = path.with_name(f"{path.name}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        if compressed(path):
            with zstandard.ZstdCompressor(level=3, write_checksum=True).stream_writer(file, closefd=False) as stream:
                yield stream
        else:
            yield file
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)


@contextmanager
def lines(path: Path) -> Iterator[Iterator[bytes]]:
    """The lines, each with its end. Raises NotWhole where the file is damaged."""
    with path.open("rb") as file:
        if not compressed(path):
            yield _split(file)
            return
        with zstandard.ZstdDecompressor().stream_reader(file) as stream:
            yield _split(io.BufferedReader(stream))


def _split(file: IO[bytes]) -> Iterator[bytes]:
    try:
        while line := file.readline(LINE):
            if len(line) >= LINE:
                raise NotWhole(f"a line of more than {LINE} bytes")
            yield line
    except zstandard.ZstdError as error:
        raise NotWhole(f"the compressed data is damaged: {error}") from None


def compressed(path: Path) -> bool:
    return path.suffix == ".zst"
