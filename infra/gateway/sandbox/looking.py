"""What the API shows: objects with what is expanded in them, lists, search."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from infra.gateway.sandbox.forms import allow, needed, whole
from infra.gateway.sandbox.refusals import JSON, Refusal, missing
from infra.gateway.sandbox.state import State, shown

QUERY: Final = re.compile(r"^metadata\[(['\"])([^'\"]{1,40})\1\]:(['\"])([^'\"]*)\3$")
REFERENCES: Final = ("latest_charge", "charge", "payment_intent")


def rendered(state: State, thing: JSON, expand: Sequence[str] = ()) -> JSON:
    """`expand` names fields to be filled in, such as `latest_charge.refunds`."""
    view = shown(thing)
    for name in sorted({path.partition(".")[0] for path in expand}):
        inner = [path.partition(".")[2] for path in expand if path.startswith(f"{name}.")]
        if name == "refunds" and thing["object"] == "charge":
            made = state.under(thing["payment_intent"], "refund")
            view["refunds"] = page("/v1/refunds", [rendered(state, refund) for refund in made[:10]], len(made) > 10)
        elif name in REFERENCES and name in thing:
            view[name] = thing[name] and rendered(state, state.objects[thing[name]], inner)
        else:
            raise Refusal(f"This property cannot be expanded ({name}).", param="expand")
    return view


def page(url: str, data: list[JSON], more: bool) -> JSON:
    return {"object": "list", "url": url, "has_more": more, "data": data}


def retrieve(state: State, kind: str, id: str, form: JSON) -> JSON:
    allow(form, "expand")
    thing = state.objects.get(id)
    if thing is None or thing["object"] != kind:
        raise missing(kind, id, "id")
    return rendered(state, thing, form.get("expand", ()))


def list_of(state: State, kind: str, form: JSON) -> JSON:
    """Newest first."""
    allow(form, "created", "ending_before", "expand", "limit", "payment_intent", "starting_after", "type")
    if "ending_before" in form:
        raise Refusal("The sandbox pages forward only: use starting_after", param="ending_before")
    things = state.under(form["payment_intent"], kind) if "payment_intent" in form else state.of(kind)
    return paged(state, [thing for thing in things if matches(thing, form)], kind, form)


def matches(thing: JSON, form: JSON) -> bool:
    created: Any = form.get("created") or {}
    bounds = {"gte": thing["created"].__ge__, "gt": thing["created"].__gt__, "lte": thing["created"].__le__}
    if not isinstance(created, dict) or created.keys() - bounds.keys():
        raise Refusal("created takes gte, gt and lte", param="created")
    same = "type" not in form or thing.get("type") == form["type"]
    return same and all(bounds[name](whole(created, name)) for name in created)


def paged(state: State, things: Iterable[JSON], kind: str, form: JSON) -> JSON:
    limit, rest = min(whole(form, "limit", 10), 100), list(things)
    if after := form.get("starting_after"):
        ids = [thing["id"] for thing in rest]
        if after not in ids:
            raise missing(kind, after, "starting_after")
        rest = rest[ids.index(after) + 1 :]
    expand = inner(form)
    return page(f"/v1/{kind}s", [rendered(state, thing, expand) for thing in rest[:limit]], len(rest) > limit)


def search(state: State, form: JSON) -> JSON:
    """Payment intents by one entry of their metadata, which is what the adapter asks for."""
    allow(form, "expand", "limit", "page", "query")
    found = QUERY.match(needed(form, "query").strip())
    if found is None:
        raise Refusal("The sandbox searches by metadata['name']:'value' only", param="query")
    name, value = found[2], found[4]
    hits = [thing for thing in state.of("payment_intent") if thing["metadata"].get(name) == value]
    start, limit = whole(form, "page", 1) - 1, min(whole(form, "limit", 10), 100)
    data = [rendered(state, thing, inner(form)) for thing in hits[start : start + limit]]
    more = len(hits) > start + limit
    return {
        "object": "search_result",
        "url": "/v1/payment_intents/search",
        "has_more": more,
        "next_page": str(start + limit + 1) if more else None,
        "data": data,
    }


def inner(form: JSON) -> list[str]:
    """What is to be expanded in each of a list, of which `data.` is said first."""
    expand = form.get("expand", ())
    if wrong := [path for path in expand if not path.startswith("data.")]:
        raise Refusal(f"This property cannot be expanded ({wrong[0]}): in lists it begins with data.", param="expand")
    return [path.removeprefix("data.") for path in expand]
