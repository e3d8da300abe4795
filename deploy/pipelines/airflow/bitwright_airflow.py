"""An operator of Airflow 3 that quantizes a model. While the job runs the task is deferred: it holds no worker of Airflow."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from typing import Any, AsyncIterator, Mapping, Sequence

from airflow.sdk import BaseOperator
from airflow.sdk.exceptions import AirflowException, AirflowFailException
from airflow.triggers.base import BaseTrigger, TriggerEvent

from bitwright_cli import Bitwright, BitwrightError, Quantization, checked, facts


def _raise(error: BitwrightError) -> None:
    """As an error that Airflow tries again where the server was away, and not where the job itself is at fault."""
    raise (AirflowException if error.passes else AirflowFailException)(str(error)) from error


class BitwrightJobTrigger(BaseTrigger):
    """Fires once, with the job as it ended, or with the error that kept it from being followed."""

    def __init__(self, job: str, server: Mapping[str, str]) -> None:
        super().__init__()
        self.job = job
        self.server = dict(server)

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return f'{type(self).__module__}.{type(self).__qualname__}', {'job': self.job, 'server': self.server}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        ended: dict = {}
        try:
            async for ended in Bitwright(**self.server).watch_async(self.job):
                pass
        except BitwrightError as error:
            yield TriggerEvent({'reason': error.reason, 'message': str(error), 'code': error.code})
            return
        yield TriggerEvent({'job': {name: ended[name] for name in ('name', 'state', 'error') if name in ended}})

    async def on_kill(self) -> None:
        """A person ends the deferred task (Airflow 3.3): the job ends with it. It outlives restarts of the triggerer."""
        await asyncio.to_thread(Bitwright(**self.server).cancel, self.job)


class BitwrightQuantizeOperator(BaseOperator):
    """Quantizes `model` and fills the folder `out` with model/, report.json and report.txt.

    Its XCom holds the numbers of the report, its verdict and the name of the job. Where deferrable is false the task
    waits on its worker instead of the triggerer; either way a task that is killed cancels its job.
    """

    template_fields: Sequence[str] = ('model', 'calibration', 'evaluation', 'out', 'budget', 'max_kld', 'max_ppl_rise',
                                      'target', 'consumer', 'options', 'labels')
    ui_color = '#dbe7f5'

    def __init__(self, *, model: str, calibration: Sequence[str], evaluation: Sequence[str], out: str,
                 budget: str = '', max_kld: str = '', max_ppl_rise: str = '', target: str = '', consumer: str = '',
                 options: Sequence[str] = (), labels: Mapping[str, str] | None = None,
                 server: Bitwright | None = None, deferrable: bool = True, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.model = model
        self.calibration = list(calibration)
        self.evaluation = list(evaluation)
        self.out = out
        self.budget = budget
        self.max_kld = max_kld
        self.max_ppl_rise = max_ppl_rise
        self.target = target
        self.consumer = consumer
        self.options = list(options)
        self.labels = dict(labels or {})
        self.server = dataclasses.asdict(server or Bitwright())
        self.deferrable = deferrable
        self.job = ''

    def execute(self, context: Mapping[str, Any]) -> dict:
        wanted = Quantization(self.model, self.calibration, self.evaluation, self.budget, self.max_kld,
                              self.max_ppl_rise, self.target, self.consumer, labels=self.labels, options=self.options)
        service = Bitwright(**self.server)
        try:
            self.job = service.submit(wanted)
            self.log.info('%s is queued', self.job)
            if not self.deferrable:
                *_, ended = service.watch(self.job)
                return self.finish(context, {'job': ended})
        except BitwrightError as error:
            _raise(error)
        self.defer(trigger=BitwrightJobTrigger(self.job, self.server), method_name='finish')

    def finish(self, context: Mapping[str, Any], event: Mapping[str, Any]) -> dict:
        """What follows when the job has ended: the result is fetched."""
        try:
            if 'job' not in event:
                raise BitwrightError(event['reason'], event['message'], event['code'])
            self.job = checked(event['job'])['name']
            report = Bitwright(**self.server).download(self.job, self.out)
        except BitwrightError as error:
            _raise(error)
        self.log.info('%s', report['verdict'])
        return {'job': self.job, 'verdict': report['verdict'], **facts(report)}

    def on_kill(self) -> None:
        if self.job:
            with contextlib.suppress(BitwrightError):
                Bitwright(**self.server).cancel(self.job)
