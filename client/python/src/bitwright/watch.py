"""Follows a model or a job through all its states."""

from __future__ import annotations

import time
from typing import Any, Callable, Optional

from bitwright import methods, retry, steps
from bitwright.errors import BitwrightError
from bitwright.methods import Method
from bitwright.retry import Patience, Retry
from bitwright.steps import Emit, Steps
from bitwright.v1 import jobs_pb2, models_pb2


def watch_job(patience: Patience, name: str, timeout: Optional[float] = None) -> Steps[jobs_pb2.Job]:
    """Emits the job as it is now and after every change, and returns it once it has ended. TimeoutError after `timeout`
    seconds."""
    return _watch(patience, methods.WATCH_JOB, jobs_pb2.WatchJobRequest(name=name),
                  lambda job: job.state >= jobs_pb2.Job.SUCCEEDED, timeout)


def watch_model(patience: Patience, name: str) -> Steps[models_pb2.Model]:
    """The same with a model that is being inspected."""
    return _watch(patience, methods.WATCH_MODEL, models_pb2.WatchModelRequest(name=name),
                  lambda model: model.state >= models_pb2.Model.READY, None)


def _watch(patience: Patience, method: Method[Any, Any], request: Any, is_last: Callable[[Any], bool],
           timeout: Optional[float]) -> Steps[Any]:
    give_up = None if timeout is None else time.monotonic() + timeout
    latest = None
    attempts = Retry(patience)
    while True:
        answered = False
        try:
            seconds = steps.STREAM_SECONDS if give_up is None else min(steps.STREAM_SECONDS, max(0.0, give_up - time.monotonic()))
            stream = yield from steps.open_stream(method, request, seconds)
            while (message := (yield from steps.read(stream))) is not None:
                answered = True
                attempts.progressed()
                if latest is None or message.revision > latest.revision:
                    latest = message
                    yield Emit(latest)
            error = retry.stream_ended()
        except BitwrightError as failed:
            error = retry.stream_ended() if failed.code == 'DEADLINE_EXCEEDED' else failed
            if answered and error is not failed:
                attempts.progressed()  # a server that says nothing new for so long is there all the same
        if latest is not None and is_last(latest):
            return latest
        if give_up is not None and time.monotonic() >= give_up:
            raise TimeoutError(f'{request.name} has not ended within {timeout} s; it goes on at the server')
        yield attempts.pause(error)
