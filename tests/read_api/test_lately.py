from __future__ import annotations

from read_api.lately import Lately


def test_the_least_used_is_forgotten() -> None:
    lately: Lately[str, int] = Lately(2)
    lately.put("a", 1)
    lately.put("b", 2)
    assert lately.get("a") == 1
    lately.put("c", 3)
    assert (lately.get("a"), lately.get("b"), lately.get("c")) == (1, None, 3)


def test_no_more_than_so_much_is_remembered() -> None:
    lately: Lately[str, str] = Lately(10, 5, len)
    for word in ("aa", "bb", "cc"):
        lately.put(word, word)
    assert (lately.get("aa"), lately.get("bb"), lately.weight) == (None, "bb", 4)


def test_what_is_too_heavy_by_itself_is_not_remembered() -> None:
    lately: Lately[str, str] = Lately(10, 5, len)
    assert lately.put("long", "longer") == "longer"
    assert (lately.get("long"), lately.weight, len(lately)) == (None, 0, 0)


def test_a_value_takes_the_place_of_the_one_before() -> None:
    lately: Lately[str, str] = Lately(10, 5, len)
    lately.put("a", "long")
    lately.put("a", "b")
    assert (lately.get("a"), lately.weight, len(lately)) == ("b", 1, 1)
