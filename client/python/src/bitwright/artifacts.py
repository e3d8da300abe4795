"""Artifacts of finished jobs."""

from __future__ import annotations

import os
import pathlib
from typing import Tuple

from bitwright.budget_names import goal_names
from bitwright.download import download_files
from bitwright.jobs import goals_of, outcomes_of
from bitwright.messages import record
from bitwright.models import PathLike
from bitwright.progress import OnProgress
from bitwright.retry import Patience
from bitwright.steps import Steps
from bitwright.types import FileEntry, Goal
from bitwright.v1 import jobs_pb2


class ArtifactView:
    """What one goal of a job came to: the files that a program loads."""

    def __init__(self, job: jobs_pb2.Job, index: int):
        self._outcome = outcomes_of(job)[index]
        self.job = job.name
        """"jobs/{id}"."""
        self.index = index
        """Of its goal, from 0."""
        self.name = goal_names(goals_of(job.spec))[index]
        """Of its goal among those of the job, in the fewest letters: "4.25bpw", "gguf-12MB"."""

    @property
    def goal(self) -> Goal:
        return record(Goal, self._outcome.goal)

    @property
    def files(self) -> Tuple[FileEntry, ...]:
        """By path, each with its SHA-256 and its size in bytes."""
        return tuple(record(FileEntry, entry) for entry in self._outcome.artifact.files)

    @property
    def size_bytes(self) -> int:
        """Of all files."""
        return sum(entry.digest.size_bytes for entry in self._outcome.artifact.files)

    def __repr__(self) -> str:
        return f'<{type(self).__name__} {self.name} of {self.job}, {self.size_bytes} bytes>'

    def _download(self, patience: Patience, path: PathLike, tell: OnProgress) -> Steps[pathlib.Path]:
        yield from download_files(patience, self._outcome.artifact.files, os.fspath(path), tell)
        return pathlib.Path(path)
