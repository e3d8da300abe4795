"""Digests of files, several at once."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import BinaryIO, Callable, List, Sequence

from bitwright import file_errors, steps
from bitwright.steps import Steps
from bitwright.v1 import blobs_pb2

WIDTH = 4  # files that are hashed at once: SHA-256 leaves the interpreter's lock to others
BLOCK_BYTES = 8 << 20


@dataclasses.dataclass(frozen=True)
class LocalBlob:
    """A file and what it holds."""

    path: str
    sha256: str
    size_bytes: int

    def digest(self) -> blobs_pb2.Digest:
        return blobs_pb2.Digest(sha256=self.sha256, size_bytes=self.size_bytes)

    def __str__(self) -> str:
        return f'{self.sha256}/{self.size_bytes}'


def hash_files(paths: Sequence[str], on_bytes: Callable[[int], None]) -> Steps[List[LocalBlob]]:
    """In the order of `paths`. `on_bytes` is told of bytes that were read, from any thread. FILE_UNREADABLE."""
    return (yield from steps.together([hash_file(path, on_bytes) for path in paths], WIDTH))


def hash_file(path: str, on_bytes: Callable[[int], None]) -> Steps[LocalBlob]:
    digest = hashlib.sha256()
    size = 0
    file = yield from steps.work(lambda: _open(path))
    with file:
        while block := (yield from steps.work(lambda: _hash_block(file, digest))):
            size += block
            on_bytes(block)
    return LocalBlob(path, digest.hexdigest(), size)


def _open(path: str) -> BinaryIO:
    try:
        return open(path, 'rb', buffering=0)
    except OSError as error:
        raise file_errors.unreadable(path, error) from error


def _hash_block(file: BinaryIO, digest: 'hashlib._Hash') -> int:
    try:
        block = file.read(BLOCK_BYTES)
    except OSError as error:
        raise file_errors.unreadable(str(file.name), error) from error
    digest.update(block)
    return len(block)
