"""The real programs as processes: bitwrightd with its workers, `bitwright` as its client, and what /proc says of them.

Every wait has a deadline. BITWRIGHT_BIN names the folder of the programs.
"""

import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.request

import small_model

BIN = os.environ.get('BITWRIGHT_BIN', '')
SAMPLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'deploy', 'sample')
PATIENCE = 120  # seconds that anything may take on a busy machine
_TICK = threading.Event()


def program(name):
    return os.path.join(BIN, name)


def wait_until(condition, what, seconds=PATIENCE):
    """Waits for something that other processes bring about and returns it."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f'not within {seconds} s: {what}')
        _TICK.wait(0.005)
    return value


# --- processes ---

def _stat(pid):
    """State letter, parent and start time of a process, or None."""
    try:
        with open(f'/proc/{pid}/stat', encoding='ascii', errors='replace') as file:
            fields = file.read().rpartition(')')[2].split()
    except OSError:
        return None
    return fields[0], int(fields[1]), fields[19]


def state_of(pid):
    """One letter, such as T for a halted process; empty when it is gone."""
    stat = _stat(pid)
    return stat[0] if stat else ''


def children_of(pid):
    found = []
    for entry in os.listdir('/proc'):
        if entry.isdigit() and (stat := _stat(entry)) and stat[1] == pid and stat[0] != 'Z':
            found.append(int(entry))
    return found


def children_of_main_thread(pid):
    """Those that the first thread of the process started; all, where the kernel does not tell them apart."""
    try:
        with open(f'/proc/{pid}/task/{pid}/children', encoding='ascii') as file:
            return [child for child in map(int, file.read().split()) if child in children_of(pid)]
    except OSError:
        return children_of(pid)


def descendants_of(pid):
    """(pid, start time) of every process below, which names it for ever."""
    found = []
    for child in children_of(pid):
        if stat := _stat(child):
            found.append((child, stat[2]))
        found += descendants_of(child)
    return found


def is_gone(process):
    pid, started = process
    stat = _stat(pid)
    return stat is None or stat[0] == 'Z' or stat[2] != started


def identify(pid):
    stat = _stat(pid)
    return pid, stat[2] if stat else ''


# --- the command line ---

class CliError(AssertionError):
    """A command that ended with another code than 0. error: the JSON error, {} when there is none."""

    def __init__(self, arguments, code, out, err):
        super().__init__(f'bitwright {" ".join(arguments)}: exit code {code}\n{out}\n{err}')
        self.code = code
        self.err = err
        try:
            self.error = json.loads(out)['error']
        except (ValueError, KeyError):
            self.error = {}

    @property
    def reason(self):
        return self.error.get('reason', '')


def environment(**more):
    clean = {name: value for name, value in os.environ.items() if not name.startswith('BITWRIGHT')}
    return {**clean, **more}


def run_cli(*arguments, seconds=PATIENCE, **variables):
    """Runs `bitwright ARGUMENTS --json`; returns its JSON or raises CliError."""
    done = subprocess.run([program('bitwright'), *arguments, '--json'], capture_output=True, text=True, check=False,
                          timeout=seconds, env=environment(**variables))
    if done.returncode != 0:
        raise CliError(arguments, done.returncode, done.stdout, done.stderr)
    return json.loads(done.stdout)


class Client:
    """`bitwright` in the background; its progress lines can be waited for."""

    def __init__(self, *arguments, **variables):
        self.arguments = arguments
        self._lines = []
        self._changed = threading.Condition()
        self._ended = False
        self.process = subprocess.Popen([program('bitwright'), *arguments, '--json'], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, env=environment(**variables))
        self._out = ''
        self._readers = [threading.Thread(target=self._read_err), threading.Thread(target=self._read_out)]
        for reader in self._readers:
            reader.start()

    def _read_err(self):
        for line in self.process.stderr:
            with self._changed:
                self._lines.append(line.rstrip('\n'))
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _read_out(self):
        self._out = self.process.stdout.read()

    def wait_line(self, pattern, seconds=PATIENCE):
        """The first match of a regular expression in the progress lines."""
        def found():
            return next((match for line in self._lines if (match := re.search(pattern, line))), None)
        with self._changed:
            self._changed.wait_for(lambda: found() or self._ended, seconds)
            if match := found():
                return match
        raise AssertionError(f'no line {pattern!r} of {self.arguments}:\n' + '\n'.join(self._lines))

    def lines(self):
        """Its progress lines so far."""
        with self._changed:
            return list(self._lines)

    def job(self):
        return self.wait_line(r'^(jobs/\w+): ').group(1)

    def end(self, seconds=PATIENCE):
        """Exit code."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        for reader in self._readers:
            reader.join()
        self.process.stdout.close()
        self.process.stderr.close()
        return code

    def result(self):
        """The JSON that it printed; it must have succeeded."""
        code = self.end()
        if code != 0:
            raise CliError(self.arguments, code, self._out, '\n'.join(self._lines))
        return json.loads(self._out)

    def error(self):
        """How it failed."""
        return CliError(self.arguments, self.end(), self._out, '\n'.join(self._lines))


