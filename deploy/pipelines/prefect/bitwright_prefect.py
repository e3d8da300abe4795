"""A Prefect task that quantizes a model: submits, follows, downloads; cancelled with its run."""

from __future__ import annotations

import contextlib

from prefect import task
from prefect.artifacts import create_markdown_artifact
from prefect.logging import get_run_logger

from bitwright_cli import Bitwright, BitwrightError, Quantization, checked, facts


def _markdown(report: dict) -> str:
    rows = '\n'.join(f'| {name} | {value:g} |' for name, value in facts(report).items())
    return f'**{report["verdict"]}**\n\n| | |\n|---|---|\n{rows}\n'


def _passes(task, run, state) -> bool:
    """Whether a failed run is worth another attempt: not where the job itself failed."""
    error = state.result(raise_on_failure=False)
    return isinstance(error, BitwrightError) and error.passes


@task(name='bitwright quantize', retries=3, retry_delay_seconds=60, retry_condition_fn=_passes)
def quantize(wanted: Quantization, out: str, server: Bitwright | None = None) -> dict:
    """Quantizes and fills OUT with model/, report.json and report.txt; returns the report.

    While the server cannot be reached, the run is tried again; what was computed before is not computed again. Where the
    run is cancelled, so is the job.
    """
    service = server or Bitwright()
    logger = get_run_logger()
    job = service.submit(wanted)
    logger.info('%s is queued', job)
    try:
        ended = _follow(service, job, logger)
    except BitwrightError:
        raise  # the server is away, and the job goes on there
    except BaseException:  # such as Prefect's TerminationSignal: nobody waits for the job any more
        with contextlib.suppress(BitwrightError):
            service.cancel(job)
        raise
    report = service.download(checked(ended)['name'], out)
    create_markdown_artifact(key='bitwright-report', markdown=_markdown(report), description=report['model'])
    return report


def _follow(service: Bitwright, job: str, logger) -> dict:
    """The job as it is in the end; a line for each tenth of its way."""
    shown, told = {}, -1
    for shown in service.watch(job):
        tenth = int(10 * shown.get('progress', 0))
        if tenth > told:
            told = tenth
            logger.info('%s: %s, %d %%', job, shown['state'].lower(), 10 * tenth)
    return shown
