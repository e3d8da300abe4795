"""Names for services, as `bitwright context` keeps them: which one is meant, and how one shows who one is."""

from __future__ import annotations

import json
import os
from typing import Dict, Mapping

from bitwright.errors import BitwrightError, make

FIELDS = ('server', 'token_file', 'tls_ca', 'tls_cert', 'tls_key')


def service_settings(server: str, context: str, environment: Mapping[str, str]) -> Dict[str, str]:
    """What is known of the service that is meant, by FIELDS. It is that of `server`; else of the context `context` or
    BITWRIGHT_CONTEXT; else of BITWRIGHT_SERVER; else of the current context. Variables for tokens and certificates stand
    above what the context says. CONTEXT_NOT_FOUND, CONTEXTS_DAMAGED."""
    settings = {field: environment.get(f'BITWRIGHT_{field.upper()}', '') for field in FIELDS}
    if server:
        return {**settings, 'server': server}
    named = context or environment.get('BITWRIGHT_CONTEXT', '')
    if not named and settings['server']:
        return settings
    kept = _find(named, environment)
    return {field: kept.get(field, '') if field == 'server' else settings[field] or kept.get(field, '') for field in FIELDS}


def _find(named: str, environment: Mapping[str, str]) -> Dict[str, str]:
    """The context of this name; without a name the current one, or nothing."""
    folder = environment.get('XDG_CONFIG_HOME') or os.path.expanduser('~/.config')
    path = os.path.join(folder, 'bitwright', 'contexts.json')
    contexts, current = {}, ''
    if os.path.exists(path):
        try:
            with open(path, encoding='utf-8') as file:
                whole = json.load(file)
            contexts, current = dict(whole['contexts']), str(whole.get('current', ''))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise _damaged(path, 'it is no JSON object with "contexts"') from None
    name = named or current
    if not name:
        return {}
    if name not in contexts:
        known = ', '.join(sorted(contexts)) or 'none'
        raise make('NOT_FOUND', 'CONTEXT_NOT_FOUND', f"there is no context '{name}'; known are {known}, and `bitwright context "
                   'set` makes one', {'context': name})
    found = contexts[name]
    if not isinstance(found, dict) or not found.get('server') or not all(isinstance(value, str) for value in found.values()):
        raise _damaged(path, f"its context '{name}' has no server, or fields that are no text")
    return found


def _damaged(path: str, what: str) -> BitwrightError:
    return make('FAILED_PRECONDITION', 'CONTEXTS_DAMAGED', f"file '{path}' does not hold contexts: {what}; mend it, or remove it and "
                'name them anew with `bitwright context set`',
                {'file': path}, 'context')
