"""The sample shop comes up through the public API, once, and its customers order."""

from __future__ import annotations

from infra.demo.assortment import categories, customers, products
from tests.infra.cli.process import chobo, lines, running


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
