"""The quick way from a document to the bytes of its data; None wherever the executor has to do it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg
from graphql import FieldNode, GraphQLError
from graphql.execution.values import VariableValues, get_variable_values
from psycopg_pool import PoolTimeout
from pydantic_core import to_json

from domain.actor import Actor
from domain.errors import DomainError
from projections.listing import Condition
from projections.pool import Pool, answered
from read_api.compiled.asking import Arguments, One, Wanted
from read_api.compiled.roots import ROOTS, Root, may_ask
from read_api.compiled.selection import NotCovered, Selection, flags_in
from read_api.compiled.statement import SIGN_HERE, RootWriter, Statement
from read_api.compiled.writing import Writer, concat, literal, quoted
from read_api.cursor import Cursors
from read_api.documents import Asked, Operation
from read_api.executor import MOST_VALUES
from read_api.schema import Schema

MOST_STATEMENTS: Final = 50  # of one document and role: more shapes of arguments than any page has
MOST_ARGUMENTS: Final = 50
LONGEST: Final = 500  # bytes of variables that are remembered
A_VALUE: Final = b'":'
MARK: Final = SIGN_HERE.encode()

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Begun:
    """A root field of a plan. `root` is None for `__typename`."""

    key: str
    nodes: list[FieldNode]
    root: Root | None
    arguments: Arguments | None


@dataclass(slots=True)
class Plan:
    """What is known of a document for one role and one setting of its directives."""

    begun: Sequence[Begun]
    selection: Selection
    staff: bool
    statements: dict[Any, tuple[bytes, list[str]]] = field(default_factory=dict)


@dataclass(slots=True)
class Bound:
    """A document with its variables: what directives say, and what each root field is asked for, once it was read."""

    flags: tuple[Any, ...]
    variables: VariableValues
    wanted: list[Wanted] | None = None


class CompiledPath:
    def __init__(self, schema: Schema, cursors: Cursors) -> None:
        self._schema = schema
        self._cursors = cursors

    async def data(self, asked: Asked, actor: Actor, pool: Pool) -> bytes | None:
        """The JSON of the data."""
        try:
            plan, wanted = self._planned(asked, actor)
            query, lists, values = self._statement(plan, wanted, actor)
        except (NotCovered, DomainError, GraphQLError):
            return None
        try:
            found = await answered(pool, query, values)
        except (psycopg.Error, PoolTimeout) as error:
            log.warning("left to the executor: %s", error)
            return None
        if found.count(A_VALUE) > MOST_VALUES:
            return None  # the executor counts exactly: texts may look like names
        return self._signed(found, lists) if lists else found

    def _planned(self, asked: Asked, actor: Actor) -> tuple[Plan, list[Wanted]]:
        operation = asked.operation
        bound = self._bound(operation, asked)
        key = "plan", actor.in_charge, bound.flags
        if (plan := operation.plans.get(key)) is None:
            plan = operation.plans[key] = self._plan(operation, bound, staff=actor.in_charge)
        if isinstance(plan, NotCovered):
            raise plan
        if not all(each.root is None or may_ask(each.root, actor) for each in plan.begun):
            raise NotCovered("somebody who may not ask")
        return plan, self._wanted(plan, bound)

    # -- what is the same for every request with the same variables

    def _bound(self, operation: Operation, asked: Asked) -> Bound:
        text = to_json(asked.variables) if asked.variables else b""
        known: dict[bytes, Bound] = operation.plans.setdefault("bound", {})
        if (bound := known.get(text)) is None:
            bound = self._coerced(operation, asked)
            if len(known) < MOST_ARGUMENTS and len(text) <= LONGEST:
                known[text] = bound
        return bound

    def _coerced(self, operation: Operation, asked: Asked) -> Bound:
        values = get_variable_values(
            self._schema._schema, operation.node.variable_definitions or (), dict(asked.variables)
        )
        if not isinstance(values, VariableValues):
            raise NotCovered("variables that are not as they are declared")
        if (names := operation.plans.get("flags")) is None:
            sets = [operation.node.selection_set, *(f.selection_set for f in operation.fragments.values())]
            names = operation.plans["flags"] = sorted(flags_in(sets))
        return Bound(tuple(values.coerced.get(name) for name in names), values)

    def _plan(self, operation: Operation, bound: Bound, *, staff: bool) -> Plan | NotCovered:
        """Tried out at once, so that a document that is not covered is known for it."""
        flags = dict(zip(operation.plans["flags"], bound.flags, strict=True))
        selection = Selection(self._schema._schema, operation.fragments, flags)
        try:
            begun = [self._begun(*each) for each in selection.of([operation.node.selection_set], "Query").items()]
            return Plan(begun, selection, staff)
        except NotCovered as reason:
            return reason

    def _begun(self, key: str, nodes: list[FieldNode]) -> Begun:
        name = nodes[0].name.value
        if name == "__typename":
            return Begun(key, nodes, None, None)
        if (root := ROOTS.get(name)) is None:
            raise NotCovered(name)
        return Begun(key, nodes, root, Arguments(self._schema, root, nodes[0]))

    def _wanted(self, plan: Plan, bound: Bound) -> list[Wanted]:
        """For each root field that is one; for every role the same."""
        if bound.wanted is None:
            bound.wanted = [a.read(bound.variables, self._cursors) for each in plan.begun if (a := each.arguments)]
        return bound.wanted

    # -- the statement

    def _statement(self, plan: Plan, wanted: list[Wanted], actor: Actor) -> tuple[bytes, list[str], list[Any]]:
        owns = [list(each.root.own(actor)) for each in plan.begun if each.root]
        key = tuple(map(shape, wanted, owns))
        if (known := plan.statements.get(key)) is None:
            known = written(plan, wanted, owns)
            if len(plan.statements) < MOST_STATEMENTS:
                plan.statements[key] = known
        values = [value for each, own in zip(wanted, owns, strict=True) for value in values_of(each, own)]
        return *known, values

    def _signed(self, found: bytes, lists: list[str]) -> bytes:
        """Between two marks stands the number of a list, and what a cursor of it is made of."""
        pieces = found.split(MARK)
        for index in range(1, len(pieces), 2):
            number, payload = pieces[index].split(b"[", 1)
            pieces[index] = self._cursors.signed(lists[int(number)], b"[" + payload)
        return b"".join(pieces)


def written(plan: Plan, wanted: list[Wanted], owns: list[list[Condition]]) -> tuple[bytes, list[str]]:
    """The statement and the lists its cursors are of. Raises NotCovered."""
    statement = Statement()
    writer = Writer(plan.selection, staff=plan.staff)
    sql = concat(root_parts(plan, writer, statement, iter(zip(wanted, owns, strict=True))))
    return f"SELECT {sql}".encode(), statement.lists


def root_parts(
    plan: Plan, writer: Writer, statement: Statement, wanted: Iterator[tuple[Wanted, list[Condition]]]
) -> Iterator[str]:
    comma = "{"
    for each in plan.begun:
        yield literal(f"{comma}{quoted(each.key)}:")
        comma = ","
        if each.root is None:
            yield literal('"Query"')
        else:
            yield RootWriter(writer, each.root, each.nodes, statement).sql(*next(wanted))
    yield literal("}" if plan.begun else "{}")


def shape(wanted: Wanted, own: Sequence[Condition]) -> Any:
    """Equal for what the same SQL answers, with other values."""
    where = tuple((c.column, c.operator, c.value is None) for c in (*own, *wanted.where))
    if any(operator == "words" for _, operator, _ in where):
        raise NotCovered("a search for words")
    if isinstance(wanted, One):
        return where
    return where, wanted.of, wanted.size, wanted.backward, wanted.after is None, wanted.before is None


def values_of(wanted: Wanted, own: Sequence[Condition]) -> Iterator[Any]:
    """In the order in which the SQL was written."""
    yield from (c.value for c in (*own, *wanted.where) if c.value is not None)
    if not isinstance(wanted, One):
        for mark in (wanted.after, wanted.before):
            if mark is not None:
                yield from (mark.value, mark.id)