# --- the service ---

def free_port():
    with socket.socket() as listener:
        listener.bind(('127.0.0.1', 0))
        return listener.getsockname()[1]


class Service:
    """bitwrightd on a data folder. After kill() it can be started again on the same folder and port.

    stepping: for freeze(); it has one worker then."""

    def __init__(self, folder, workers=1, threads=1, options=(), variables=None, listen='127.0.0.1:0', stepping=False):
        self.folder = folder
        self._listen = listen
        self._variables = variables or {}
        self.address = ''
        self.metrics_address = f'127.0.0.1:{free_port()}'
        self._options = ['--workers', str(workers), '--worker-threads', str(threads), *options]
        self.process = None
        self._steps = Steps(self) if stepping else None
        if stepping:
            self._variables = {**self._variables, 'BITWRIGHT_FAILPOINTS': 'child.task=stop'}
        self.start()
        if stepping:
            self._steps.start()

    def start(self):
        os.makedirs(self.folder, exist_ok=True)
        port_file = os.path.join(self.folder, 'port')
        with contextlib.suppress(FileNotFoundError):
            os.unlink(port_file)
        log_path = os.path.join(self.folder, 'log')
        with open(log_path, 'ab') as log:
            self.process = subprocess.Popen(
                [program('bitwrightd'), '--data-dir', os.path.join(self.folder, 'data'), '--listen',
                 self.address or self._listen, '--port-file', port_file, '--metrics-listen', self.metrics_address,
                 '--exit-with-parent', *self._options], stdout=log, stderr=log, env=environment(**self._variables))

        def address():
            if self.process.poll() is not None:
                raise AssertionError('bitwrightd ended at its start: ' + self.log())
            with contextlib.suppress(FileNotFoundError), open(port_file, encoding='ascii') as file:
                line = file.read()
                return line.strip() if line.endswith('\n') else ''
        self.address = wait_until(address, 'bitwrightd answers')

    def log(self):
        with open(os.path.join(self.folder, 'log'), encoding='utf-8', errors='replace') as file:
            return file.read()

    def kill(self):
        """As a crash does it."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        """In order. Returns the exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(PATIENCE)

    def close(self):
        """At the end of a test. A halted child would hold its agent."""
        if self._steps:
            self._steps.let_go()
        self.stop()
        if self._steps:
            self._steps.close()

    def agents(self):
        return children_of(self.process.pid)

    def long_task_children(self):
        """Without those of the lane of small tasks, which has a thread of its own."""
        return [child for agent in self.agents() for child in children_of_main_thread(agent)]

    def cli(self, *arguments, **variables):
        return run_cli('--server', self.address, *arguments, **variables)

    def client(self, *arguments, **variables):
        return Client('--server', self.address, *arguments, **variables)

    def job(self, name):
        return self.cli('job', 'show', name)

    def stage(self, job, kind):
        return next((stage for stage in self.job(job)['stages'] if stage['kind'] == kind), None)

    def wait_state(self, job, state):
        return wait_until(lambda: (shown := self.job(job))['state'] == state and shown, f'{job} is {state}')

    def wait_ended(self, job):
        """The job as it is in the end, however it ended."""
        return wait_until(lambda: (shown := self.job(job))['state'] not in ('QUEUED', 'RUNNING') and shown,
                          f'{job} ends')

    def metrics(self):
        """Value of each series, by the name with its labels as /metrics writes it."""
        with urllib.request.urlopen(f'http://{self.metrics_address}/metrics', timeout=20) as page:
            lines = page.read().decode().splitlines()
        return {name: float(value) for name, _, value in (line.rpartition(' ') for line in lines if line[:1] != '#')}

    def tasks_run(self):
        """Tasks that ran since the start of the process, by kind."""
        counts = {}
        for name, value in self.metrics().items():
            if match := re.fullmatch(r'bitwright_task_seconds_count\{kind="(\w+)"\}', name):
                counts[match.group(1)] = int(value)
        return counts

    def freeze(self, job, kind):
        """The only worker's child, halted before it runs a task of this kind: its process id. Small tasks go on beside
        it, in the worker's other lane.

        For a service with stepping and a job that begin() began, which has been let on task by task since: no stage can
        pass unseen. It is let on so by the next freeze(), and freely by go_on().
        """
        while True:
            child = wait_until(lambda: self._halted_child() or self._ended_unseen(job), f'a long task of {job}')
            if kind in [stage['kind'] for stage in self.job(job)['stages'] if stage['running']]:
                return child
            thaw(child)

    def begin(self, *arguments, **variables):
        """A client whose command queues a job of a model that is inspected. Before each of its long tasks it waits for
        freeze() or go_on()."""
        self._steps.hold()
        return self.client(*arguments, **variables)

    def go_on(self):
        """Nothing is halted any more, and nothing will be."""
        self._steps.let_go()

    def _halted_child(self):
        return next((child for child in self.long_task_children() if state_of(child) == 'T'), None)

    def _ended_unseen(self, job):
        shown = self.job(job)
        if shown['state'] not in ('QUEUED', 'RUNNING'):
            raise AssertionError(f'{job} ended unseen: {shown}')


