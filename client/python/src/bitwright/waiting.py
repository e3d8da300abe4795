"""Runs procedures (bitwright.steps) by waiting in threads."""

from __future__ import annotations

import concurrent.futures
import contextlib
import threading
from typing import Any, Dict, Iterator, Set, TypeVar

import grpc

from bitwright import steps, tracing
from bitwright.access import Access
from bitwright.call_errors import call_error
from bitwright.errors import BitwrightError, final
from bitwright.retry import Patience
from bitwright.steps import Steps

T = TypeVar('T')


class Interrupted(BaseException):
    """Ends procedures in other threads when the one that they belong to has ended."""


class _Run:
    """What is under way for one procedure, and for those beside it: it ends together, and is in the trace that it began
    in, in whichever thread."""

    def __init__(self, trace: tracing.Metadata) -> None:
        self.trace = trace
        self.ended = threading.Event()
        self._under_way: Set[Any] = set()
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def keeping(self, call: Any) -> Iterator[Any]:
        self.keep(call)
        try:
            yield call
        finally:
            self.drop(call)

    def keep(self, call: Any) -> None:
        with self._lock:
            self._under_way.add(call)
        if self.ended.is_set():
            call.cancel()

    def drop(self, call: Any) -> None:
        with self._lock:
            self._under_way.discard(call)

    def cancel(self) -> None:
        self.ended.set()
        with self._lock:
            calls = list(self._under_way)
        for call in calls:
            call.cancel()


class Waiting:
    """A connection for programs that wait. Thread-safe."""

    def __init__(self, access: Access, patience: Patience):
        self.access = access
        self.patience = patience
        options = access.options()
        self.channel = (grpc.insecure_channel(access.address, options) if access.credentials is None
                        else grpc.secure_channel(access.address, access.credentials, options))
        self._stubs: Dict[Any, Any] = {}

    def close(self) -> None:
        self.channel.close()

    def run(self, procedure: Steps[T]) -> T:
        """The result of a procedure that emits nothing."""
        run = _Run(tracing.metadata())
        try:
            result: T = _result(self._drive(procedure, run))
            return result
        finally:
            run.cancel()

    def iterate(self, procedure: Steps[Any]) -> Iterator[Any]:
        """What a procedure emits."""
        run = _Run(tracing.metadata())
        try:
            yield from self._drive(procedure, run)
        finally:
            run.cancel()

    def _drive(self, procedure: Steps[Any], run: _Run) -> Any:
        answer: Any = None
        error: Any = None
        try:
            while True:
                try:
                    step = procedure.throw(error) if error is not None else procedure.send(answer)
                except StopIteration as end:
                    return end.value
                except BitwrightError as raised:
                    raise final(raised, self.access.address) from None
                answer = error = None
                if isinstance(step, steps.Emit):
                    yield step.value
                    continue
                try:
                    answer = self._do(step, run)
                except BitwrightError as failed:
                    error = failed
                if run.ended.is_set():
                    raise Interrupted
        finally:
            procedure.close()

    def _do(self, step: Any, run: _Run) -> Any:
        if isinstance(step, steps.Work):
            return step.function()
        if isinstance(step, steps.Sleep):
            return run.ended.wait(step.seconds)
        if isinstance(step, steps.Together):
            return self._together(step, run)
        if isinstance(step, steps.Close):
            run.drop(step.stream.call)
            return step.stream.call.cancel()
        shown = self.access.token.metadata()
        try:
            answer = self._call(step, shown + run.trace, run)
        except grpc.FutureCancelledError:
            raise Interrupted from None
        except grpc.RpcError as error:
            raise call_error(error, self.access.token, shown, self.patience) from None
        if not isinstance(step, steps.Open):
            self.patience.reached = True
        return answer

    def _call(self, step: Any, metadata: Any, run: _Run) -> Any:
        if isinstance(step, steps.Read):
            message = next(step.stream.call, None)
            if message is None:
                run.drop(step.stream.call)
            return message
        if isinstance(step, steps.Open):
            stream = self._stub(step.method, 'unary_stream')(step.request, step.seconds, metadata)
            run.keep(stream)
            return steps.Stream(stream)
        kind, given = ('unary_unary', step.request) if isinstance(step, steps.Call) else ('stream_unary', step.requests)
        with run.keeping(self._stub(step.method, kind).future(given, step.seconds, metadata)) as call:
            return call.result()

    def _stub(self, method: Any, kind: str) -> Any:
        if method not in self._stubs:
            self._stubs[method] = getattr(self.channel, kind)(method.path, method.serialize, method.parse)
        return self._stubs[method]

    def _together(self, step: steps.Together, run: _Run) -> Any:
        beside = _Run(run.trace)  # ends with `run`, or with the first of the procedures that fails
        with run.keeping(beside), concurrent.futures.ThreadPoolExecutor(max_workers=max(1, step.width)) as pool:
            futures = [pool.submit(_result, self._drive(procedure, beside)) for procedure in step.procedures]
            try:
                concurrent.futures.wait(futures, return_when=concurrent.futures.FIRST_EXCEPTION)
                for future in futures:
                    if future.done():  # raises the first error
                        future.result()
                return [future.result() for future in futures]
            finally:
                beside.cancel()
                for future in futures:
                    future.cancel()


def _result(values: Iterator[Any]) -> Any:
    """What a procedure that emits nothing returns in the end."""
    while True:
        try:
            next(values)
        except StopIteration as end:
            return end.value
