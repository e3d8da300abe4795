"""What the package does, apart from how it waits.

A procedure ("upload this model") is a generator of steps: calls, reads, pauses, work on files. It never waits itself.
`bitwright.waiting` runs it for threads, `bitwright.awaiting` for asyncio; so each procedure is written once. A step that
failed raises its BitwrightError inside the generator.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Callable, Generator, Generic, Iterable, Iterator, List, Sequence, TypeVar, cast

from bitwright.methods import Method

Q = TypeVar('Q')
R = TypeVar('R')
T = TypeVar('T')

# A procedure with a result of type T; what is sent back into it depends on the step.
Steps = Generator[Any, Any, T]

UNARY_SECONDS = 60.0
STREAM_SECONDS = 600.0  # a stream that a lost peer silently ended is noticed after this, and begun again where it was


@dataclasses.dataclass
class Call:
    """One call with one answer."""

    method: Method[Any, Any]
    request: Any
    seconds: float


@dataclasses.dataclass
class Send:
    """A call whose requests are a stream, with one answer."""

    method: Method[Any, Any]
    requests: Iterator[Any]
    seconds: float


@dataclasses.dataclass
class Open:
    """A call whose answers are a stream; the step gives the stream, for Read and Close."""

    method: Method[Any, Any]
    request: Any
    seconds: float


class Stream(Generic[R]):
    """An open stream of answers, in whatever form the runner has it."""

    def __init__(self, call: Any):
        self.call = call


@dataclasses.dataclass
class Read:
    """The next message of a stream; None at its end in order."""

    stream: Stream[Any]


@dataclasses.dataclass
class Close:
    """Ends a stream before its end."""

    stream: Stream[Any]


@dataclasses.dataclass
class Sleep:
    seconds: float


@dataclasses.dataclass
class Work:
    """A function that takes the disk or a core for a while, but never the network."""

    function: Callable[[], Any]


@dataclasses.dataclass
class Together:
    """Procedures that run side by side, at most `width` at once; gives their results in order."""

    procedures: Sequence[Steps[Any]]
    width: int


@dataclasses.dataclass
class Emit:
    """Gives a value to whoever iterates over the procedure."""

    value: Any


# The same as typed procedures of one step: `answer = yield from call(METHOD, request)`.

def call(method: Method[Q, R], request: Q, seconds: float = UNARY_SECONDS) -> Steps[R]:
    return cast(R, (yield Call(method, request, seconds)))


def send(method: Method[Q, R], requests: Iterable[Q], seconds: float = STREAM_SECONDS) -> Steps[R]:
    return cast(R, (yield Send(method, iter(requests), seconds)))


def open_stream(method: Method[Q, R], request: Q, seconds: float = STREAM_SECONDS) -> Steps[Stream[R]]:
    return cast(Stream[R], (yield Open(method, request, seconds)))


def read(stream: Stream[R]) -> Steps[Any]:
    """The next message, or None."""
    return (yield Read(stream))


def work(function: Callable[[], T]) -> Steps[T]:
    return cast(T, (yield Work(function)))


def together(procedures: Sequence[Steps[T]], width: int) -> Steps[List[T]]:
    return cast(List[T], (yield Together(procedures, width)))


def taking(procedure: Steps[T], take: Callable[[Any], None]) -> Steps[T]:
    """A procedure whose emitted values go to `take` instead of out."""
    try:
        step = next(procedure)
        while True:
            if isinstance(step, Emit):
                take(step.value)
                step = procedure.send(None)
                continue
            try:
                answer = yield step
            except Exception as error:
                step = procedure.throw(error)
            else:
                step = procedure.send(answer)
    except StopIteration as end:
        return cast(T, end.value)
    finally:
        procedure.close()
