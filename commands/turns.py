"""Taking turns with other processes on the same aggregates.

Whoever is in time never learns that somebody else was not, so the log tells it (`contended`), and it stands back for
the time of one call. Whoever came too late says so with each call (`still_waiting`) until all those commands are done.
"""

from __future__ import annotations

from collections.abc import Callable

from commands.run import Waiting

AVERAGE_OVER = 10  # calls
LONGEST_CALL = 0.05  # seconds: a call that outlived an outage says nothing about how long a turn takes


class Turns:
    def __init__(self, nobody_late: Callable[[], None]) -> None:
        """`nobody_late()` is called when the last late command is done with."""
        self.late = 0  # commands that came too late and are not answered yet
        self.shown = False  # whether others still see that we were late, which only another call takes back
        self._nobody_late = nobody_late
        self._call_time = 0.001  # seconds, moving average
        self._stand_back_until = 0.0

    def landed(self, now: float, took: float, *, contended: bool, late: bool) -> None:
        """`late`: this call showed the others that we were."""
        self.shown = late
        self._call_time += (min(took, LONGEST_CALL) - self._call_time) / AVERAGE_OVER
        if contended:
            self._stand_back_until = now + self._call_time

    def pause(self, now: float) -> float:
        """Seconds before the next call may be sent; none for who waits for a turn itself."""
        return 0.0 if self.late else max(0.0, self._stand_back_until - now)

    def came_late(self, waiting: Waiting) -> None:
        if not waiting.late:
            waiting.late = True
            self.late += 1
            waiting.answer.add_done_callback(lambda _: self.settled(waiting))

    def settled(self, waiting: Waiting) -> None:
        if waiting.late:
            waiting.late = False
            self.late -= 1
            if not self.late:
                self._nobody_late()
