"""What a file of text or token ids is, by its name and first bytes: the rules of proto/inputs/data_kind.h."""

from __future__ import annotations

import json
import re
from typing import Any, List, NoReturn, Optional, Tuple

from bitwright.errors import make
from bitwright.v1 import jobs_pb2

HEAD_BYTES = 1 << 16
KINDS = {'text': jobs_pb2.Data.TEXT, 'documents': jobs_pb2.Data.DOCUMENTS_JSONL, 'ids': jobs_pb2.Data.TOKEN_IDS_JSONL}
TABLE_LINES = 10  # this many lines with the same number of separators are a table
TABLE_SEPARATORS = 2

_EXTRACT = 'extract it first'
_TO_LINES = "write its text column to JSON lines with a field 'text'"
_SIGNATURES = (
    (b'PAR1', 'a parquet file', _TO_LINES), (b'ARROW1', 'an Arrow file', _TO_LINES),
    (b'SQLite format 3', 'an SQLite database', _TO_LINES), (b'\x1f\x8b', 'compressed with gzip', _EXTRACT),
    (b'\x28\xb5\x2f\xfd', 'compressed with zstd', _EXTRACT), (b'\xfd7zXZ', 'compressed with xz', _EXTRACT),
    (b'BZh', 'compressed with bzip2', _EXTRACT), (b'PK\x03\x04', 'a ZIP archive', _EXTRACT),
    (b'%PDF-', 'a PDF document', 'extract its text first'), (b'GGUF', 'a GGUF model', 'give a text'),
    (b'version https://git-lfs', 'a git-lfs pointer', 'fetch the file itself with `git lfs pull`'),
    (b'\xff\xfe', 'UTF-16 text', 'convert it with `iconv -f UTF-16 -t UTF-8`'),
    (b'\xfe\xff', 'UTF-16 text', 'convert it with `iconv -f UTF-16 -t UTF-8`'),
    (b'<!DOCTYPE html', 'an HTML page', 'give its text'))
_IDS = re.compile(r'[\[\]0-9, \t]*[0-9][\[\]0-9, \t]*')
_FIELDS = ('"text"', '"content"', '"messages"', '"prompt"')


def recognize(name: str, head: bytes) -> jobs_pb2.Data.Kind:
    """`head`: the first HEAD_BYTES bytes, or all. DATA_NOT_TEXT, DATA_IS_TABLE, DATA_IS_JSON, DATA_NOT_UTF8."""
    whole = len(head) < HEAD_BYTES
    for signature, what, remedy in _SIGNATURES:
        if head.startswith(signature):
            _refuse('DATA_NOT_TEXT', name, f'is {what}, not text; {remedy}')
    head = head[3:] if head.startswith(b'\xef\xbb\xbf') else head
    if b'\0' in head:
        _refuse('DATA_NOT_TEXT', name, 'is binary data, not text; give UTF-8 text')
    return _recognize_text(name, _decode(name, head, whole), whole)


def _decode(name: str, head: bytes, whole: bool) -> str:
    try:
        return head.decode('utf-8')
    except UnicodeDecodeError as error:
        longest_character = 4  # the last one may be cut off
        if whole or len(head) - error.start >= longest_character:
            _refuse('DATA_NOT_UTF8', name, f'is not UTF-8 at byte {error.start}; convert it, for example with '
                    '`iconv -t UTF-8`')
        return head[:error.start].decode('utf-8')


def _lines(text: str, whole: bool) -> Tuple[List[str], bool]:
    """The complete lines that are not empty, and whether the first is cut off (it is then the only one)."""
    pieces = text.split('\n')
    complete = [line for line in (piece.strip(' \t').rstrip('\r \t') for piece in pieces[:None if whole else -1]) if line]
    if whole or complete:
        return complete, False
    last = pieces[-1].strip(' \t').rstrip('\r \t')
    return ([last], True) if last else ([], False)


def _recognize_text(name: str, text: str, whole: bool) -> jobs_pb2.Data.Kind:
    lines, cut = _lines(text, whole)
    if not lines:
        return jobs_pb2.Data.TEXT  # an empty file is refused elsewhere
    first = lines[0]
    if first.startswith('[') and (cut or first.endswith(']')) and _IDS.fullmatch(first):
        return jobs_pb2.Data.TOKEN_IDS_JSONL
    if first.startswith('{') and _are_documents(name, lines, cut):
        return jobs_pb2.Data.DOCUMENTS_JSONL
    bracket = first in ('{', '[') or first.startswith('[{')
    if name.endswith('.json') or (bracket and (not whole or isinstance(_json(text), (dict, list)))):
        _refuse_json(name, 'is one JSON document')
    if name.endswith(('.jsonl', '.ndjson')):
        _refuse_json(name, 'is named as JSON lines, but its first line is none')
    for ending, separator, word in (('.csv', ',', 'comma'), ('.tsv', '\t', 'tab')):
        if name.endswith(ending) or _is_table(lines, separator):
            _refuse('DATA_IS_TABLE', name, f"looks like a table of {word}-separated values; write its text column to JSON "
                    "lines with a field 'text', or state kind='text' to take the file as it is")
    return jobs_pb2.Data.TEXT


def _are_documents(name: str, lines: List[str], cut: bool) -> bool:
    if cut:
        return any(field in lines[0] for field in _FIELDS)
    for number, line in enumerate(lines, 1):
        document = _json(line)
        if isinstance(document, dict):
            if not _has_text(document):
                _refuse_json(name, f'is JSON lines, but line {number} has no field of text')
        elif number > 1:
            _refuse_json(name, f'begins as JSON lines, but line {number} is none')
        else:
            return False
    return True


def _has_text(document: Any) -> bool:
    strings = {field for field, value in document.items() if isinstance(value, str)}
    return bool(strings & {'text', 'content'}) or {'prompt', 'completion'} <= strings or isinstance(document.get('messages'), list)


def _is_table(lines: List[str], separator: str) -> bool:
    counts = {line.count(separator) for line in lines}
    return len(lines) >= TABLE_LINES and len(counts) == 1 and counts.pop() >= TABLE_SEPARATORS


def _json(text: str) -> Optional[Any]:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _refuse_json(name: str, what: str) -> NoReturn:
    _refuse('DATA_IS_JSON', name, f"{what}; give JSON lines with 'text', 'content', 'messages' or 'prompt' and "
            "'completion', or state kind='text' to take the file as it is")


def _refuse(reason: str, name: str, what: str) -> NoReturn:
    raise make('INVALID_ARGUMENT', reason, f"file '{name}' {what}", {'file': name})
