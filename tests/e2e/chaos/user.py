"""Who uses the service while it is disturbed: remembers what was acknowledged, and checks it in the end."""

import contextlib
import hashlib
import os
import sqlite3
import subprocess
import time

import service
import small_model

BUDGETS = ('4.3bpw', '3.5bpw')
TERMINAL = ('SUCCEEDED', 'FAILED', 'CANCELLED')
# A job may fail for this reason alone, while its workers crash: a task of it was tried three times.
EXCUSED = 'TASK_ATTEMPTS_EXHAUSTED'
TOKENS = 1024
_CALL_SECONDS = 60


class Violation(AssertionError):
    """Something that must hold does not."""


def outcome_of(job):
    """What must be the same bytes however the job was run."""
    return job['artifact'], job['report']


class User:
    def __init__(self, folder, address, seconds):
        self._folder = folder
        self._address = address
        self._deadline = time.monotonic() + seconds
        self._attempts = 0
        self.model = ''
        self.acknowledged = {}  # job → its budget
        self._seen = {}         # job → the most that it was seen to have finished, or how it ended

    def _cli(self, *arguments):
        return service.run_cli('--server', self._address, *arguments, seconds=_CALL_SECONDS)

    def _insist(self, *arguments):
        """Until it is acknowledged. What the service refuses while it is disturbed is tried again."""
        while True:
            with contextlib.suppress(service.CliError, subprocess.TimeoutExpired):
                return self._cli(*arguments)
            if time.monotonic() > self._deadline:
                raise Violation(f'not acknowledged in time: bitwright {" ".join(arguments)}')
            time.sleep(0.05)

    # --- what it does ---

    def upload(self):
        model = os.path.join(self._folder, 'model')
        if not os.path.isdir(model):
            small_model.write(model)
        self.model = self._insist('model', 'upload', model)['name']

    def submit(self):
        texts = []
        for use, seed in (('calibration', 1), ('evaluation', 2)):
            path = small_model.write_text(os.path.join(self._folder, use + '.txt'), TOKENS, seed)
            texts += ['--' + use, path, f'--{use}-tokens', str(TOKENS)]
        for budget in BUDGETS:
            while True:
                # Each attempt by a name of its own: it must not have made two jobs.
                self._attempts += 1
                with contextlib.suppress(service.CliError, subprocess.TimeoutExpired):
                    job = self._cli('job', 'submit', self.model, '--budget', budget, *texts, '--window', '64',
                                    '--label', f'attempt={self._attempts}')
                    self.acknowledged[job['name']] = budget
                    break
                if time.monotonic() > self._deadline:
                    raise Violation(f'a job of {budget} was not acknowledged in time')

    def look(self):
        """Whether every job has ended. What was told once must not be taken back."""
        try:
            jobs = self._jobs()
        except (service.CliError, subprocess.TimeoutExpired):
            return False
        for name in self.acknowledged:
            if name not in jobs:
                raise Violation(f'{name} was acknowledged and is not there')
        for name, job in jobs.items():
            self._compare(name, job)
        return all(job['state'] in TERMINAL for job in jobs.values())

    def _jobs(self):
        return {job['name']: job for job in self._cli('job', 'list')['jobs']}

    def _compare(self, name, job):
        finished = sum(stage['finished'] for stage in job['stages'])
        ended, before = self._seen.get(name, (None, 0))
        if ended is not None and ended != (job['state'], job.get('artifact'), job.get('report')):
            raise Violation(f'{name} ended as {ended} and is now {job}')
        if finished < before:
            raise Violation(f'{name} had finished {before} tasks and now {finished}')
        ended = (job['state'], job.get('artifact'), job.get('report')) if job['state'] in TERMINAL else None
        self._seen[name] = (ended, finished)

    # --- what it checks ---

    def wait_for_end(self):
        while not self.look():
            if time.monotonic() > self._deadline:
                raise Violation(f'does not end: {self._jobs()}')
            time.sleep(0.1)

    def retry_failed(self):
        """Jobs that failed for the excused reason succeed when they are run again undisturbed."""
        for name, job in self._jobs().items():
            if job['state'] == 'SUCCEEDED':
                continue
            reason = job.get('error', {}).get('reason', '')
            if job['state'] != 'FAILED' or EXCUSED not in str(job.get('error')):
                raise Violation(f'{name} ended as {job["state"]}, reason {reason}: {job.get("error")}')
            self._insist('job', 'retry', name)

    def check(self, expected):
        """`expected`: the outcome of an undisturbed run by budget; nothing: this is that run, and it is returned."""
        jobs = self._jobs()
        found = {}
        labels = [job['spec']['labels'].get('attempt', '') for job in jobs.values() if job['state'] == 'SUCCEEDED']
        if len(labels) != len(set(labels)):
            raise Violation(f'one submission made two jobs: {labels}')
        for name, job in jobs.items():
            if job['state'] != 'SUCCEEDED':
                continue  # retried; look() has seen that every one ended
            budget = str(job['spec']['budget'])
            outcome = outcome_of(job)
            if found.setdefault(budget, outcome) != outcome:
                raise Violation(f'{name} has another outcome than another job of {budget}')
        if len(found) != len(BUDGETS):
            raise Violation(f'only {list(found)} succeeded')
        if expected is not None and found != expected:
            raise Violation(f'the outcome is {found}, undisturbed it is {expected}')
        if self._cli('model', 'show', self.model)['state'] != 'READY':
            raise Violation(f'{self.model} was acknowledged and is not READY')
        for name, job in jobs.items():
            if job['state'] == 'SUCCEEDED':
                self._download(name, job)
        return found

    def _download(self, name, job):
        out = os.path.join(self._folder, 'out-' + name.replace('/', '-'))
        self._cli('artifact', 'download', name, '-o', out)
        for file in job['artifact']['files']:
            if service.digest(os.path.join(out, 'model', file['path'])) != file['digest']['sha256']:
                raise Violation(f'{file["path"]} of {name} is not what was published')


def check_disk(data):
    """The folder of a server that has ended: a whole database, and no blob whose bytes are not those of its name."""
    for path in service.files_below(os.path.join(data, 'blobs')).values():
        with open(path, 'rb') as file:
            if hashlib.sha256(file.read()).hexdigest() != os.path.basename(path):
                raise Violation(f'{path} does not hold what its name says')
    databases = [path for path in service.files_below(data).values() if path.endswith('.sqlite')]
    if not databases:
        raise Violation(f'{data} holds no database')
    for path in databases:
        with contextlib.closing(sqlite3.connect(path)) as database:
            answer = database.execute('PRAGMA integrity_check').fetchall()
        if answer != [('ok',)]:
            raise Violation(f'{path}: {answer}')
