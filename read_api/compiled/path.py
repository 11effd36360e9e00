"""The quick way from a document to the bytes of its data; None wherever the executor has to do it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

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
from read_api.compiled.writing import Writer, braced, concat, literal
from read_api.cursor import Cursors
from read_api.documents import Asked, Operation
from read_api.lately import Lately
from read_api.schema import Schema

MOST_PLANS: Final = 50  # of one operation: more settings of its directives than any page has
MOST_ARGUMENTS: Final = 50  # of one operation
LONGEST: Final = 500  # bytes of variables that are remembered
MOST_STATEMENTS: Final = 50  # of one operation
MOST_BYTES: Final = 200_000  # of the statements of one operation
KNOWN: Final = "compiled"
MARK: Final = SIGN_HERE.encode()

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Begun:
    """A root field of a plan. `root` is None for `__typename`."""

    key: str
    nodes: list[FieldNode]
    root: Root | None
    arguments: Arguments | None


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What is known of a document for one role and one setting of its directives."""

    begun: Sequence[Begun]
    selection: Selection
    staff: bool


@dataclass(slots=True)
class Bound:
    """A document with its variables: what directives say, and what each root field is asked for, once it was read."""

    flags: tuple[Any, ...]
    variables: VariableValues
    wanted: list[Wanted] | None = None


class Known:
    """What is remembered with an operation. `flags` are the variables that its directives use.

    In the place of a plan or a statement is said why there is none: an exception that is raised again keeps all that
    raised it before.
    """

    def __init__(self, operation: Operation) -> None:
        sets = [operation.node.selection_set, *(f.selection_set for f in operation.fragments.values())]
        self.flags = sorted(flags_in(sets))
        self.bound: Lately[bytes, Bound] = Lately(MOST_ARGUMENTS)
        self.plans: Lately[tuple[bool, tuple[Any, ...]], Plan | str] = Lately(MOST_PLANS)
        self.statements: Lately[Any, Written | str] = Lately(MOST_STATEMENTS, MOST_BYTES, weight)


class Written(NamedTuple):
    """A statement, and the lists that its cursors are of."""

    sql: bytes
    lists: list[str]


def known_of(operation: Operation) -> Known:
    if (known := operation.plans.get(KNOWN)) is None:
        known = operation.plans[KNOWN] = Known(operation)
    return known


class CompiledPath:
    def __init__(self, schema: Schema, cursors: Cursors) -> None:
        self._schema = schema
        self._cursors = cursors

    async def data(self, asked: Asked, actor: Actor, pool: Pool) -> bytes | None:
        """The JSON of the data."""
        try:
            known = known_of(asked.operation)
            plan, wanted = self._planned(known, asked, actor)
            query, lists, values = self._statement(known, plan, wanted, actor)
        except (NotCovered, DomainError, GraphQLError):
            return None
        try:
            found = await answered(pool, query, values)
        except (psycopg.Error, PoolTimeout) as error:
            log.warning("left to the executor: %s", error)
            return None
        return self._signed(found, lists) if lists else found

    def _planned(self, known: Known, asked: Asked, actor: Actor) -> tuple[Plan, list[Wanted]]:
        operation = asked.operation
        bound = self._bound(operation, known, asked)
        key = actor.in_charge, bound.flags
        plan = known.plans.get(key) or known.plans.put(key, self._plan(operation, known, *key))
        if isinstance(plan, str):
            raise NotCovered(plan)
        if not all(each.root is None or may_ask(each.root, actor) for each in plan.begun):
            raise NotCovered("somebody who may not ask")
        return plan, self._wanted(plan, bound)

    # -- what is the same for every request with the same variables

    def _bound(self, operation: Operation, known: Known, asked: Asked) -> Bound:
        text = to_json(asked.variables) if asked.variables else b""
        if (bound := known.bound.get(text)) is None:
            bound = self._coerced(operation, known, asked)
            if len(text) <= LONGEST:
                known.bound.put(text, bound)
        return bound

    def _coerced(self, operation: Operation, known: Known, asked: Asked) -> Bound:
        values = get_variable_values(
            self._schema._schema, operation.node.variable_definitions or (), dict(asked.variables)
        )
        if not isinstance(values, VariableValues):
            raise NotCovered("variables that are not as they are declared")
        return Bound(tuple(values.coerced.get(name) for name in known.flags), values)

    def _plan(self, operation: Operation, known: Known, staff: bool, values: tuple[Any, ...]) -> Plan | str:
        """Tried out at once, so that a document that is not covered is known for it."""
        flags = dict(zip(known.flags, values, strict=True))
        selection = Selection(self._schema._schema, operation.fragments, flags)
        try:
            begun = [self._begun(*each) for each in selection.of([operation.node.selection_set], "Query").items()]
            return Plan(begun, selection, staff)
        except NotCovered as reason:
            return str(reason)

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

    def _statement(
        self, known: Known, plan: Plan, wanted: list[Wanted], actor: Actor
    ) -> tuple[bytes, list[str], list[Any]]:
        owns = [list(each.root.own(actor)) for each in plan.begun if each.root]
        key = plan, tuple(map(shape, wanted, owns))
        statement = known.statements.get(key) or known.statements.put(key, written(plan, wanted, owns))
        if isinstance(statement, str):
            raise NotCovered(statement)
        values = [value for each, own in zip(wanted, owns, strict=True) for value in values_of(each, own)]
        return *statement, values

    def _signed(self, found: bytes, lists: list[str]) -> bytes:
        """Between two marks stands the number of a list, and what a cursor of it is made of."""
        pieces = found.split(MARK)
        for index in range(1, len(pieces), 2):
            number, payload = pieces[index].split(b"[", 1)
            pieces[index] = self._cursors.signed(lists[int(number)], b"[" + payload)
        return b"".join(pieces)


def written(plan: Plan, wanted: list[Wanted], owns: list[list[Condition]]) -> Written | str:
    """The statement, or why there is none."""
    statement = Statement()
    writer = Writer(plan.selection, staff=plan.staff)
    asked = iter(zip(wanted, owns, strict=True))
    try:
        sql = concat(braced((each.key, [root_sql(each, writer, statement, asked)]) for each in plan.begun))
    except NotCovered as reason:
        return str(reason)
    return Written(f"SELECT {sql}".encode(), statement.lists)


def weight(statement: Written | str) -> int:
    return len(statement if isinstance(statement, str) else statement.sql)


def root_sql(
    begun: Begun, writer: Writer, statement: Statement, asked: Iterator[tuple[Wanted, list[Condition]]]
) -> str:
    if begun.root is None:
        return literal('"Query"')
    return RootWriter(writer, begun.root, begun.nodes, statement).sql(*next(asked))


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
