"""Templates, and the words in which pages say times, money and states."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from importlib.resources import files
from json import dumps
from typing import Any, Final
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from domain.money import Money
from sagas.dashboard.odd import unshowable

BASE: Final = "/dashboard"

ONLY_HERE: Final = frozenset({"shown", "seen"})
"""Parameters of what a page asks for by itself."""

DAY, HOUR, MINUTE = 86_400, 3_600, 60


def rendered(template: str, values: Mapping[str, Any]) -> str:
    return TEMPLATES.get_template(template).render(values)


@cache
def asset(name: str) -> str:
    """The address of a file of ours, which is another one whenever the file is."""
    return f"{BASE}/assets/{name}?v={checksum(name)}"


@cache
def checksum(name: str) -> str:
    return sha256(files("sagas.dashboard.assets").joinpath(name).read_bytes()).hexdigest()[:16]


@cache
def style() -> Markup:
    """The style sheet, to be put into a file that stands alone."""
    return Markup(files("sagas.dashboard.assets").joinpath("style.css").read_text())  # noqa: S704  # it is ours


def lasting(seconds: float | timedelta | None) -> str:
    """As a person says it: 340 ms, 4.2 s, 3 min 20 s, 5 h 10 min, 12 d."""
    if seconds is None:
        return ""
    if isinstance(seconds, timedelta):
        seconds = seconds.total_seconds()
    if not seconds:
        return "0"
    if seconds < 1:
        return f"{max(0, round(seconds * 1000))} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for size, unit, smaller, small in ((DAY, "d", HOUR, "h"), (HOUR, "h", MINUTE, "min"), (MINUTE, "min", 1, "s")):
        if whole >= size:
            rest = whole % size // smaller
            return f"{whole // size} {unit}" + (f" {rest} {small}" if rest else "")
    return f"{whole} s"


def ago(at: datetime | None) -> str:
    return "" if at is None else f"{lasting(max(0.0, (datetime.now(UTC) - at).total_seconds()))} ago"


def until(at: datetime | None) -> str:
    if at is None:
        return ""
    left = (at - datetime.now(UTC)).total_seconds()
    return "now" if left <= 0 else f"in {lasting(left)}"


def stamp(at: datetime | None) -> str:
    """To the second, in UTC."""
    return "" if at is None else at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def clock(at: datetime | None) -> str:
    """To the millisecond, without the day."""
    return "" if at is None else at.astimezone(UTC).strftime("%H:%M:%S.") + f"{at.microsecond // 1000:03}"


def hour(at: datetime | None) -> str:
    """Hours and minutes, in UTC."""
    return "" if at is None else at.astimezone(UTC).strftime("%H:%M")


def machine(at: datetime | None) -> str:
    return "" if at is None else at.astimezone(UTC).isoformat()


def money(minor: int | None, currency: str | None) -> str:
    """What is owed has a minus sign, a real one."""
    if minor is None or not currency:
        return ""
    return ("\N{MINUS SIGN}" if minor < 0 else "") + str(Money(amount=abs(minor), currency=currency))


def guarded(row: Any, columns: int, caller: Callable[[], Markup]) -> Markup:
    """`{% call guarded(row, 6) %}` around what a table says of a row: where that fails, the row says so itself."""
    try:
        return caller()
    except Exception as error:  # noqa: BLE001  # whatever is wrong with one, the others are shown
        template = TEMPLATES.get_template("odd_row.html")
        return Markup(template.render(odd=unshowable(row, error), columns=columns))  # noqa: S704  # it is escaped there


def short(id: object) -> str:
    """The end of an id: ids made at the same time begin alike."""
    return str(id)[-8:]


def words(name: object) -> str:
    """WAITS_FOR as `waits for`."""
    return str(name).replace("_", " ").lower()


def link(visit: Any, path: str | None = None, **changes: str | None) -> str:
    """The address of a visit with other parameters; without those that are None, and without what only it is for."""
    query = dict(visit.request.query_params) | changes
    kept = {name: value for name, value in query.items() if value and name not in ONLY_HERE}
    there = BASE + path if path is not None else visit.request.url.path
    return there + (f"?{urlencode(kept)}" if kept else "")


def as_json(value: object) -> str:
    """For people: indented, every letter as itself."""
    return dumps(value, ensure_ascii=False, indent=2, default=str)


def compact(value: object) -> str:
    """The same on one line."""
    return dumps(value, ensure_ascii=False, default=str)


TEMPLATES: Final = Environment(
    loader=PackageLoader("sagas.dashboard"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
TEMPLATES.filters |= {
    "lasting": lasting, "ago": ago, "until": until, "stamp": stamp, "clock": clock, "machine": machine, "short": short,
    "words": words,
}  # fmt: skip
TEMPLATES.globals |= {"base": BASE, "money": money, "link": link, "guarded": guarded, "asset": asset}
TEMPLATES.filters |= {"hour": hour, "json": as_json, "compact": compact}
