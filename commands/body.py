"""From the bytes of a request to a valid message. Whatever is wrong with them becomes a problem with a code."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from commands.codes import DUPLICATE_FIELD, MALFORMED_JSON, TOO_DEEP, VALIDATION_FAILED
from commands.message import Command
from commands.problems import Fault, Problem

C = TypeVar("C", bound=Command)

MAX_DEPTH: Final = 20
MAX_FAULTS: Final = 50


class _Twice(Exception):
    pass


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        names = [name for name, _ in pairs]
        raise _Twice(next(name for name in names if names.count(name) > 1))
    return value


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


_decode: Final = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant).decode


def parsed(message: type[C], body: bytes) -> C:
    """The message in the body; an empty body is an empty object. Raises Problem."""
    body = body or b"{}"
    value = checked(body)
    try:
        return message.model_validate_json(
            body, strict=True, by_alias=True, by_name=False
        )  # strict in nested values too
    except ValidationError as error:
        raise invalid(error, value) from None


def checked(body: bytes) -> Any:
    """Checks what the validating parser lets pass: fields that occur twice, and depth. Returns the plain value."""
    try:
        value = _decode(body.decode())
    except _Twice as error:
        raise Problem(DUPLICATE_FIELD, f"the field {str(error)[:100]!r} occurs twice in one object") from None
    except RecursionError:
        raise too_deep() from None
    except ValueError as error:  # not JSON, not UTF-8, or a number of thousands of digits
        raise Problem(MALFORMED_JSON, f"the body cannot be read: {reason(error)}") from None
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH and deeper_than(MAX_DEPTH, value):
        raise too_deep()
    if b"\\u0000" in body and (faults := list(nul_characters(value))):
        raise faulty(faults, len(faults))
    return value


def reason(error: ValueError) -> str:
    """What is wrong and where, without a piece of the body."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at line {error.lineno} column {error.colno}"
    if isinstance(error, UnicodeDecodeError):
        return f"not UTF-8 at byte {error.start}"
    return "a number has too many digits, or is not a number"


def too_deep() -> Problem:
    return Problem(TOO_DEEP, f"at most {MAX_DEPTH} levels are allowed", {"maximum": MAX_DEPTH})


def deeper_than(levels: int, value: Any) -> bool:
    """Level by level, so that the depth of the value is not the depth of a recursion."""
    level = [value]
    for _ in range(levels):
        level = [inner for outer in level for inner in children(outer) if isinstance(inner, dict | list)]
    return bool(level)


def children(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def invalid(error: ValidationError, value: Any) -> Problem:
    """The problem for a body that is JSON but not the message. `value` is the body, for the pointers."""
    details = error.errors(include_url=False, include_context=False, include_input=False)
    if details[0]["type"] == "json_invalid":
        return Problem(MALFORMED_JSON, f"the body cannot be read: {details[0]['msg']}")
    return faulty([fault(detail, value) for detail in details[:MAX_FAULTS]], error.error_count())


def faulty(faults: list[Fault], count: int) -> Problem:
    """`count` may be more than the faults that are shown."""
    first = f"{faults[0]['pointer'] or 'the body'}: {faults[0]['detail']}"
    return Problem(VALIDATION_FAILED, first, {"count": count}, faults[:MAX_FAULTS])


def nul_characters(value: Any, at: str = "") -> Iterator[Fault]:
    """PostgreSQL keeps no text with NUL, so none gets in, whatever a message says of its fields."""
    if isinstance(value, str) and "\0" in value:
        yield {"pointer": at, "code": "NUL_CHARACTER", "detail": "text must not contain a NUL character"}
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from nul_characters(name, at)
            yield from nul_characters(inner, f"{at}/{escaped(name)}")
    elif isinstance(value, list):
        for n, inner in enumerate(value):
            yield from nul_characters(inner, f"{at}/{n}")


def fault(detail: ErrorDetails, value: Any) -> Fault:
    return {
        "pointer": pointer(detail["loc"], value),
        "code": detail["type"].upper(),
        "detail": detail["msg"].removeprefix("Value error, "),
    }


def pointer(loc: tuple[int | str, ...], value: Any) -> str:
    """The JSON pointer (RFC 6901) of a pydantic location, without the steps that the body has not (tags of unions)."""
    steps = []
    for n, step in enumerate(loc, 1):
        if (isinstance(value, dict) and step in value) or (isinstance(value, list) and isinstance(step, int)):
            value = value[step]  # type: ignore[index]
        elif n < len(loc) or not isinstance(value, dict):
            continue
        steps.append(escaped(step))
    return "".join(f"/{step}" for step in steps)


def escaped(step: int | str) -> str:
    return str(step).replace("~", "~0").replace("/", "~1")
