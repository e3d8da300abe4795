"""Errors of the service and of this package, each with a stable reason and a remedy.

A program looks at the class or at `reason`; the sentence is for people and may change. Every error of the service
carries google.rpc.ErrorInfo, whose reason and metadata are taken over here.
"""

from __future__ import annotations

from typing import Dict, Mapping, NamedTuple, Optional, Type

from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

# google.rpc.Code (github.com/googleapis/googleapis/blob/master/google/rpc/code.proto), by number.
CODES = ('OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'ALREADY_EXISTS',
         'PERMISSION_DENIED', 'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION', 'ABORTED', 'OUT_OF_RANGE', 'UNIMPLEMENTED',
         'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS', 'UNAUTHENTICATED')


class BitwrightError(Exception):
    """What went wrong: `str(error)` is a sentence for a person that ends with the reason in brackets."""

    def __init__(self, code: str, reason: str, message: str, metadata: Optional[Mapping[str, str]] = None,
                 field: str = ''):
        super().__init__(f'{message} [{reason}]' if reason else message)
        self.code = code
        """Of google.rpc.Code: "INVALID_ARGUMENT"."""
        self.reason = reason
        """Stable, in capitals: "BUDGET_BELOW_SMALLEST_PLAN"."""
        self.message = message
        """The sentence alone: what is wrong, which one, what the limit is; then, behind a semicolon, what to do."""
        self.metadata: Dict[str, str] = dict(metadata or {})
        """What the sentence names, for programs: file, budget, limit."""
        self._field = field

    @property
    def field(self) -> str:
        """Which argument, field or file is wrong: "budget"; empty where the error is not about one."""
        if self._field:
            return self._field
        if 'field' in self.metadata:
            return self.metadata['field']
        # The service names what is wrong as the key of its value.
        return next((key for key in _ARGUMENTS if key in self.metadata), '')

    @property
    def remedy(self) -> str:
        """What to do about it; empty where nothing can be done. Every sentence has it behind its first semicolon."""
        return self.message.partition('; ')[2]


_ARGUMENTS = ('budget', 'recipe', 'target', 'targets', 'consumer', 'device', 'model', 'use', 'label', 'key', 'priority', 'window',
              'goal', 'context', 'option', 'path', 'file', 'dir', 'address', 'name', 'job')


class InvalidError(BitwrightError):
    """Arguments or input that must be changed or cannot be read."""


class NotFoundError(BitwrightError):
    """No such model, job, recipe or file."""


class AccessError(BitwrightError):
    """The server does not know who is calling, or that one may not."""


class UnreachableError(BitwrightError):
    """Nobody answered until the patience was over."""


class JobFailedError(BitwrightError):
    """The job ended in FAILED; reason and message are those of the job."""


class JobCancelledError(BitwrightError):
    """The job was cancelled."""


_CLASSES: Dict[str, Type[BitwrightError]] = {
    'INVALID_ARGUMENT': InvalidError, 'OUT_OF_RANGE': InvalidError, 'NOT_FOUND': NotFoundError,
    'PERMISSION_DENIED': AccessError, 'UNAUTHENTICATED': AccessError, 'UNAVAILABLE': UnreachableError,
    'CANCELLED': JobCancelledError,
}


def make(code: str, reason: str, message: str, metadata: Optional[Mapping[str, str]] = None,
         field: str = '') -> BitwrightError:
    """An error of the class that fits the code."""
    return _CLASSES.get(code, BitwrightError)(code, reason, message, metadata, field)


def from_status(status: status_pb2.Status) -> BitwrightError:
    """Of a google.rpc.Status with its details."""
    info = error_details_pb2.ErrorInfo()
    field = ''
    for detail in status.details:
        if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            detail.Unpack(info)
        elif detail.Is(error_details_pb2.BadRequest.DESCRIPTOR):
            request = error_details_pb2.BadRequest()
            detail.Unpack(request)
            field = request.field_violations[0].field if request.field_violations else ''
    return make(CODES[status.code] if 0 <= status.code < len(CODES) else 'UNKNOWN', info.reason, status.message,
                info.metadata, field)


def from_call(code: int, message: str, details: bytes) -> BitwrightError:
    """Of a call that failed: what gRPC says of it, and the bytes of `grpc-status-details-bin`, if any."""
    status = status_pb2.Status()
    try:
        status.ParseFromString(details)
    except DecodeError:
        status.Clear()
    if status.code != code:
        status.Clear()
        status.code, status.message = code, message
    return from_status(status)


class _Meaning(NamedTuple):
    """What a code means when nobody said more, and what to do."""

    reason: str
    what: str
    remedy: str


_SEE_LOG = 'look at its log, and call again'
_UPDATE = 'use a client and a server of the same version'
_MEANINGS = {
    'CANCELLED': _Meaning('CALL_CANCELLED', 'ended the call before its result', _SEE_LOG),
    'UNKNOWN': _Meaning('SERVER_FAULT', 'failed without saying why', _SEE_LOG),
    'DEADLINE_EXCEEDED': _Meaning('SERVER_TIMEOUT', 'did not answer in time', _SEE_LOG),
    'PERMISSION_DENIED': _Meaning('ACCESS_DENIED', 'denies access', 'ask whoever runs it for the rights'),
    'UNAUTHENTICATED': _Meaning('ACCESS_DENIED', 'does not know who is asking', 'ask whoever runs it for access'),
    'RESOURCE_EXHAUSTED': _Meaning('SERVER_EXHAUSTED', 'has no room left, or the message is too large for it',
                                   'wait until it has less to do, or ask for less at once'),
    'UNIMPLEMENTED': _Meaning('CALL_UNKNOWN', 'does not know this call, or cannot read it',
                              'it may be older than this package, or no Bitwright service at all: check `server`, and '
                              'update the older of the two'),
    'INTERNAL': _Meaning('SERVER_FAULT', 'failed, or the connection to it did', _SEE_LOG),
    'UNAVAILABLE': _Meaning('SERVER_UNREACHABLE', 'cannot be reached',
                            'start bitwrightd there, or name another as `server` or in BITWRIGHT_SERVER'),
    'DATA_LOSS': _Meaning('SERVER_FAULT', 'lost data', _SEE_LOG),
}
_REFUSED = _Meaning('SERVER_REFUSED', 'refused the call', _UPDATE)


def final(error: BitwrightError, address: str) -> BitwrightError:
    """An error as the caller gets it: what another layer made without a reason of ours is given one and a remedy."""
    if error.reason and error.reason != 'STREAM_ENDED' and error.message:
        return error
    meaning = _MEANINGS.get(error.code, _REFUSED)
    said = f' ({error.message})' if error.message else ''
    # CANCELLED would mean that a person did it.
    code = 'ABORTED' if error.code == 'CANCELLED' else error.code
    return make(code, meaning.reason, f'the server at {address} {meaning.what}{said}; {meaning.remedy}',
                {'address': address})
