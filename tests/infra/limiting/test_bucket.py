"""The algorithm against a model that knows nothing but the requests and fractions of seconds."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.limiting.bucket import MINUTE, MOST, SECOND, Bucket, share, whole

ALLOWED = st.sampled_from([1, 3, 20, 60, 600, 7, 1001])
PAUSES = st.lists(st.integers(0, 20 * SECOND) | st.integers(0, SECOND // 10) | st.just(0), max_size=120)
START = 1_800_000_000 * SECOND


class Naive:
    """A pail that leaks `allowed` a minute, and holds as many."""

    def __init__(self, allowed: int) -> None:
        self.allowed, self.level, self.at = allowed, Fraction(0), START

    def take(self, now: int, cost: int) -> bool:
        leaked = Fraction(now - self.at, share(self.allowed))
        self.level, self.at = max(Fraction(0), self.level - leaked), now
        if self.level + cost > self.allowed:
            return False
        self.level += cost
        return True


@given(ALLOWED, PAUSES, st.data())
def test_it_takes_what_the_naive_model_takes_and_says_what_is_left_and_how_long_to_wait(allowed, pauses, data):
    bucket, naive, now = Bucket(), Naive(allowed), START
    for pause in pauses:
        now += pause
        cost = data.draw(st.integers(1, min(3, allowed)))
        wait = bucket.wait(allowed, now, cost)
        if naive.take(now, cost):
            assert wait == 0
            bucket.take(allowed, now, cost)
        else:
            assert wait > 0
            assert bucket.wait(allowed, now + wait - 1, cost) == 1
            assert bucket.wait(allowed, now + wait, cost) == 0
        assert bucket.left(allowed, now) == (allowed - naive.level) // 1
        assert bucket.lacks(now) == naive.level * share(allowed)


STEPS = st.lists(st.tuples(st.integers(0, SECOND), st.integers(0, 2), st.booleans()), min_size=1, max_size=120)


@given(st.sampled_from([60, 600, 1001]), STEPS)
def test_buckets_that_exchange_differ_from_one_that_saw_everything_by_what_comes_between_exchanges(allowed, steps):
    """Three processes that let everything through; after a request one tells the others, or does not."""
    buckets, shared, exact, now = [Bucket() for _ in range(3)], START, START, START
    longest = most = 0  # time for which something was kept back, and how much was at one moment
    for pause, who, tells in steps:
        now += pause
        buckets[who].take(allowed, now)
        exact = max(exact, now) + share(allowed)
        longest = max(longest, *[now - b.since for b in buckets if b.taken])
        most = max(most, sum(b.taken for b in buckets))
        if tells:
            shared = merged(shared, *buckets[who].send())
            buckets[who].answer(shared, now)
    for bucket in buckets:
        shared = merged(shared, *bucket.send())
    assert exact - longest <= max(shared, now)
    assert shared <= max(exact, now) + most


def merged(shared: int, since: int, taken: int) -> int:
    """What EXCHANGE does."""
    return max(shared, since) + taken


def test_a_minute_at_once_then_its_share():
    bucket = Bucket()
    for _ in range(20):
        assert bucket.wait(20, START) == 0
        bucket.take(20, START)
    assert bucket.wait(20, START) == 3 * SECOND
    assert bucket.wait(20, START + 3 * SECOND) == 0


@pytest.mark.parametrize("allowed", [1, 7, 60, 1001])
def test_what_does_not_divide_a_minute_is_off_by_less_than_a_microsecond_a_request(allowed):
    assert MINUTE - allowed < whole(allowed) <= MINUTE


def test_what_did_not_arrive_is_sent_again_from_its_beginning():
    bucket = Bucket()
    bucket.take(60, START)
    since, taken = bucket.send()
    bucket.take(60, START + SECOND)
    bucket.unsend(since)
    assert bucket.send() == (START, taken + SECOND)


def test_a_clock_that_was_set_back_locks_nobody_out_for_longer_than_two_minutes():
    bucket = Bucket()
    bucket.take(60, START + 3600 * SECOND)
    assert bucket.wait(60, START) <= MOST
    assert bucket.wait(60, START + MOST) == 0
