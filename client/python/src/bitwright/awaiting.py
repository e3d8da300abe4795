"""Runs procedures (bitwright.steps) on an event loop of asyncio."""

from __future__ import annotations

import asyncio
from typing import Any, AsyncIterator, Dict, List, Set, TypeVar

import grpc
import grpc.aio

from bitwright import steps, tracing
from bitwright.access import Access
from bitwright.call_errors import call_error
from bitwright.errors import BitwrightError, final
from bitwright.retry import Patience
from bitwright.steps import Steps

T = TypeVar('T')
_END = object()


class Awaiting:
    """A connection for coroutines of one event loop, that in which it was made."""

    def __init__(self, access: Access, patience: Patience):
        self.access = access
        self.patience = patience
        options = access.options()
        self.channel = (grpc.aio.insecure_channel(access.address, options) if access.credentials is None
                        else grpc.aio.secure_channel(access.address, access.credentials, options))
        self._stubs: Dict[Any, Any] = {}

    async def close(self) -> None:
        await self.channel.close()

    async def run(self, procedure: Steps[T]) -> T:
        """The result of a procedure that emits nothing."""
        results: List[T] = []
        async for _ in self._drive(procedure, results):
            pass
        return results[0]

    def iterate(self, procedure: Steps[Any]) -> AsyncIterator[Any]:
        """What a procedure emits."""
        return self._drive(procedure, [])

    async def _drive(self, procedure: Steps[Any], results: List[Any]) -> AsyncIterator[Any]:
        answer: Any = None
        error: Any = None
        streams: Set[Any] = set()
        try:
            while True:
                try:
                    step = procedure.throw(error) if error is not None else procedure.send(answer)
                except StopIteration as end:
                    results.append(end.value)
                    return
                except BitwrightError as raised:
                    raise final(raised, self.access.address) from None
                answer = error = None
                if isinstance(step, steps.Emit):
                    yield step.value
                    continue
                try:
                    answer = await self._do(step, streams)
                except BitwrightError as failed:
                    error = failed
        finally:
            procedure.close()
            for stream in streams:
                stream.cancel()

    async def _do(self, step: Any, streams: Set[Any]) -> Any:
        if isinstance(step, steps.Work):
            return await asyncio.to_thread(step.function)
        if isinstance(step, steps.Sleep):
            return await asyncio.sleep(step.seconds)
        if isinstance(step, steps.Together):
            return await self._together(step)
        if isinstance(step, steps.Close):
            streams.discard(step.stream.call)
            return step.stream.call.cancel()
        shown = self.access.token.metadata()
        try:
            answer = await self._call(step, shown + tracing.metadata(), streams)
        except grpc.RpcError as error:
            raise call_error(error, self.access.token, shown, self.patience) from None
        if not isinstance(step, steps.Open):
            self.patience.reached = True
        return answer

    async def _call(self, step: Any, metadata: Any, streams: Set[Any]) -> Any:
        if isinstance(step, steps.Read):
            message = await step.stream.call.read()
            if message is not grpc.aio.EOF:
                return message
            streams.discard(step.stream.call)
            return None
        if isinstance(step, steps.Open):
            stream = self._stub(step.method, 'unary_stream')(step.request, timeout=step.seconds, metadata=metadata)
            streams.add(stream)
            return steps.Stream(stream)
        if isinstance(step, steps.Call):
            return await self._stub(step.method, 'unary_unary')(step.request, timeout=step.seconds, metadata=metadata)
        requests = _from_thread(step.requests)
        return await self._stub(step.method, 'stream_unary')(requests, timeout=step.seconds, metadata=metadata)

    def _stub(self, method: Any, kind: str) -> Any:
        if method not in self._stubs:
            self._stubs[method] = getattr(self.channel, kind)(method.path, method.serialize, method.parse)
        return self._stubs[method]

    async def _together(self, step: steps.Together) -> Any:
        width = asyncio.Semaphore(max(1, step.width))

        async def whole(procedure: Steps[Any]) -> Any:
            async with width:
                return await self.run(procedure)
        tasks = [asyncio.ensure_future(whole(procedure)) for procedure in step.procedures]
        try:
            return list(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)


async def _from_thread(values: Any) -> AsyncIterator[Any]:
    """Values of an iterator that reads files."""
    while (value := await asyncio.to_thread(next, values, _END)) is not _END:
        yield value
