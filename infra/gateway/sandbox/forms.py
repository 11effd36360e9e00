"""Form-encoded parameters as Stripe nests them: `metadata[a]=1`, `expand[0]=x`, `expand[]=x`."""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import parse_qsl

from infra.gateway.sandbox.refusals import JSON, Refusal

PART: Final = re.compile(r"\[([^\]]*)\]")


def parsed(text: str) -> JSON:
    """Raises Refusal."""
    form: JSON = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        root, bracket, rest = name.partition("[")
        put(form, [root, *PART.findall(bracket + rest)], value)
    return {name: listed(value) for name, value in form.items()}


def put(form: JSON, path: list[str], value: str) -> None:
    for name in path[:-1]:
        form = form.setdefault(name, {})
        if not isinstance(form, dict):
            raise Refusal(f"Invalid hash: {name}", param=name)
    last = path[-1]
    form[str(len(form)) if last == "" else last] = value


def listed(value: Any) -> Any:
    """Whatever has 0, 1, ... for names is a list."""
    if not isinstance(value, dict):
        return value
    inner = {name: listed(part) for name, part in value.items()}
    return list(inner.values()) if list(inner) == [str(n) for n in range(len(inner))] else inner


def allow(form: JSON, *names: str) -> None:
    """Raises Refusal for a parameter that this route has not."""
    for name in form:
        if name not in names:
            raise Refusal(f"Received unknown parameter: {name}", code="parameter_unknown", param=name)


def needed(form: JSON, name: str) -> str:
    if not (value := form.get(name)):
        raise Refusal(f"Missing required param: {name}.", code="parameter_missing", param=name)
    return str(value)


def whole(form: JSON, name: str, default: int | None = None) -> int:
    """A whole number that is more than nothing."""
    text = str(default) if default is not None and name not in form else needed(form, name)
    if not (text.isascii() and text.isdigit()):
        raise Refusal(f"Invalid integer: {text}", code="parameter_invalid_integer", param=name)
    if int(text) < 1:
        raise Refusal("This value must be greater than or equal to 1.", code="parameter_invalid_integer", param=name)
    return int(text)


def flag(form: JSON, name: str, *, default: bool) -> bool:
    return {"true": True, "false": False}.get(str(form.get(name)).lower(), default)


def merged(metadata: JSON, form: JSON) -> JSON:
    """An empty value takes a name away. Raises Refusal beyond Stripe's limits: 50 names of 40, values of 500."""
    given = form.get("metadata") or {}
    for name, value in given.items():
        if len(name) > 40 or len(str(value)) > 500:
            raise Refusal(f"Metadata is too long: {name}", param="metadata")
    both = {name: value for name, value in {**metadata, **given}.items() if value != ""}
    if len(both) > 50:
        raise Refusal("Metadata can have up to 50 keys", param="metadata")
    return both
