"""What a change of schema.graphql would break for front ends that were made for the schema before it.

Before: what git has at HEAD; if that is what the code says, at its first parent - of a merge, what it was merged into.
A clone without history has no before, and nothing is compared: the merge itself has been checked then.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from graphql import GraphQLEnumType, GraphQLSchema, build_schema, get_named_type
from graphql.utilities.find_schema_changes import BreakingChange, BreakingChangeType, find_breaking_changes

FILE: Final = "schema.graphql"
NAMED: Final = re.compile(r"[A-Za-z_]\w*")
MEMBER: Final = re.compile(r"([A-Za-z_]\w*)\.([A-Za-z_]\w*)(?:\(([A-Za-z_]\w*):\))?")
GONE: Final = frozenset(
    {BreakingChangeType.FIELD_REMOVED, BreakingChangeType.VALUE_REMOVED_FROM_ENUM, BreakingChangeType.ARG_REMOVED}
)
ACCEPTED: Final = "docs/schema-breaks.md"


def breaks(root: Path, now: str) -> list[str]:
    """A line for each, but for those that are accepted."""
    before = next((text for rev in ("HEAD", "HEAD^1") if (text := committed(root, rev)) not in {None, now}), None)
    if before is None:
        return []
    accepted = (root / ACCEPTED).read_text() if (root / ACCEPTED).exists() else ""
    return [line for line in broken(before, now) if f"`{line}`" not in accepted]


def committed(root: Path, revision: str) -> str | None:
    """None where there is no git, no such revision or no such file in it."""
    command = ["git", "-C", str(root), "show", f"{revision}:{FILE}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout if done.returncode == 0 else None


def broken(before: str, now: str) -> list[str]:
    old = build_schema(before)
    return [change.description for change in find_breaking_changes(old, build_schema(now)) if not expected(old, change)]


def expected(old: GraphQLSchema, change: BreakingChange) -> bool:
    """Whether what went had been deprecated, or could only be got at through what had been."""
    if change.type is BreakingChangeType.TYPE_REMOVED:
        return NAMED.findall(change.description)[0] not in used(old)
    if change.type not in GONE:
        return False
    owner, member, argument = MEMBER.findall(change.description)[0]
    found = members(old, owner)[member]
    gone = found.args[argument] if argument else found
    return bool(gone.deprecation_reason)


def used(schema: GraphQLSchema) -> set[str]:
    """The names of the types of fields that are not deprecated, and of their arguments."""
    names = set()
    for type in schema.type_map.values():
        for field in getattr(type, "fields", {}).values():
            if not field.deprecation_reason:
                names.add(get_named_type(field.type).name)
                names.update(get_named_type(argument.type).name for argument in getattr(field, "args", {}).values())
    return names


def members(schema: GraphQLSchema, owner: str) -> Mapping[str, Any]:
    type = schema.get_type(owner)
    return type.values if isinstance(type, GraphQLEnumType) else getattr(type, "fields", {})
