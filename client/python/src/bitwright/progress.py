"""How far an upload, a job or a download has come: for a function of the caller, or a bar of tqdm."""

from __future__ import annotations

import dataclasses
import sys
import threading
from typing import Any, Callable, Optional, Union

HASH, UPLOAD, INSPECT, JOB, DOWNLOAD = 'hash', 'upload', 'inspect', 'job', 'download'
_WORDS = {HASH: 'reading', UPLOAD: 'uploading', INSPECT: 'inspecting', JOB: 'quantizing', DOWNLOAD: 'downloading'}


@dataclasses.dataclass(frozen=True)
class Progress:
    """Where something stands."""

    phase: str
    """"hash", "upload", "inspect", "job" or "download"."""
    done: float
    """Bytes; of a job its share, 0 to 1."""
    total: float
    """Likewise; 0 where nothing is counted."""
    text: str = ''
    """For people: what the job is at, or what it waits for."""


OnProgress = Callable[[Progress], None]
ProgressLike = Union[bool, OnProgress, None]


def listener(progress: ProgressLike) -> OnProgress:
    """True: bars of tqdm (ImportError without the extra `progress`). None: bars where they can be seen and tqdm is
    installed, otherwise nothing. Any function is called as it is, one call at a time."""
    if progress is None or isinstance(progress, bool):
        bars = _bars(progress)
        return bars if bars is not None else lambda _: None
    lock = threading.Lock()
    given = progress

    def one_at_a_time(now: Progress) -> None:
        with lock:
            given(now)
    return one_at_a_time


class Counter:
    """Adds up bytes of one phase from several threads, and tells of the sum."""

    def __init__(self, phase: str, total: int, tell: OnProgress):
        self._phase, self._total, self._tell = phase, total, tell
        self._done = 0
        self._lock = threading.Lock()
        tell(Progress(phase, 0, total))

    def add(self, count: int) -> None:
        if not count:
            return
        with self._lock:
            self._done += count
            done = self._done
        self._tell(Progress(self._phase, done, self._total))


def _bars(wanted: Optional[bool]) -> Optional[OnProgress]:
    if wanted is False or (wanted is None and not (sys.stderr.isatty() or 'ipykernel' in sys.modules)):
        return None
    try:
        from tqdm import auto
    except ImportError:
        if wanted:
            raise
        return None
    return Bars(auto.tqdm)


class Bars:
    """One bar for each phase, one after the other."""

    def __init__(self, make: Callable[..., Any]):
        self._make = make
        self._lock = threading.Lock()
        self._phase = ''
        self._bar: Any = None

    def __call__(self, now: Progress) -> None:
        with self._lock:
            if now.phase != self._phase:
                self._begin(now)
            if self._bar is None:
                return
            self._bar.n = now.done * self._scale(now)
            if now.text:
                self._bar.set_postfix_str(now.text, refresh=False)
            if now.total and now.done >= now.total:
                self._end()
            else:
                self._bar.update(0)

    def _scale(self, now: Progress) -> float:
        return 100.0 if now.phase == JOB else 1.0

    def _begin(self, now: Progress) -> None:
        self._end()
        self._phase = now.phase
        if now.phase == JOB:
            self._bar = self._make(total=100, desc=_WORDS[JOB], bar_format='{desc}: {percentage:3.0f} %|{bar}| {elapsed}{postfix}')
        elif now.total:
            self._bar = self._make(total=now.total, desc=_WORDS[now.phase], unit='B', unit_scale=True)

    def _end(self) -> None:
        if self._bar is not None:
            self._bar.refresh()
            self._bar.close()
        self._bar = None
