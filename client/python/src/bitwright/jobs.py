"""Jobs: made, followed, and what is known of them. The handles in client.py and aio.py add only the calls."""

from __future__ import annotations

import os
import secrets
from typing import List, Optional, Sequence, Tuple, Union

from bitwright import methods, progress, retry, steps
from bitwright.budgets import BudgetLike
from bitwright.errors import BitwrightError, JobCancelledError, JobFailedError, make
from bitwright.hashing import hash_files
from bitwright.job_options import Draft, JobOptions, draft_job
from bitwright.messages import record
from bitwright.models import Model, ModelLike, find_model, local_path, upload_model
from bitwright.progress import OnProgress, Progress
from bitwright.retry import Patience
from bitwright.steps import Steps
from bitwright.types import Estimate, Goal, JobState, JobStatus, Report
from bitwright.upload import upload_missing
from bitwright.v1 import capabilities_pb2, jobs_pb2, recipes_pb2
from bitwright.watch import watch_job

Budgets = Union[BudgetLike, Sequence[BudgetLike], None]


def plan(patience: Patience, model: ModelLike, budget: Budgets, options: JobOptions, tell: OnProgress) -> Steps[Estimate]:
    """What a job would need. Uploads the model, and runs nothing but its inspection."""
    draft = yield from steps.work(lambda: draft_job(budget, options, needs_texts=False))
    yield from _send(patience, model, draft, tell)
    request = jobs_pb2.CreateJobRequest(spec=draft.spec, validate_only=True)
    job = yield from retry.unary(patience, methods.CREATE_JOB, request)
    estimate = status(job).estimate
    assert estimate is not None
    return estimate


def quantize(patience: Patience, model: ModelLike, budget: Budgets, options: JobOptions, tell: OnProgress) -> Steps[jobs_pb2.Job]:
    """Queues a job, with what it needs uploaded."""
    draft = yield from steps.work(lambda: draft_job(budget, options, needs_texts=True))
    yield from _send(patience, model, draft, tell)
    request = jobs_pb2.CreateJobRequest(spec=draft.spec, request_id=secrets.token_hex(16))
    return (yield from retry.unary(patience, methods.CREATE_JOB, request))


def _send(patience: Patience, model: ModelLike, draft: Draft, tell: OnProgress) -> Steps[None]:
    """What can be known is said before anything is uploaded; then the spec is completed."""
    server = yield from retry.unary(patience, methods.GET_CAPABILITIES, capabilities_pb2.GetCapabilitiesRequest())
    _check_targets(server, draft)
    yield from _check_recipe(patience, draft)
    loaded_by = {target.name: tuple(target.consumers) for target in server.targets}
    draft.goals.for_consumer(draft.consumer, loaded_by).set_on(draft.spec)
    blobs = yield from hash_files([path for path, _ in draft.files], lambda _: None)
    yield from upload_missing(patience, blobs, lambda _: None)
    for blob, (_, digest) in zip(blobs, draft.files):
        digest.CopyFrom(blob.digest())
    name, display_name = yield from _resolve(patience, model, draft, tell)
    draft.spec.model = name
    draft.spec.display_name = draft.spec.display_name or display_name


def _resolve(patience: Patience, model: ModelLike, draft: Draft, tell: OnProgress) -> Steps[Tuple[str, str]]:
    """Name and display name of the model, uploaded where it is a folder of this machine."""
    if isinstance(model, Model):
        return model.name, model.display_name
    path = local_path(os.fspath(model), os.environ)
    if path is None:
        found = yield from find_model(patience, os.fspath(model))
        return found.name, found.display_name
    uploaded = yield from upload_model(patience, path, draft.model_name, tell)
    return uploaded.name, uploaded.display_name


def _check_targets(server: capabilities_pb2.Capabilities, draft: Draft) -> None:
    known = [target.name for target in server.targets]
    for goal in draft.goals.goals:
        if known and goal.target and goal.target not in known:
            raise make('INVALID_ARGUMENT', 'TARGET_UNKNOWN', f"the server knows no target '{goal.target}'; it knows "
                       + ', '.join(known), {'target': goal.target})


def _check_recipe(patience: Patience, draft: Draft) -> Steps[None]:
    if not draft.spec.recipe:
        return
    recipes = yield from list_recipes(patience)
    named = draft.spec.recipe.rpartition('/')[2]
    known = [recipe.name.rpartition('/')[2] for recipe in recipes]
    if named not in known:
        raise make('NOT_FOUND', 'RECIPE_NOT_FOUND', f"the server has no recipe '{named}'; it has {', '.join(known)}, and takes "
                   'the path of a .textproto', {'recipe': named})


def list_recipes(patience: Patience) -> Steps[List[recipes_pb2.Recipe]]:
    answer = yield from retry.unary(patience, methods.LIST_RECIPES, recipes_pb2.ListRecipesRequest())
    return list(answer.recipes)


