"""A server and two agents as processes that are started again whenever they end and continued when they halt."""

import contextlib
import os
import re
import signal
import subprocess
import threading
import time

import proxy
import service
from schedule import GRACE_SECONDS, HALT_SECONDS, LEASE_SECONDS

AGENTS = 2
_RESTART_PAUSE = 0.1
_LOOK = 0.02


class Program:
    """One program and its lives. The first ones have failpoints."""

    def __init__(self, arguments, log, lives):
        self._arguments = arguments
        self.log = log
        self._lives = list(lives)
        self.process = None
        self.starts = 0

    def start(self):
        failpoints = self._lives.pop(0) if self._lives else ''
        variables = {'BITWRIGHT_FAILPOINTS': failpoints} if failpoints else {}
        self.starts += 1
        with open(self.log, 'ab') as log:
            self.process = subprocess.Popen(self._arguments, stdout=log, stderr=log,
                                            env=service.environment(**variables))

    def calm(self):
        """Its further lives are undisturbed."""
        self._lives = []

    def has_ended(self):
        return self.process.poll() is not None

    def signal(self, number):
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(number)


class Cluster:
    """Agent 0 reads the server's blobs from the disk, agent 1 over the network; both speak through the proxy."""

    def __init__(self, folder, schedule):
        os.makedirs(folder)
        self._folder = folder
        port = service.free_port()
        self.address = f'127.0.0.1:{port}'
        self.data = os.path.join(folder, 'data')
        self._network = proxy.Proxy(('127.0.0.1', port))
        self.server = Program(
            [service.program('bitwrightd'), '--data-dir', self.data, '--listen', self.address, '--metrics-listen',
             'off', '--workers', '0', '--lease-ttl', str(LEASE_SECONDS), '--lease-grace', str(GRACE_SECONDS),
             '--exit-with-parent'], self._path('server.log'), schedule.server)
        self.agents = [self._agent(number, lives) for number, lives in enumerate(schedule.agents)]
        self._halted = {}
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        for program in self._programs():
            program.start()
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self._keeper.start()

    def _path(self, *parts):
        return os.path.join(self._folder, *parts)

    def _agent(self, number, lives):
        arguments = [service.program('bitwright-worker'), '--server', self._network.address, '--work-dir',
                     self._path(f'work{number}'), '--threads', '1', '--exit-with-parent']
        if number == 0:
            arguments += ['--blob-dir', os.path.join(self.data, 'blobs')]
        return Program(arguments, self._path(f'agent{number}.log'), lives)

    def _programs(self):
        return [self.server, *self.agents]

    # --- what keeps them going ---

    def _keep(self):
        ended = {}
        while not self._stopping.wait(_LOOK):
            now = time.monotonic()
            with self._lock:
                for program in self._programs():
                    if not program.has_ended():
                        ended.pop(program, None)
                    elif now - ended.setdefault(program, now) >= _RESTART_PAUSE:
                        program.start()
            self._thaw(now)

    def _thaw(self, now):
        """Continues what has been halted for longer than a lease."""
        halted = {}
        for program in self._programs():
            pid = program.process.pid
            for one in (service.identify(pid), *service.descendants_of(pid)):
                if service.state_of(one[0]) == 'T':
                    halted[one] = self._halted.get(one, now)
        for (pid, _), since in halted.items():
            if now - since >= HALT_SECONDS:
                service.thaw(pid)
        self._halted = halted

    # --- what is done to them ---

    def strike(self, what, whom, agent):
        number = {'kill': signal.SIGKILL, 'stop': signal.SIGSTOP}.get(what)
        with self._lock:
            if whom == 'network':
                self._network.cut(0.3)
            elif whom == 'server':
                self.server.signal(number)
            elif whom == 'agent':
                self.agents[agent].signal(number)
            else:
                for child in service.children_of(self.agents[agent].process.pid):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(child, number)

    def calm(self):
        """Ends all as a crash does and lets it come back undisturbed."""
        with self._lock:
            for program in self._programs():
                program.calm()
                program.signal(signal.SIGKILL)
        for program in self._programs():
            program.process.wait()

    def stop(self):
        """In order. Returns the server's exit code."""
        self._stopping.set()
        self._keeper.join()
        for program in reversed(self._programs()):
            for pid, _ in service.descendants_of(program.process.pid):
                service.thaw(pid)
            service.thaw(program.process.pid)
            program.signal(signal.SIGTERM)
            try:
                code = program.process.wait(30)
            except subprocess.TimeoutExpired:
                program.process.kill()
                code = program.process.wait()
        self._network.close()
        return code

    def reached(self):
        """How often each failpoint acted, by the logs."""
        counts = {}
        for program in self._programs():
            with open(program.log, encoding='utf-8', errors='replace') as log:
                for name in re.findall(r'\] failpoint ([a-z_.]+), time', log.read()):
                    counts[name] = counts.get(name, 0) + 1
        return counts

    def logs(self):
        text = ''
        for program in self._programs():
            with open(program.log, encoding='utf-8', errors='replace') as log:
                text += f'--- {os.path.basename(program.log)}\n' + log.read()
        return text
