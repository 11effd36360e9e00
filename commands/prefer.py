"""Preferences (RFC 7240): how long a client would like to wait. What is malformed is as good as not there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

SPACE: Final = r"[ \t]*+"  # possessive, as all of these: nobody can make the search take long
NAME: Final = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
WORD: Final = rf'(?:{NAME}|"(?:[^"\\]|\\.)*+")'
PARAMETER: Final = rf"(?:{NAME}(?:{SPACE}={SPACE}{WORD})?+)?+"
PREFERENCE: Final = re.compile(
    rf"[ \t,]*+(?P<name>{NAME})(?:{SPACE}={SPACE}(?P<value>{WORD}))?+(?:{SPACE};{SPACE}{PARAMETER})*+{SPACE}(?:,|$)"
)
SECONDS: Final = re.compile(r'"?([0-9]{1,9})"?')
LONGEST: Final = 1000  # bytes of a header that are read


def wait(headers: Iterable[tuple[bytes, bytes]]) -> int | None:
    """The seconds of `wait`, None where it is not asked for. Of several the first counts, also when it is malformed."""
    text = b",".join(value for name, value in headers if name == b"prefer")[:LONGEST].decode("latin-1")
    at = 0
    while preference := PREFERENCE.match(text, at):
        if preference["name"].lower() == "wait":
            found = SECONDS.fullmatch(preference["value"] or "")
            return int(found[1]) if found else None
        at = preference.end()
    return None
