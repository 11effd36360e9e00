"""Documents by their hash: Apollo's protocol, and the signed list."""

from __future__ import annotations

import re
from typing import Any, Final

import pytest

from read_api import persisted as module
from read_api.app import GraphQLApp
from read_api.errors import DocumentNotAllowed, InvalidPersistedQuery, PersistedQueryNotFound
from read_api.persisted import ListRefused, Persisted, hash_of, opened_list, signed_list
from read_api.schema import make_schema
from tests.read_api.conftest import Api

ASK: Final = "{ __typename }"
OTHER: Final = "{ x: __typename }"
SECRET: Final = "s" * 32


def by_hash(text: str, **more: Any) -> dict[str, Any]:
    return {"persistedQuery": {"version": 1, "sha256Hash": hash_of(text), **more}}


class TestApollosProtocol:
    async def test_a_hash_is_known_once_its_document_came_with_it(self, api: Api) -> None:
        asked = {"extensions": by_hash(ASK)}
        unknown = (await api.client.post("/graphql", json=asked)).json()
        assert unknown["errors"][0]["message"] == "PersistedQueryNotFound"
        assert unknown["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
        told = (await api.client.post("/graphql", json=asked | {"query": ASK})).json()
        assert told["data"] == {"__typename": "Query"}
        known = (await api.client.post("/graphql", json=asked)).json()
        assert known == told

    async def test_it_can_be_asked_for_by_get(self, api: Api) -> None:
        await api.client.post("/graphql", json={"query": ASK, "extensions": by_hash(ASK)})
        extensions = f'{{"persistedQuery":{{"version":1,"sha256Hash":"{hash_of(ASK)}"}}}}'
        answer = await api.client.get("/graphql", params={"extensions": extensions})
        assert answer.json()["data"] == {"__typename": "Query"}

    @pytest.mark.parametrize(
        "given",
        [1, {}, {"version": 2, "sha256Hash": "0" * 64}, {"version": 1}, {"version": 1, "sha256Hash": "X" * 64}],
    )
    def test_what_is_not_the_protocol_is_refused(self, given: Any) -> None:
        with pytest.raises(InvalidPersistedQuery):
            Persisted().text(ASK, {"persistedQuery": given})

    def test_a_document_under_anothers_hash_is_refused(self) -> None:
        with pytest.raises(InvalidPersistedQuery, match=hash_of(ASK)):
            Persisted().text(ASK, by_hash(OTHER))

    def test_the_least_used_is_forgotten(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "MOST", 2)
        persisted = Persisted()
        for text in ("{ a }", "{ b }"):
            persisted.remember(text, by_hash(text))
        persisted.text(None, by_hash("{ a }"))
        persisted.remember("{ c }", by_hash("{ c }"))
        assert persisted.text(None, by_hash("{ a }")) == "{ a }"
        with pytest.raises(PersistedQueryNotFound):
            persisted.text(None, by_hash("{ b }"))

    def test_no_more_than_so_much_text_is_remembered(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "MOST_BYTES", 100)
        persisted = Persisted()
        for number in range(50):
            persisted.remember(f"{{ field{number} }}", by_hash(f"{{ field{number} }}"))
        assert 0 < persisted._told.weight <= 100

    @pytest.mark.parametrize("rubbish", ["{", "{ nothing }", "{ __schema { a } }", "query A { a } query B { b }"])
    async def test_what_is_not_valid_is_not_remembered(self, api: Api, rubbish: str) -> None:
        asked = {"extensions": by_hash(rubbish)}
        for accept in ("application/json", "text/event-stream"):
            await api.client.post("/graphql", json=asked | {"query": rubbish}, headers={"accept": accept})
        unknown = (await api.client.post("/graphql", json=asked)).json()
        assert unknown["errors"][0]["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"

    async def test_a_stream_is_known_by_its_hash_too(self, api: Api) -> None:
        document = 'subscription { orderChanged(id: "1") { cursor } }'
        asked = {"extensions": by_hash(document)}
        stream = {"accept": "text/event-stream"}
        codes = []
        for more in ({}, {"query": document}, {}):
            answer = await api.client.post("/graphql", json=asked | more, headers=stream)
            codes += re.findall('"code":"([A-Z_]+)"', answer.text)
        assert codes == ["PERSISTED_QUERY_NOT_FOUND", "UNAUTHENTICATED", "UNAUTHENTICATED"]


class TestTheSignedList:
    def test_it_is_opened_with_the_secret_it_was_made_with(self) -> None:
        listed = opened_list(signed_list([ASK, OTHER], SECRET), SECRET)
        assert dict(listed) == {hash_of(ASK): ASK, hash_of(OTHER): OTHER}

    @pytest.mark.parametrize(
        "old, new",
        [
            ("__typename", "__schema"),
            (hash_of(ASK), hash_of(OTHER)),
            (hash_of(ASK), hash_of(ASK).translate(str.maketrans("0123456789", "1234567890"))),
            ('"signature"', '"signed"'),
        ],
    )
    def test_a_changed_file_is_refused(self, old: str, new: str) -> None:
        content = signed_list([ASK], SECRET)
        changed = content.replace(old.encode(), new.encode())
        assert changed != content
        with pytest.raises(ListRefused):
            opened_list(changed, SECRET)

    def test_another_installations_is_refused(self) -> None:
        with pytest.raises(ListRefused, match="not of this installation"):
            opened_list(signed_list([ASK], SECRET), "t" * 32)

    def test_with_only_nothing_else_is_executed(self) -> None:
        persisted = Persisted({hash_of(ASK): ASK}, only=True)
        assert persisted.text(ASK, None) == persisted.text(None, by_hash(ASK)) == persisted.text(ASK, by_hash(ASK))
        for query, extensions in ((OTHER, None), (None, by_hash(OTHER)), (OTHER, by_hash(OTHER))):
            with pytest.raises(DocumentNotAllowed, match="chobo documents"):
                persisted.text(query, extensions)

    def test_without_only_the_list_is_known_from_the_start(self) -> None:
        persisted = Persisted({hash_of(ASK): ASK})
        assert persisted.text(None, by_hash(ASK)) == ASK
        assert persisted.text(OTHER, None) == OTHER

    async def test_over_http_and_through_the_executor_alike(self, api: Api) -> None:
        schema = make_schema(persisted=Persisted({hash_of(ASK): ASK}, only=True))
        app = GraphQLApp(schema, api.pool, api.app._watch, api.app._authenticate, api.app._cursors)
        api.app.__dict__.update(app.__dict__)
        assert (await api.refused(OTHER, None))["extensions"]["code"] == "DOCUMENT_NOT_ALLOWED"
        assert await api.ask(ASK, None) == {"__typename": "Query"}
        streamed = await schema.execute(OTHER)
        assert streamed.errors
        assert isinstance(streamed.errors[0].original_error, DocumentNotAllowed)
