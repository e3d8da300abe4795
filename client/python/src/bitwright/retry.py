"""When a call is tried again, and when that is given up: the same rules as the C++ client's (proto/transfer)."""

from __future__ import annotations

import dataclasses
import random
import time
from typing import Any, Callable, Iterable, List, TypeVar

from bitwright import steps
from bitwright.errors import BitwrightError, make
from bitwright.methods import Method
from bitwright.steps import Sleep, Steps

Q = TypeVar('Q')
R = TypeVar('R')
A = TypeVar('A')

FIRST_SECONDS = 0.05
LONGEST_SECONDS = 5.0
SPREAD = 0.5  # up to this part of each delay is left out at random, so that callers do not return all at once
MOST_PAGE_SIZE = 1000
BUSY = ('LANE_FULL', 'UPLOADS_FULL')  # a queue that is full drains; a message that is too large does not get smaller


@dataclasses.dataclass
class Patience:
    """How long a service is waited for; shared by all calls of a client."""

    seconds: float = 120.0
    first_seconds: float = 5.0  # until it has answered for the first time
    reached: bool = False

    def now(self) -> float:
        return self.seconds if self.reached else min(self.seconds, self.first_seconds)


def is_transient(error: BitwrightError) -> bool:
    return error.code == 'UNAVAILABLE' or (error.code == 'RESOURCE_EXHAUSTED' and error.reason in BUSY)


class Retry:
    """The attempts of one call."""

    def __init__(self, patience: Patience):
        self._patience = patience
        self._attempt = 0
        self._began = time.monotonic()

    def pause(self, error: BitwrightError) -> Sleep:
        """The pause before the next attempt; raises the error where none is worth it."""
        if not is_transient(error):
            raise error
        delay = min(FIRST_SECONDS * 2.0 ** min(self._attempt, 64), LONGEST_SECONDS) * (1 - SPREAD * random.random())
        self._attempt += 1
        if time.monotonic() + delay > self._began + self._patience.now():
            raise error
        return Sleep(delay)

    def progressed(self) -> None:
        """The last attempt got further than the one before: patience begins again."""
        self._attempt = 0
        self._began = time.monotonic()


def stream_ended() -> BitwrightError:
    return make('UNAVAILABLE', 'STREAM_ENDED', 'the stream ended early')


def unary(patience: Patience, method: Method[Q, R], request: Q) -> Steps[R]:
    """A call until it succeeds, or is not worth another attempt."""
    retry = Retry(patience)
    while True:
        try:
            return (yield from steps.call(method, request))
        except BitwrightError as error:
            yield retry.pause(error)


def listed(patience: Patience, method: Method[Any, A], request: Any, items: Callable[[A], Iterable[R]], most: int) -> Steps[List[R]]:
    """At most so many items of a list that comes in pages."""
    found: List[R] = []
    while len(found) < most:
        request.page_size = min(most - len(found), MOST_PAGE_SIZE)
        answer: Any = yield from unary(patience, method, request)
        found += items(answer)
        request.page_token = answer.next_page_token
        if not request.page_token:
            break
    return found[:most]
