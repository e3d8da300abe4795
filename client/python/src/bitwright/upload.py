"""Sends what the server lacks, and goes on where an earlier process was broken off."""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
import threading
from typing import Callable, Dict, Iterator, List, Optional, Sequence

from bitwright import file_errors, methods, progress, retry, steps
from bitwright.errors import BitwrightError, make
from bitwright.hashing import LocalBlob
from bitwright.progress import Counter, OnProgress
from bitwright.retry import Patience, Retry
from bitwright.steps import Steps
from bitwright.v1 import blobs_pb2, bytestream_pb2

WIDTH = 3  # files on their way at once
CHUNK_BYTES = 1 << 20  # of one message
MOST_DIGESTS = 10_000  # of one question what is missing
UNASKED_BYTES = 4 * CHUNK_BYTES  # so small an upload is not worth the question how far an earlier process came


def upload_missing(patience: Patience, blobs: Sequence[LocalBlob], tell: OnProgress) -> Steps[int]:
    """Uploads those of the files that the server lacks; returns how many bytes that were. BLOB_DIGEST_MISMATCH: a file
    has changed since it was hashed; FILE_UNREADABLE, FILE_CHANGED."""
    missing = yield from find_missing(patience, blobs)
    total = sum(blob.size_bytes for blob in missing)
    if missing:
        counter = Counter(progress.UPLOAD, total, tell)
        # The largest first, so that none is left alone at the end.
        order = sorted(missing, key=lambda blob: -blob.size_bytes)
        yield from steps.together([upload_blob(patience, blob, counter.add) for blob in order], WIDTH)
    return total


def find_missing(patience: Patience, blobs: Sequence[LocalBlob]) -> Steps[List[LocalBlob]]:
    """Of equal files the first."""
    first_of: Dict[str, LocalBlob] = {}
    for blob in blobs:
        first_of.setdefault(str(blob), blob)
    asked = list(first_of.values())
    missing = []
    for begin in range(0, len(asked), MOST_DIGESTS):
        request = blobs_pb2.FindMissingBlobsRequest(digests=[blob.digest() for blob in asked[begin:begin + MOST_DIGESTS]])
        answer = yield from retry.unary(patience, methods.FIND_MISSING_BLOBS, request)
        missing += [first_of[f'{digest.sha256}/{digest.size_bytes}'] for digest in answer.missing]
    return missing


def upload_id(blob: LocalBlob) -> str:
    """The same file of the same user on the same machine has the same id, so that a new process, or the command line,
    continues an old upload."""
    path = os.path.normpath(os.path.abspath(blob.path))
    named = '\n'.join((socket.gethostname(), str(os.getuid()), path, str(blob)))
    return hashlib.sha256(named.encode('utf-8', 'surrogateescape')).hexdigest()[:32]


def upload_blob(patience: Patience, blob: LocalBlob, on_bytes: Callable[[int], None]) -> Steps[None]:
    """`on_bytes` is told of bytes that the server holds or was sent; negative where it turned out to lack some."""
    sending = _Sending(blob, on_bytes)
    ask = blob.size_bytes > UNASKED_BYTES
    attempts = Retry(patience)
    furthest = 0
    while True:
        try:
            offset = 0
            if ask:
                held = yield from _query(sending.name)
                if held.complete:
                    sending.reached(blob.size_bytes)
                    return
                offset = min(max(held.committed_size, 0), blob.size_bytes)
            if offset > furthest:
                furthest = offset
                attempts.progressed()
            yield from _send_from(sending, offset)
            return
        except BitwrightError as error:
            ask = True
            # A half-finished upload of this name may be another process's, or older than the file: once, begin anew.
            if error.code == 'INVALID_ARGUMENT' and not sending.renamed:
                sending.rename()
                continue
            yield attempts.pause(error)


class _Sending:
    """One file on its way."""

    def __init__(self, blob: LocalBlob, on_bytes: Callable[[int], None]):
        self.blob = blob
        self.renamed = False
        self.error: Optional[BitwrightError] = None  # of the file; the call that it ended says nothing of it
        self._id = upload_id(blob)
        self._on_bytes = on_bytes
        self._told = 0
        self._lock = threading.Lock()
        self._stream = 0  # counts the streams: gRPC may still read from the requests of one that has ended

    @property
    def name(self) -> str:
        return f'uploads/{self._id}/blobs/{self.blob}'

    def rename(self) -> None:
        self.renamed = True
        self._id = secrets.token_hex(16)

    def reached(self, offset: int) -> None:
        """Between streams."""
        with self._lock:
            self._stream += 1
            self._tell(offset)

    def _sent(self, stream: int, offset: int) -> None:
        with self._lock:
            if stream == self._stream:
                self._tell(offset)

    def _tell(self, offset: int) -> None:
        self._on_bytes(offset - self._told)
        self._told = offset

    def requests(self, offset: int) -> Iterator[bytes]:
        """What is sent from `offset` on. Ends early where the file cannot be read."""
        size, stream = self.blob.size_bytes, self._stream
        head = bytestream_pb2.WriteRequest(resource_name=self.name)
        try:
            with open(self.blob.path, 'rb', buffering=0) as file:
                file.seek(offset)
                while not head.finish_write:
                    data = file.read(min(CHUNK_BYTES, size - offset))
                    if len(data) < min(CHUNK_BYTES, size - offset):
                        self.error = file_errors.changed(self.blob.path, size)
                        return
                    head.write_offset = offset
                    offset += len(data)
                    head.finish_write = offset == size
                    yield methods.write_message(head, data)
                    head.resource_name = ''
                    self._sent(stream, offset)
        except OSError as error:
            self.error = file_errors.unreadable(self.blob.path, error)


def _query(name: str) -> Steps[bytestream_pb2.QueryWriteStatusResponse]:
    try:
        request = bytestream_pb2.QueryWriteStatusRequest(resource_name=name)
        return (yield from steps.call(methods.QUERY_WRITE_STATUS, request))
    except BitwrightError as error:
        if error.code != 'NOT_FOUND':
            raise
        return bytestream_pb2.QueryWriteStatusResponse()


def _send_from(sending: _Sending, offset: int) -> Steps[None]:
    sending.error = None
    sending.reached(offset)
    failed: Optional[BitwrightError] = None
    try:
        answer = yield from steps.send(methods.WRITE, sending.requests(offset))
        if answer.committed_size != sending.blob.size_bytes:
            failed = make('UNAVAILABLE', 'STREAM_ENDED',
                          f'the server took {answer.committed_size} of {sending.blob.size_bytes} bytes')
    except BitwrightError as error:
        # A large file on a slow line outlasts one stream; the next goes on where it was.
        failed = retry.stream_ended() if error.code == 'DEADLINE_EXCEEDED' else error
    if sending.error is not None:
        raise sending.error
    if failed is not None:
        raise failed
    sending.reached(sending.blob.size_bytes)
