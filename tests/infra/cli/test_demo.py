"""The sample shop comes up through the public API, once, and its customers order."""

from __future__ import annotations

import pytest

from infra.demo.assortment import categories, customers, products
from tests.eventually import eventually
from tests.infra.cli.process import chobo, chobo_within, lines, running

TELLING = "48908"
"""With this seed the first nine orders have between them all the ends that the test looks for."""


def test_the_shop_has_40_products_and_20_customers():
    assert (len(list(products())), len(customers())) == (40, 20)
    assert len({product.id for product in products()}) == 40
    assert {category.parent for category in categories()} == {None, "Desk", "Kitchen"}


def test_customers_order_until_the_count_is_reached_and_a_second_start_finds_the_shop_there(data):
    with running(data) as up:
        for _ in range(2):
            done = chobo("demo", "--url", up.address, "--data", str(data), "--rate", "50", "--orders", "3", "--json")
            assert (done.returncode, done.stderr) == (0, "")
            orders = lines(done)
            assert [order["number"] for order in orders] == [1, 2, 3]
            assert all(order["id"] for order in orders), orders


def test_without_a_running_chobo_it_is_unavailable_and_says_what_to_do(data):
    done = chobo("demo", "--url", "http://127.0.0.1:9", "--data", str(data))
    assert done.returncode == 3
    assert "nothing answers at http://127.0.0.1:9: start it with `chobo up`" in done.stderr


def test_up_can_run_the_shop_itself_and_still_stops_in_order(data):
    with running(data, "--demo", "--rate", "50") as up:
        assert next(line for line in up.said if line["event"] == "order")["id"]
        assert up.stop() == 0


@pytest.mark.timeout(300)
def test_orders_end_in_every_way_and_some_wait_for_an_operator(data, monkeypatch):
    monkeypatch.setenv("CHOBO_RATE_LIMITS", "0")
    with running(data) as up:
        shop = "demo", "--url", up.address, "--data", str(data), "--rate", "50", "--seed", TELLING, "--orders", "9"
        done = chobo_within(150, *shop, "--json")
        assert (done.returncode, done.stderr) == (0, "")
        assert lines(done)[-1]["tally"] | {"placed": 9, "refused": 0} == lines(done)[-1]["tally"]
        fates = {order["id"]: order["fate"] for order in lines(done)}
        eventually(lambda: waiting_for_an_operator(data), within=90)
        sagas = listed(data)
        ends = {fates[saga["order_id"]]: saga["outcome"] for saga in sagas if saga["process"] == "checkout"}
        (stuck,) = waiting_for_an_operator(data)
    assert ends["buys"] == ends["pays from a wallet"] == ends["transfers the money"] == "DONE"
    assert ends["is declined"] == ends["wants more than there is"] == ends["fails on the bank's page"] == "REJECTED"
    assert ends["gives up on the bank's page"] == "CANCELLED"
    assert fates[stuck["order_id"]] == "is sent goods that cannot be charged"
    assert (stuck["status"], stuck["code"]) == ("STUCK", "ALREADY_SHIPPED")
    (back,) = (saga for saga in sagas if saga["process"] == "return")
    assert (fates[back["order_id"]], back["outcome"]) == ("returns a piece", "DONE")


def listed(data, *options):
    return lines(chobo("sagas", "list", "--data", str(data), "--json", *options))


def waiting_for_an_operator(data):
    return listed(data, "--waits-for", "OPERATOR")