class Steps(threading.Thread):
    """Lets on the children of a service, which halt before each task by a failpoint; not those of long tasks while they
    are held."""

    def __init__(self, service):
        super().__init__(daemon=True)
        self._service = service
        self._held = False
        self._closed = threading.Event()

    def hold(self):
        self._held = True

    def let_go(self):
        self._held = False

    def close(self):
        self._closed.set()
        self.join()

    def run(self):
        while not self._closed.wait(0.005):
            for child in [child for agent in self._service.agents() for child in self._waiting(agent)]:
                thaw(child)

    def _waiting(self, agent):
        halted = [child for child in children_of(agent) if state_of(child) == 'T']
        kept = children_of_main_thread(agent) if halted and self._held else []
        return [child for child in halted if child not in kept]


def thaw(child):
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGCONT)


class RemoteWorker:
    """A worker as another host would run it: its own folder, every blob over the network."""

    def __init__(self, address, folder):
        self.folder = folder
        os.makedirs(folder)
        with open(os.path.join(folder, 'log'), 'wb') as log:
            self.process = subprocess.Popen(
                [program('bitwright-worker'), '--server', address, '--work-dir', os.path.join(folder, 'work'),
                 '--threads', '1', '--exit-with-parent'], stdout=log, stderr=log, env=environment())

    def stop(self):
        self.process.terminate()
        return self.process.wait(PATIENCE)


# --- what a job gives ---

def digest(path):
    with open(path, 'rb') as file:
        return hashlib.sha256(file.read()).hexdigest()


def files_below(folder):
    """Relative path to absolute path of every file."""
    found = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            found[os.path.relpath(path, folder)] = path
    return found


def outcome(out):
    """All that must be the same bytes however a job was run: every file of the artifact, and the report."""
    files = {name: digest(path) for name, path in files_below(os.path.join(out, 'model')).items()}
    with open(os.path.join(out, 'report.json'), encoding='utf-8') as file:
        return files, json.load(file)


class ServiceTest(unittest.TestCase):
    """A folder of its own; what was started ends with the test."""

    maxDiff = 4000

    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix='e2e-', dir='/tmp')
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)

    def path(self, *parts):
        return os.path.join(self.dir, *parts)

    def texts(self, name='', size_bytes=2048):
        """Data of its own for each name, so that jobs of two names share nothing in the action cache."""
        paths = [self.path(f'{use}{name}.txt') for use in ('calibration', 'evaluation')]
        for path in paths:
            small_model.write_text(path, size_bytes, path.removeprefix(self.dir))
        return ['--calibration', paths[0], '--evaluation', paths[1], '--window', '64', '--calibration-tokens',
                str(size_bytes), '--evaluation-tokens', str(size_bytes)]

    def bound_that_fails(self):
        """Options of a job that is accepted and fails with BOUND_NOT_MET: no plan of 4 bits loses so little."""
        recipe = self.path('four-bits.textproto')
        with open(os.path.join(SAMPLE, '..', '..', 'proto', 'recipes', 'mixed-rtn.textproto'), encoding='utf-8') as file:
            shipped = file.read()
        with open(recipe, 'w', encoding='utf-8') as file:
            file.write(shipped.replace('name: "mixed-rtn"', 'name: "four-bits"') + 'formats { bits: 4 }\n')
        return ['--max-kld', '1e-9', '--recipe', recipe]

    def start_service(self, name='service', **settings):
        service = Service(self.path(name), **settings)
        self.addCleanup(service.close)
        return service
