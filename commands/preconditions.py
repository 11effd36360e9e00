"""Entity tags (RFC 9110, 8.8.3 and 13.1): an aggregate's version in quotes."""

from __future__ import annotations

import re
from typing import Final

from commands.codes import INVALID_HEADER, PRECONDITION_FAILED, PRECONDITION_REQUIRED
from commands.problems import Problem

ENTITY_TAG: Final = re.compile(r'(W/)?"([\x21\x23-\x7e]*)"')
ENTITY_TAGS: Final = re.compile(rf"\s*{ENTITY_TAG.pattern}(?:\s*,\s*{ENTITY_TAG.pattern})*\s*")
VERSION: Final = re.compile(r"[1-9][0-9]{0,17}")


def etag(version: int) -> str:
    return f'"{version}"'


def expected_version(if_match: bytes | None, *, required: bool) -> int | None:
    """The version that If-Match asks for; None for `*` (whichever it is) and where there is no such header.

    Raises Problem: 428 when it is required and missing, 400 when it is not an entity tag, 412 when the tag can match
    nothing - If-Match compares strongly, so a weak tag never does.
    """
    if if_match is None:
        if required:
            raise Problem(PRECONDITION_REQUIRED, 'send If-Match with the ETag you read, as in If-Match: "3"')
        return None
    text = if_match.decode("latin-1").strip()
    return None if text == "*" else only_version(text)


def only_version(text: str) -> int:
    tag = ENTITY_TAG.fullmatch(text)
    if tag is None:
        raise Problem(INVALID_HEADER, 'If-Match takes * or one entity tag, as in If-Match: "3"', {"header": "If-Match"})
    if tag[1] or not VERSION.fullmatch(tag[2]):
        raise Problem(PRECONDITION_FAILED, f"{text} is not the ETag of anything here", {"ifMatch": text})
    return int(tag[2])


def unchanged(if_none_match: bytes | None, version: int) -> bool:
    """Whether If-None-Match names this version, weakly compared. What cannot be read is as good as not there."""
    if if_none_match is None:
        return False
    text = if_none_match.decode("latin-1").strip()
    if text == "*":
        return True
    return bool(ENTITY_TAGS.fullmatch(text)) and str(version) in {tag[1] for tag in ENTITY_TAG.findall(text)}
