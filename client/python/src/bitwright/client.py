"""The client for programs that wait. `bitwright.aio` has the same for asyncio."""

from __future__ import annotations

import pathlib
from types import TracebackType
from typing import TYPE_CHECKING, Iterator, List, Optional, Tuple, Type, TypeVar, Union

from bitwright import jobs, methods, retry
from bitwright.access import TlsLike, TokenLike, access_to
from bitwright.artifacts import ArtifactView
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
from bitwright.waiting import Waiting
from bitwright.watch import watch_job

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

T = TypeVar('T')


class Client:
    """Bitwright for a program. Thread-safe. Close it, or use it in a `with` block.

    server: "HOST:PORT" or "unix:PATH"; None: that of the context, else 127.0.0.1:7071.
    context: a service by the name that `bitwright context` knows; None: BITWRIGHT_CONTEXT, else BITWRIGHT_SERVER, else the
        current one.
    token: what is shown to the server, or as a pathlib.Path the file whose first line it is (read again when the server
        refuses it); None: BITWRIGHT_TOKEN_FILE, else as the context has it. Never sent in clear to another machine (TOKEN_NEEDS_TLS).
    tls: True: certificates of this machine; a PEM file of those that sign the server's; or a Tls. None: BITWRIGHT_TLS_CA,
        BITWRIGHT_TLS_CERT, BITWRIGHT_TLS_KEY, else as the context has it.
    patience: seconds that a server which has answered once is waited for; one that never did is given 5.
    """

    def __init__(self, server: Optional[str] = None, *, context: Optional[str] = None, token: TokenLike = None,
                 tls: TlsLike = None, patience: float = 120.0):
        self._patience = Patience(patience)
        self._waiting = Waiting(access_to(server, token, tls, context), self._patience)
        self._local: Optional[LocalService] = None

    @classmethod
    def local(cls, *, workers: int = 1, threads: int = 0, data_dir: Optional[PathLike] = None,
              daemon: Optional[PathLike] = None) -> Self:
        """A client with a service of its own, which ends with it, at the latest with the program.

        workers: local workers. threads: of each worker; 0: cores divided by workers. data_dir: a folder that is kept, so
        that later jobs reuse its work; None: one for this service alone. daemon: the path of bitwrightd; None:
        BITWRIGHTD, else beside `bitwright` in PATH, else in PATH. DAEMON_NOT_FOUND, DAEMON_FAILED (with the end of its
        log)."""
        service = LocalService(workers, threads, data_dir, daemon)
        client = cls(service.address, token='', tls=False, patience=10.0)
        client._local = service
        try:
            client._waiting.run(await_health(service))
        except BaseException:
            client.close()
            raise
        return client

    def close(self) -> None:
        """Ends the connection, and a service of one's own with it."""
        self._waiting.close()
        if self._local is not None:
            self._local.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self.close()

    def capabilities(self) -> Capabilities:
        """What the server can do: versions, architectures, targets with their formats, limits."""
        answer = self._run(retry.unary(self._patience, methods.GET_CAPABILITIES, capabilities_pb2.GetCapabilitiesRequest()))
        return record(Capabilities, answer)

    def recipes(self) -> Tuple[Recipe, ...]:
        """Those that the server ships, by name."""
        return tuple(record(Recipe, recipe) for recipe in self._run(jobs.list_recipes(self._patience)))

    def upload_model(self, path: PathLike, *, name: Optional[str] = None, progress: ProgressLike = None) -> Model:
        """Uploads a model folder, or a GGUF file, and waits until it is inspected. Only what the server lacks is sent, and
        what was broken off goes on. The same files are the same model, and keep the name that they have.

        name: for people; None: that of the folder. progress: True, False, or a function of a Progress; None: bars where
        they can be seen. Errors: those of the folder (MODEL_FILE_MISSING …), ARCHITECTURE_UNSUPPORTED, and what the
        inspection says of a model that it rejects."""
        return self._run(upload_model(self._patience, path, name, listener(progress)))

    def model(self, name: str) -> Model:
        """A model on the server, by its name, its ID or its display name. MODEL_NOT_FOUND."""
        return as_model(self._run(find_model(self._patience, name)))

    def models(self, filter: str = '', *, limit: int = 50) -> List[Model]:
        """Newest first; `filter` as ListModels of the contract has it: 'family = "llama"'."""
        return [as_model(model) for model in self._run(list_models(self._patience, filter, limit))]

    def delete_model(self, model: Union[Model, str]) -> None:
        """MODEL_IN_USE while an unfinished job uses it."""
        name = model.name if isinstance(model, Model) else model
        self._run(retry.unary(self._patience, methods.DELETE_MODEL, models_pb2.DeleteModelRequest(name=name)))

    def plan(self, model: ModelLike, budget: Budgets = None, *, progress: ProgressLike = None,
             **options: Unpack[JobOptions]) -> Estimate:
        """What a job would need, in bytes and seconds, and for each goal how large its artifact can be (average bits per
        weight, bytes) and which budgets are possible. Runs nothing but the inspection of the model."""
        return self._run(jobs.plan(self._patience, model, budget, options, listener(progress)))

    def quantize(self, model: ModelLike, budget: Budgets, *, progress: ProgressLike = None,
                 **options: Unpack[JobOptions]) -> Job:
        """Queues a job and returns at once; `wait()` waits for its end. A folder is uploaded first.

        budget: bits per weight as 4.25 or "4.25bpw"; bytes of the artifact as "12MB", "12MiB", "12000000B"; or what may be
        lost, "kld=0.05" (nats per token) or "ppl=1%". Several budgets or targets are the goals of one job, which share
        what they have in common; each has its own artifact and report. options: see JobOptions."""
        return Job(self, self._run(jobs.quantize(self._patience, model, budget, options, listener(progress))))

    def job(self, name: str) -> Job:
        """A job on the server, by its name or ID. JOB_NOT_FOUND."""
        return Job(self, self._run(jobs.get_job(self._patience, name)))

    def jobs(self, filter: str = '', *, limit: int = 50) -> List[Job]:
        """Newest first; `filter` as ListJobs of the contract has it: 'state = RUNNING AND labels.team = "nlp"'."""
        return [Job(self, job) for job in self._run(jobs.list_jobs(self._patience, filter, limit))]

    def _run(self, procedure: Steps[T]) -> T:
        with explaining(self._local):
            return self._waiting.run(procedure)


