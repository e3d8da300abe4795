"""In which trace calls are (W3C Trace Context, www.w3.org/TR/trace-context)."""

from __future__ import annotations

import os
import re
import sys
from typing import Dict, Tuple

Metadata = Tuple[Tuple[str, str], ...]

PARENT = 'traceparent'
STATE = 'tracestate'
MOST_STATE_BYTES = 512
MOST_STATE_MEMBERS = 32

# Version, trace, span and flags. Zeros alone are no id.
_PARENT = re.compile(r'(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}')
_MEMBER = re.compile(r'[a-z0-9][a-z0-9_\-*/]*(?:@[a-z0-9][a-z0-9_\-*/]*)?=[ -+\--<>-~]{0,255}[!-+\--<>-~]')


def parent_of(text: str) -> str:
    """The traceparent `text` as version 00; of a later one, which may have more at its end, what that one has. Empty: it is
    none."""
    match = _PARENT.match(text)
    if match is None:
        return ''
    more = text[match.end():]
    known = not more or (more.startswith('-') and not text.startswith('00'))
    return '00' + match.group()[2:] if known else ''


def is_state(text: str) -> bool:
    """Whether `text` is a tracestate: a list of members "key=value"."""
    members = [member.strip(' \t') for member in text.split(',')]
    named = [member for member in members if member]
    return (0 < len(named) <= MOST_STATE_MEMBERS and len(text) <= MOST_STATE_BYTES
            and all(_MEMBER.fullmatch(member) and len(member.partition('=')[0]) <= 256 for member in named))


def metadata() -> Metadata:
    """What calls carry now: the current span of OpenTelemetry, or else the trace that the environment names."""
    current = _of_current_span()
    return current if current else _of_environment()


def _of_current_span() -> Metadata:
    # Who has a span has loaded the API: others do not pay for it.
    if 'opentelemetry.trace' not in sys.modules:
        return ()
    try:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
    except ImportError:
        return ()
    carrier: Dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return tuple(carrier.items())


def _of_environment() -> Metadata:
    parent = parent_of(os.environ.get('TRACEPARENT', ''))
    if not parent:
        return ()
    state = os.environ.get('TRACESTATE', '')
    return ((PARENT, parent), (STATE, state)) if is_state(state) else ((PARENT, parent),)
