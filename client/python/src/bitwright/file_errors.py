"""Errors of files on this machine."""

from __future__ import annotations

import errno
import os

from bitwright.errors import BitwrightError, make


def unreadable(path: str, error: OSError) -> BitwrightError:
    code = 'NOT_FOUND' if error.errno == errno.ENOENT else 'FAILED_PRECONDITION'
    return make(code, 'FILE_UNREADABLE', f"'{path}' cannot be read: {_why(error)}; check its name and who may read it",
                {'file': path})


def unwritable(path: str, error: OSError) -> BitwrightError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return make('RESOURCE_EXHAUSTED', 'DISK_FULL', f"'{path}' cannot be written: {_why(error)}; make room on that "
                    'disk and call again, what is there continues', {'file': path})
    return make('FAILED_PRECONDITION', 'FILE_UNWRITABLE',
                f"'{path}' cannot be written: {_why(error)}; check who may write there", {'file': path})


def changed(path: str, size_bytes: int) -> BitwrightError:
    return make('FAILED_PRECONDITION', 'FILE_CHANGED', f"'{path}' became shorter than its {size_bytes} bytes while it was "
                'read; let the program that writes it finish, then call again', {'file': path})


def _why(error: OSError) -> str:
    return error.strerror or os.strerror(error.errno or 0)
