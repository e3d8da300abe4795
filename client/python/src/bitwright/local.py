"""A service of one's own, as `bitwright quantize --local` starts it: bitwrightd with its workers on a socket in a private
folder, in a process group of its own. It ends with the client, and at the latest with the program."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from typing import Iterator, List, Optional

from bitwright import file_errors, steps
from bitwright.errors import BitwrightError, UnreachableError, make
from bitwright.methods import HEALTH, SERVING
from bitwright.models import PathLike
from bitwright.steps import Sleep, Steps

START_SECONDS = 60.0
STOP_SECONDS = 15.0
LOOK_SECONDS = 0.05
LOG_LINES = 12
MOST_SOCKET_BYTES = 107  # of a path in sockaddr_un (unix(7)), without its end
DAEMON = 'bitwrightd'


def find_daemon(given: Optional[PathLike]) -> str:
    """The executable: `given`, else BITWRIGHTD, else beside `bitwright` in PATH, else in PATH. DAEMON_NOT_FOUND."""
    named = os.fspath(given) if given is not None else os.environ.get('BITWRIGHTD') or None
    if named is not None:
        if os.path.isfile(named) and os.access(named, os.X_OK):
            return named
        raise _not_found(f"'{named}' is not an executable file")
    command = shutil.which('bitwright')
    beside = os.path.join(os.path.dirname(os.path.realpath(command)), DAEMON) if command else ''
    found = beside if beside and os.access(beside, os.X_OK) else shutil.which(DAEMON)
    if not found:
        raise _not_found('neither beside `bitwright` nor in PATH')
    return found


def _not_found(looked_at: str) -> BitwrightError:
    return make('FAILED_PRECONDITION', 'DAEMON_NOT_FOUND', f'bitwrightd was not found ({looked_at}); set BITWRIGHTD to its '
                'path, or name a running service: Client("HOST:PORT")', {}, 'daemon')


class LocalService:
    """The process. Its methods may be called from any thread."""

    def __init__(self, workers: int, threads: int, data_dir: Optional[PathLike], daemon: Optional[PathLike]):
        program = find_daemon(daemon)
        self._folder = _private_folder()
        self.address = f'unix:{self._folder}/socket'
        self._log = os.path.join(self._folder, 'bitwrightd.log')
        self._lock = threading.Lock()
        self._stopped = False
        data = os.path.join(self._folder, 'data') if data_dir is None else os.fspath(data_dir)
        command = [program, '--data-dir', data, '--listen', self.address, '--metrics-listen', 'off', '--exit-with-parent',
                   '--workers', str(workers), *(['--worker-threads', str(threads)] if threads else [])]
        try:
            os.makedirs(data, mode=0o700, exist_ok=True)
            self._process = self._start(command)
        except OSError as error:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise file_errors.unwritable(data, error) if error.filename == data else self._failed(
                f'could not be started from {program}: {error.strerror}', '') from error
        atexit.register(self.stop)

    def _start(self, command: List[str]) -> subprocess.Popen[bytes]:
        """The service ends with the thread that starts it (prctl(2), PR_SET_PDEATHSIG). So that is one of its own, which
        lives as long as the service, whichever thread the client was made in."""
        started = threading.Event()
        outcome: List[object] = []

        def live() -> None:
            try:
                with open(self._log, 'wb') as log:
                    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                               start_new_session=True)  # Ctrl-C reaches this program alone
            except OSError as error:
                outcome.append(error)
                return
            else:
                outcome.append(process)
            finally:
                started.set()
            process.wait()
        threading.Thread(target=live, name='bitwrightd', daemon=True).start()
        started.wait()
        if isinstance(outcome[0], OSError):
            raise outcome[0]
        assert isinstance(outcome[0], subprocess.Popen)
        return outcome[0]

    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def stop(self) -> None:
        """In order; what does not end within 15 seconds is killed. The private folder goes, a named data folder stays."""
        with self._lock:
            if self._stopped:
                return
            self._stopped = True
            if self._process.poll() is None:
                self._process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(STOP_SECONDS)
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)  # workers that it may have left
            self._process.wait()
            shutil.rmtree(self._folder, ignore_errors=True)
            atexit.unregister(self.stop)

    def explain(self, error: BitwrightError) -> BitwrightError:
        """DAEMON_FAILED in place of `error` where the process has ended."""
        return self._failed('ended in the middle of the work', self._last_lines()) if self.has_ended() else error

    def start_failed(self, what: str) -> BitwrightError:
        return self._failed(what, self._last_lines())

    def _failed(self, what: str, lines: str) -> BitwrightError:
        return make('INTERNAL', 'DAEMON_FAILED',
                    f'the local bitwrightd {what}' + (f'; the end of its log:\n{lines}' if lines else ''))

    def _last_lines(self) -> str:
        try:
            with open(self._log, encoding='utf-8', errors='replace') as file:
                return ''.join(file.readlines()[-LOG_LINES:]).rstrip()
        except OSError:
            return ''


@contextlib.contextmanager
def explaining(service: Optional[LocalService]) -> Iterator[None]:
    """Where a service of one's own does not answer since it has ended, that is the error."""
    try:
        yield
    except UnreachableError as error:
        raise (service.explain(error) if service else error) from None


def await_health(service: LocalService) -> Steps[None]:
    """Returns once the service answers. DAEMON_FAILED."""
    give_up = time.monotonic() + START_SECONDS
    while True:
        try:
            if (yield from steps.call(HEALTH, b'', 2.0)) == SERVING:
                return
        except BitwrightError:
            if service.has_ended():
                raise service.start_failed('ended at its start') from None
        if time.monotonic() > give_up:
            raise service.start_failed(f'did not answer within {START_SECONDS:.0f} s')
        yield Sleep(LOOK_SECONDS)


def _private_folder() -> str:
    """On the disk of temporary files; XDG_RUNTIME_DIR is memory, and the way out where the name of a socket gets too long."""
    roots = [tempfile.gettempdir(), '/tmp', os.environ.get('XDG_RUNTIME_DIR', '')]
    failed: OSError = FileNotFoundError(2, 'no folder for temporary files')
    for root in roots:
        try:
            folder = tempfile.mkdtemp(prefix='bitwright-', dir=root or None)
        except OSError as error:
            failed = error
            continue
        if len(os.fsencode(folder + '/socket')) <= MOST_SOCKET_BYTES:
            return folder
        os.rmdir(folder)
    raise file_errors.unwritable(roots[0], failed)
