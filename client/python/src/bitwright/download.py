"""Writes files of an artifact: each appears whole, with the right digest, or not at all."""

from __future__ import annotations

import hashlib
import os
from typing import BinaryIO, Callable, Sequence, TypeVar

from bitwright import file_errors, methods, progress, retry, steps
from bitwright.errors import BitwrightError, make
from bitwright.hashing import hash_file
from bitwright.progress import Counter, OnProgress
from bitwright.retry import Patience, Retry
from bitwright.steps import Steps
from bitwright.v1 import blobs_pb2, bytestream_pb2

T = TypeVar('T')

WIDTH = 2  # files on their way at once
BLOCK_BYTES = 8 << 20


def download_files(patience: Patience, files: Sequence[blobs_pb2.FileEntry], folder: str, tell: OnProgress) -> Steps[None]:
    """Writes the files below `folder`. A file that is there with its digest is kept, and one that was broken off
    ("{path}.part") continues. MANIFEST_PATH_INVALID: a path would leave `folder`; BLOB_DIGEST_MISMATCH: other bytes
    arrived twice; FILE_UNWRITABLE, DISK_FULL."""
    for entry in files:
        parts = entry.path.split('/')
        if entry.path.startswith('/') or any(part in ('', '.', '..') for part in parts) or '\0' in entry.path:
            raise make('INVALID_ARGUMENT', 'MANIFEST_PATH_INVALID', f'the artifact has a file {entry.path!r}, which would '
                       'leave the folder; nothing was written', {'path': entry.path})
    counter = Counter(progress.DOWNLOAD, sum(entry.digest.size_bytes for entry in files), tell)
    yield from steps.work(lambda: _make_folder(folder))
    yield from steps.together([_download_file(patience, entry, folder, counter.add) for entry in files], WIDTH)


def _download_file(patience: Patience, entry: blobs_pb2.FileEntry, folder: str, on_bytes: Callable[[int], None]) -> Steps[None]:
    path = os.path.join(folder, *entry.path.split('/'))
    if (yield from _holds(path, entry.digest)):
        on_bytes(entry.digest.size_bytes)
        return
    yield from steps.work(lambda: _make_folder(os.path.dirname(path)))
    part = yield from steps.work(lambda: _PartFile(path, entry.digest))
    with part:
        yield from part.take_up()
        again = part.size_bytes > 0  # it may be of another blob; from the start, the digest must be right
        on_bytes(part.size_bytes)
        while True:
            yield from _fill(patience, part, on_bytes)
            if part.has_digest():
                yield from steps.work(part.publish)
                return
            on_bytes(-part.size_bytes)
            part.start_over()
            if not again:
                break
            again = False
        part.remove()
    raise make('DATA_LOSS', 'BLOB_DIGEST_MISMATCH',
               f"what arrived for '{part.path}' does not have the digest {part.name}; it was dropped: call again, and if "
               'it happens again check disk and network', {'file': part.path, 'digest': part.name})


def _holds(path: str, digest: blobs_pb2.Digest) -> Steps[bool]:
    """Whether the file is there already, byte for byte."""
    if not os.path.isfile(path) or os.path.getsize(path) != digest.size_bytes:
        return False
    try:
        found = yield from hash_file(path, lambda _: None)
    except BitwrightError:
        return False
    return found.sha256 == digest.sha256


def _fill(patience: Patience, part: _PartFile, on_bytes: Callable[[int], None]) -> Steps[None]:
    attempts = Retry(patience)
    while part.size_bytes < part.digest.size_bytes:
        try:
            request = bytestream_pb2.ReadRequest(resource_name=f'blobs/{part.name}', read_offset=part.size_bytes)
            stream = yield from steps.open_stream(methods.READ, request)
            while (answer := (yield from steps.read(stream))) is not None:
                on_bytes((yield from steps.work(lambda: part.append(answer.data))))
                attempts.progressed()
            if part.size_bytes < part.digest.size_bytes:
                raise retry.stream_ended()
        except BitwrightError as error:
            late = error.code == 'DEADLINE_EXCEEDED'
            yield attempts.pause(retry.stream_ended() if late else error)


class _PartFile:
    """A file in the making: its bytes gather in "{path}.part", are hashed as they come, and appear in one step."""

    def __init__(self, path: str, digest: blobs_pb2.Digest):
        self.path = path
        self.digest = digest
        self.name = f'{digest.sha256}/{digest.size_bytes}'
        self.size_bytes = 0
        self._part = path + '.part'
        self._hash = hashlib.sha256()
        self._file: BinaryIO = self._guard(lambda: open(self._part, 'a+b', buffering=0))

    def __enter__(self) -> _PartFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def take_up(self) -> Steps[None]:
        """What an earlier attempt left; a part that is longer than the blob begins again."""
        if self._file.seek(0, os.SEEK_END) > self.digest.size_bytes:
            self.start_over()
        self._file.seek(0)
        while block := (yield from steps.work(lambda: self._guard(lambda: self._file.read(BLOCK_BYTES)))):
            self._hash.update(block)
            self.size_bytes += len(block)

    def append(self, data: bytes) -> int:
        """Bytes that are there now and were not before: what goes beyond the blob is dropped."""
        data = data[:self.digest.size_bytes - self.size_bytes]
        rest = memoryview(data)
        while rest:
            rest = rest[self._guard(lambda: self._file.write(rest)):]
        self._hash.update(data)
        self.size_bytes += len(data)
        return len(data)

    def has_digest(self) -> bool:
        return self.size_bytes == self.digest.size_bytes and self._hash.hexdigest() == self.digest.sha256

    def start_over(self) -> None:
        self._guard(lambda: self._file.truncate(0))
        self._hash = hashlib.sha256()
        self.size_bytes = 0

    def publish(self) -> None:
        self._guard(lambda: os.fsync(self._file.fileno()))
        self._guard(lambda: os.replace(self._part, self.path))

    def remove(self) -> None:
        os.unlink(self._part)

    def _guard(self, function: Callable[[], T]) -> T:
        try:
            return function()
        except OSError as error:
            raise file_errors.unwritable(self._part, error) from error


def _make_folder(path: str) -> None:
    try:
        os.makedirs(path or '.', exist_ok=True)
    except OSError as error:
        raise file_errors.unwritable(path, error) from error