class Job(JobView):
    """A job on the server. Its properties are of the time when the server last told of it; `refresh()` asks again."""

    def __init__(self, client: Client, message: jobs_pb2.Job):
        super().__init__(message)
        self._client = client

    def refresh(self) -> Self:
        return self._take(jobs.get_job(self._client._patience, self.name))

    def watch(self) -> Iterator[JobStatus]:
        """The job as it is now and after every change, until it has ended."""
        client = self._client
        with explaining(client._local):
            for message in client._waiting.iterate(watch_job(client._patience, self.name)):
                self._message = message
                yield self.status

    def wait(self, timeout: Optional[float] = None, *, progress: ProgressLike = None) -> Self:
        """Returns once the job has SUCCEEDED. JobFailedError with the job's own reason, JobCancelledError; TimeoutError
        after `timeout` seconds, and the job goes on."""
        return self._take(jobs.wait(self._client._patience, self.name, timeout, listener(progress)))

    def cancel(self) -> Self:
        """Ends the job; what it finished is kept for others. JOB_FINISHED."""
        request = jobs_pb2.CancelJobRequest(name=self.name)
        return self._take(retry.unary(self._client._patience, methods.CANCEL_JOB, request))

    def retry(self) -> Job:
        """Another job of the same spec, of one that failed or was cancelled; nothing is done twice. JOB_NOT_RETRYABLE."""
        client = self._client
        return Job(client, client._run(jobs.retry_job(client._patience, self.name)))

    def delete(self) -> None:
        """Deletes a finished job with its artifacts and reports. JOB_UNFINISHED."""
        client = self._client
        client._run(retry.unary(client._patience, methods.DELETE_JOB, jobs_pb2.DeleteJobRequest(name=self.name)))

    @property
    def report(self) -> Report:
        """Of the first goal. JOB_UNFINISHED."""
        return self._client._run(jobs.report(self._client._patience, self.name, 0))

    @property
    def reports(self) -> Tuple[Report, ...]:
        """One for each goal, in order."""
        return self._client._run(jobs.reports(self._client._patience, self.name, len(self.goals)))

    @property
    def artifact(self) -> Artifact:
        """Of the first goal. JOB_UNFINISHED."""
        return Artifact(self._client, self._ended(), 0)

    @property
    def artifacts(self) -> Tuple[Artifact, ...]:
        """One for each goal, in order."""
        return tuple(Artifact(self._client, self._ended(), index) for index in range(len(self.goals)))

    def _ended(self) -> jobs_pb2.Job:
        """Asks once more where the job was last seen unfinished."""
        return self._message if self._message.state >= jobs_pb2.Job.SUCCEEDED else self.refresh()._message

    def _take(self, procedure: Steps[jobs_pb2.Job]) -> Self:
        self._message = self._client._run(procedure)
        return self


class Artifact(ArtifactView):
    """What one goal of a job came to: the files that a program loads."""

    def __init__(self, client: Client, job: jobs_pb2.Job, index: int):
        super().__init__(job, index)
        self._client = client

    @property
    def report(self) -> Report:
        return self._client._run(jobs.report(self._client._patience, self.job, self.index))

    def download(self, path: PathLike, *, progress: ProgressLike = None) -> pathlib.Path:
        """Writes the files below `path` and returns it. Every file is checked by its SHA-256 and appears whole or not at
        all; what is there already is kept, and what was broken off goes on. DISK_FULL, FILE_UNWRITABLE."""
        return self._client._run(self._download(self._client._patience, path, listener(progress)))
