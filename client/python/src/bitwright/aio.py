"""The client for asyncio: what client.py has for programs that wait, made of the same procedures. Docstrings are there."""

from __future__ import annotations

import asyncio
import pathlib
from types import TracebackType
from typing import TYPE_CHECKING, AsyncIterator, List, Optional, Tuple, Type, TypeVar, Union

from bitwright import jobs, methods, retry
from bitwright.access import TlsLike, TokenLike, access_to
from bitwright.artifacts import ArtifactView
from bitwright.awaiting import Awaiting
from bitwright.job_options import JobOptions
from bitwright.jobs import Budgets, JobView
from bitwright.local import LocalService, await_health, explaining
from bitwright.messages import record
from bitwright.models import Model, ModelLike, PathLike, as_model, find_model, list_models, upload_model
from bitwright.progress import ProgressLike, listener
from bitwright.retry import Patience
from bitwright.steps import Steps
from bitwright.types import Capabilities, Estimate, JobStatus, Recipe, Report
from bitwright.v1 import capabilities_pb2, jobs_pb2, models_pb2
from bitwright.watch import watch_job

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

T = TypeVar('T')


class AsyncClient:
    """Client for coroutines of one event loop, in which it is made. Close it, or use it in an `async with` block."""

    def __init__(self, server: Optional[str] = None, *, context: Optional[str] = None, token: TokenLike = None,
                 tls: TlsLike = None, patience: float = 120.0):
        self._patience = Patience(patience)
        self._awaiting = Awaiting(access_to(server, token, tls, context), self._patience)
        self._local: Optional[LocalService] = None

    @classmethod
    async def local(cls, *, workers: int = 1, threads: int = 0, data_dir: Optional[PathLike] = None,
                    daemon: Optional[PathLike] = None) -> Self:
        """As Client.local."""
        service = await asyncio.to_thread(LocalService, workers, threads, data_dir, daemon)
        client = cls(service.address, token='', tls=False, patience=10.0)
        client._local = service
        try:
            await client._awaiting.run(await_health(service))
        except BaseException:
            await client.close()
            raise
        return client

    async def close(self) -> None:
        await self._awaiting.close()
        if self._local is not None:
            await asyncio.to_thread(self._local.stop)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                        trace: Optional[TracebackType]) -> None:
        await self.close()

    async def capabilities(self) -> Capabilities:
        request = capabilities_pb2.GetCapabilitiesRequest()
        answer = await self._run(retry.unary(self._patience, methods.GET_CAPABILITIES, request))
        return record(Capabilities, answer)

    async def recipes(self) -> Tuple[Recipe, ...]:
        return tuple(record(Recipe, recipe) for recipe in await self._run(jobs.list_recipes(self._patience)))

    async def upload_model(self, path: PathLike, *, name: Optional[str] = None, progress: ProgressLike = None) -> Model:
        return await self._run(upload_model(self._patience, path, name, listener(progress)))

    async def model(self, name: str) -> Model:
        return as_model(await self._run(find_model(self._patience, name)))

    async def models(self, filter: str = '', *, limit: int = 50) -> List[Model]:
        return [as_model(model) for model in await self._run(list_models(self._patience, filter, limit))]

    async def delete_model(self, model: Union[Model, str]) -> None:
        name = model.name if isinstance(model, Model) else model
        await self._run(retry.unary(self._patience, methods.DELETE_MODEL, models_pb2.DeleteModelRequest(name=name)))

    async def plan(self, model: ModelLike, budget: Budgets = None, *, progress: ProgressLike = None,
                   **options: Unpack[JobOptions]) -> Estimate:
        return await self._run(jobs.plan(self._patience, model, budget, options, listener(progress)))

    async def quantize(self, model: ModelLike, budget: Budgets, *, progress: ProgressLike = None,
                       **options: Unpack[JobOptions]) -> AsyncJob:
        return AsyncJob(self, await self._run(jobs.quantize(self._patience, model, budget, options, listener(progress))))

    async def job(self, name: str) -> AsyncJob:
        return AsyncJob(self, await self._run(jobs.get_job(self._patience, name)))

    async def jobs(self, filter: str = '', *, limit: int = 50) -> List[AsyncJob]:
        return [AsyncJob(self, job) for job in await self._run(jobs.list_jobs(self._patience, filter, limit))]

    async def _run(self, procedure: Steps[T]) -> T:
        with explaining(self._local):
            return await self._awaiting.run(procedure)


class AsyncJob(JobView):
    """Job for coroutines: report and reports are calls, the other properties are the same."""

    def __init__(self, client: AsyncClient, message: jobs_pb2.Job):
        super().__init__(message)
        self._client = client

    async def refresh(self) -> Self:
        return await self._take(jobs.get_job(self._client._patience, self.name))

    async def watch(self) -> AsyncIterator[JobStatus]:
        client = self._client
        with explaining(client._local):
            async for message in client._awaiting.iterate(watch_job(client._patience, self.name)):
                self._message = message
                yield self.status

    async def wait(self, timeout: Optional[float] = None, *, progress: ProgressLike = None) -> Self:
        return await self._take(jobs.wait(self._client._patience, self.name, timeout, listener(progress)))

    async def cancel(self) -> Self:
        request = jobs_pb2.CancelJobRequest(name=self.name)
        return await self._take(retry.unary(self._client._patience, methods.CANCEL_JOB, request))

    async def retry(self) -> AsyncJob:
        client = self._client
        return AsyncJob(client, await client._run(jobs.retry_job(client._patience, self.name)))

    async def delete(self) -> None:
        client = self._client
        await client._run(retry.unary(client._patience, methods.DELETE_JOB, jobs_pb2.DeleteJobRequest(name=self.name)))

    async def report(self) -> Report:
        return await self._client._run(jobs.report(self._client._patience, self.name, 0))

    async def reports(self) -> Tuple[Report, ...]:
        return await self._client._run(jobs.reports(self._client._patience, self.name, len(self.goals)))

    @property
    def artifact(self) -> AsyncArtifact:
        return AsyncArtifact(self._client, self._message, 0)

    @property
    def artifacts(self) -> Tuple[AsyncArtifact, ...]:
        return tuple(AsyncArtifact(self._client, self._message, index) for index in range(len(self.goals)))

    async def _take(self, procedure: Steps[jobs_pb2.Job]) -> Self:
        self._message = await self._client._run(procedure)
        return self


class AsyncArtifact(ArtifactView):
    """Artifact for coroutines."""

    def __init__(self, client: AsyncClient, job: jobs_pb2.Job, index: int):
        super().__init__(job, index)
        self._client = client

    async def report(self) -> Report:
        return await self._client._run(jobs.report(self._client._patience, self.job, self.index))

    async def download(self, path: PathLike, *, progress: ProgressLike = None) -> pathlib.Path:
        return await self._client._run(self._download(self._client._patience, path, listener(progress)))