def get_job(patience: Patience, name: str) -> Steps[jobs_pb2.Job]:
    full = name if '/' in name else f'jobs/{name}'
    return (yield from retry.unary(patience, methods.GET_JOB, jobs_pb2.GetJobRequest(name=full)))


def retry_job(patience: Patience, name: str) -> Steps[jobs_pb2.Job]:
    request = jobs_pb2.RetryJobRequest(name=name, request_id=secrets.token_hex(16))
    return (yield from retry.unary(patience, methods.RETRY_JOB, request))


def list_jobs(patience: Patience, filter: str, most: int) -> Steps[List[jobs_pb2.Job]]:
    return (yield from retry.listed(patience, methods.LIST_JOBS, jobs_pb2.ListJobsRequest(filter=filter),
                                    lambda answer: answer.jobs, most))


def wait(patience: Patience, name: str, timeout: Optional[float], tell: OnProgress) -> Steps[jobs_pb2.Job]:
    """The job once it has SUCCEEDED. JobFailedError, JobCancelledError; TimeoutError after `timeout` seconds."""
    def told(job: jobs_pb2.Job) -> None:
        running = next((stage.kind for stage in job.stages if stage.running), '')
        done = 1.0 if job.state == jobs_pb2.Job.SUCCEEDED else min(job.progress, 0.99)
        tell(Progress(progress.JOB, done, 1.0, job.waiting.message or running))
    job = yield from steps.taking(watch_job(patience, name, timeout), told)
    _raise_for(job)
    return job


def _raise_for(job: jobs_pb2.Job) -> None:
    if job.state == jobs_pb2.Job.CANCELLED:
        raise JobCancelledError('CANCELLED', 'JOB_CANCELLED', f'{job.name} was cancelled; retry() runs it again',
                                {'job': job.name})
    if job.state == jobs_pb2.Job.FAILED:
        error = status(job).error
        if error is None:
            raise JobFailedError('INTERNAL', 'JOB_FAILED', 'the job failed, and the server gave no reason; look at its log',
                                 {'job': job.name})
        raise JobFailedError(error.code, error.reason, error.message, error.metadata, error.field)


def report(patience: Patience, name: str, goal: int) -> Steps[Report]:
    message = yield from retry.unary(patience, methods.GET_REPORT, jobs_pb2.GetReportRequest(name=name, goal=goal))
    return record(Report, message)


def reports(patience: Patience, name: str, goals: int) -> Steps[Tuple[Report, ...]]:
    found = []
    for goal in range(goals):
        found.append((yield from report(patience, name, goal)))
    return tuple(found)


def status(job: jobs_pb2.Job) -> JobStatus:
    return record(JobStatus, job)


def goals_of(spec: jobs_pb2.JobSpec) -> List[jobs_pb2.Goal]:
    """Of a job with one goal, in fields of its own, or with several."""
    if spec.goals:
        return list(spec.goals)
    return [jobs_pb2.Goal(target=spec.target, consumer=spec.consumer, budget=spec.budget if spec.HasField('budget') else None)]


def outcomes_of(job: jobs_pb2.Job) -> List[jobs_pb2.Outcome]:
    """JOB_UNFINISHED where it has none yet."""
    if job.state != jobs_pb2.Job.SUCCEEDED:
        state = jobs_pb2.Job.State.Name(job.state)
        raise make('FAILED_PRECONDITION', 'JOB_UNFINISHED', f'{job.name} has no result: it is {state}; call wait() first',
                   {'job': job.name, 'state': state})
    if job.outcomes:
        return list(job.outcomes)
    return [jobs_pb2.Outcome(goal=goals_of(job.spec)[0], artifact=job.artifact, report=job.report)]


class JobView:
    """A job as it was when the server last told of it; `status` has all of it."""

    def __init__(self, message: jobs_pb2.Job):
        self._message = message

    @property
    def status(self) -> JobStatus:
        """Everything that is known of the job."""
        return status(self._message)

    @property
    def name(self) -> str:
        """"jobs/{id}"."""
        return self._message.name

    @property
    def display_name(self) -> str:
        return self._message.spec.display_name

    @property
    def state(self) -> JobState:
        return JobState[jobs_pb2.Job.State.Name(self._message.state)]

    @property
    def progress(self) -> float:
        """0 to 1; 1 only when SUCCEEDED."""
        return self._message.progress

    @property
    def goals(self) -> Tuple[Goal, ...]:
        """One for each artifact."""
        return tuple(record(Goal, goal) for goal in goals_of(self._message.spec))

    @property
    def error(self) -> Optional[BitwrightError]:
        """Why the job FAILED."""
        return self.status.error

    def __repr__(self) -> str:
        return f'<{type(self).__name__} {self.name} {self.state.value} {self.progress:.0%}>'
