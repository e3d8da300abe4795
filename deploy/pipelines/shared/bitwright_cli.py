"""The command line `bitwright` for pipelines: submit a job, follow it, cancel it, fetch its result.

It needs the installed program alone, which finds the server by BITWRIGHT_SERVER, BITWRIGHT_TOKEN_FILE and their like, or
by what Bitwright() is given. Python 3.9, standard library only: copy this file beside the one that uses it.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import subprocess
from typing import Any, AsyncIterator, Iterator, Mapping, Sequence

TERMINAL = ('SUCCEEDED', 'FAILED', 'CANCELLED')


class BitwrightError(RuntimeError):
    """A command that failed. `reason` is stable, such as "BUDGET_BELOW_SMALLEST_PLAN"; `code` is the exit code."""

    def __init__(self, reason: str, message: str, code: int = 1, metadata: Mapping[str, str] | None = None) -> None:
        super().__init__(f'{message} [{reason}]' if reason else message)
        self.reason = reason
        self.code = code
        self.metadata = dict(metadata or {})

    @property
    def passes(self) -> bool:
        """Whether the same may go well later: the server could not be reached."""
        return self.code == 3


@dataclasses.dataclass
class Quantization:
    """What is asked for: one goal. Exactly one of budget ("4.25bpw", "12MB"), max_kld (nats per token) and max_ppl_rise
    ("1%") is set. `options` are further arguments of `bitwright job submit`, such as ["--recipe", "mixed-rtn"]."""
    model: str
    calibration: Sequence[str]
    evaluation: Sequence[str]
    budget: str = ''
    max_kld: str = ''
    max_ppl_rise: str = ''
    target: str = ''
    consumer: str = ''
    name: str = ''
    labels: Mapping[str, str] = dataclasses.field(default_factory=dict)
    options: Sequence[str] = ()

    def arguments(self) -> list[str]:
        bounds = [value for value in (self.budget, self.max_kld, self.max_ppl_rise) if value]
        if len(bounds) != 1 or ',' in str(bounds[0]) or ',' in self.target:
            raise ValueError('give one of budget, max_kld and max_ppl_rise, with one value, and at most one target')
        given = [('--budget', self.budget), ('--max-kld', self.max_kld), ('--max-ppl-rise', self.max_ppl_rise),
                 ('--target', self.target), ('--consumer', self.consumer), ('--name', self.name)]
        given += [('--calibration', text) for text in self.calibration]
        given += [('--evaluation', text) for text in self.evaluation]
        given += [('--label', f'{key}={value}') for key, value in sorted(self.labels.items())]
        return [self.model, *(str(part) for pair in given if pair[1] for part in pair), *self.options]


def _error(code: int, out: str, err: str) -> BitwrightError:
    try:
        error = json.loads(out)['error']
        return BitwrightError(error.get('reason', ''), error['message'], code, error.get('metadata'))
    except (ValueError, KeyError, TypeError):
        pass
    return BitwrightError('', (err or out).strip() or f'bitwright ended with code {code}', code)


@dataclasses.dataclass
class Bitwright:
    """A server as the command line reaches it; empty fields are left to the environment. May be shared by threads."""
    server: str = ''
    token_file: str = ''
    tls_ca: str = ''
    program: str = 'bitwright'

    def command(self, *arguments: str) -> list[str]:
        given = [('--server', self.server), ('--token-file', self.token_file), ('--tls-ca', self.tls_ca)]
        connection = [part for pair in given if pair[1] for part in pair]
        return [os.environ.get('BITWRIGHT_PROGRAM', self.program), *connection, *arguments, '--json']

    def run(self, *arguments: str) -> Any:
        """The JSON that a command prints. BitwrightError where it fails."""
        done = subprocess.run(self.command(*arguments), capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise _error(done.returncode, done.stdout, done.stderr)
        return json.loads(done.stdout)

    def submit(self, wanted: Quantization) -> str:
        """Uploads what the server lacks, queues the job and returns its name."""
        return self.run('job', 'submit', *wanted.arguments())['name']

    def show(self, job: str) -> dict:
        return self.run('job', 'show', job)

    def watch(self, job: str) -> Iterator[dict]:
        """The job after each change, until it has ended, however it ends."""
        # Quiet: nobody reads the progress, which would fill its pipe.
        with subprocess.Popen(self.command('job', 'watch', job, '-q'), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True) as process:
            try:
                state, rest = '', ''
                for line in process.stdout:
                    if shown := _job_of(line):
                        state = shown['state']
                        yield shown
                    else:
                        rest += line
                if process.wait() != 0 and state not in TERMINAL:
                    raise _error(process.returncode, rest, process.stderr.read())
            finally:
                process.terminate()

    def wait(self, job: str) -> dict:
        """The job once it has SUCCEEDED; BitwrightError of its own error where it ended otherwise."""
        *_, ended = self.watch(job)
        return checked(ended)

    def cancel(self, job: str) -> None:
        """A job that has ended stays as it is."""
        try:
            self.run('job', 'cancel', job)
        except BitwrightError as error:
            if error.reason != 'JOB_FINISHED':
                raise

    def report(self, job: str) -> dict:
        return self.run('job', 'report', job)

    def download(self, job: str, out: str) -> dict:
        """Fills OUT with model/, report.json and report.txt, going on where an earlier call was interrupted; returns the
        report."""
        return self.run('artifact', 'download', job, '-o', out)['report']

    async def watch_async(self, job: str) -> AsyncIterator[dict]:
        """As watch, for a loop of asyncio. The command ends with the iteration."""
        process = await asyncio.create_subprocess_exec(*self.command('job', 'watch', job, '-q'),
                                                       stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
                                                       limit=1 << 26)
        try:
            state, rest = '', ''
            while line := (await process.stdout.readline()).decode():
                if shown := _job_of(line):
                    state = shown['state']
                    yield shown
                else:
                    rest += line
            if await process.wait() != 0 and state not in TERMINAL:
                raise _error(process.returncode, rest, (await process.stderr.read()).decode())
        finally:
            if process.returncode is None:
                process.terminate()
                await process.wait()


def _job_of(line: str) -> dict | None:
    """The job that a line of `job watch` shows; none: the line is part of an error."""
    try:
        shown = json.loads(line)
    except ValueError:
        return None
    return shown if isinstance(shown, dict) and 'state' in shown else None


def checked(job: Mapping[str, Any]) -> dict:
    """A job that has SUCCEEDED. BitwrightError of any other."""
    if job.get('state') == 'SUCCEEDED':
        return dict(job)
    if job.get('state') == 'CANCELLED':
        raise BitwrightError('JOB_CANCELLED', f'{job["name"]} was cancelled', 5)
    error = job.get('error', {})
    reason = next((detail['reason'] for detail in error.get('details', ()) if 'reason' in detail), '')
    raise BitwrightError(reason, f'{job.get("name", "the job")} failed: {error.get("message", "no message")}')


def selected(report: Mapping[str, Any]) -> dict:
    """The measured candidate that a report's artifact is made of."""
    return next(one for one in report['candidates'] if one['name'] == report['selected'])


def facts(report: Mapping[str, Any]) -> dict[str, float]:
    """The numbers of a report that one compares: size, loss and perplexity, beside the best uniform plan within the
    budget where one was measured."""
    plan = selected(report)
    found = {
        'average_bits': plan['average_bits'], 'artifact_bytes': int(report['artifact_bytes']),
        'model_bytes': int(report['model_bytes']), 'kl_divergence': plan['kl_divergence']['mean'],
        'kl_divergence_standard_error': plan['kl_divergence']['standard_error'],
        'kl_divergence_p99': plan['kl_divergence']['p99'], 'perplexity': plan['perplexity'],
        'perplexity_ratio': plan['perplexity_ratio'], 'top1_agreement': plan['top1_agreement'],
        'predicted_loss': plan['predicted_loss'], 'reference_perplexity': report['reference']['perplexity'],
        'scored_tokens': int(report['scored_tokens']),
    }
    uniform = [one for one in report['candidates'] if one['name'].startswith('uniform-') and one is not plan]
    if uniform and plan['name'] == 'mixed':
        found['uniform_kl_divergence'] = min(one['kl_divergence']['mean'] for one in uniform)
    return {name: float(value) for name, value in found.items()}
