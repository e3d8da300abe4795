"""How a server is reached: its address, TLS, and who is calling."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import threading
from typing import Any, List, Mapping, Optional, Tuple, Union

import grpc

from bitwright.contexts import service_settings
from bitwright.errors import BitwrightError, make

DEFAULT_ADDRESS = '127.0.0.1:7071'
SYSTEM_CA = 'system'
MOST_RECEIVE_BYTES = 64 << 20  # reports and jobs of large models pass gRPC's usual 4 MiB
MOST_TOKEN_BYTES = 1024

TokenLike = Union[str, 'os.PathLike[str]', None]


@dataclasses.dataclass(frozen=True)
class Tls:
    """TLS with what the server is checked by, and a certificate of one's own where the server asks for one."""

    ca: Union[str, 'os.PathLike[str]'] = SYSTEM_CA
    """PEM file of the certificates that sign the server's, or "system" for those of this machine."""
    cert: Union[str, 'os.PathLike[str]', None] = None
    """PEM file of one's own certificate; with `key` or not at all."""
    key: Union[str, 'os.PathLike[str]', None] = None
    """PEM file of its key."""


TlsLike = Union[bool, str, 'os.PathLike[str]', Tls, None]


class Token:
    """What is shown to the server; of a file its first line, read again when the server refuses it. Thread-safe."""

    def __init__(self, token: TokenLike):
        self._lock = threading.Lock()
        self._file = None if token is None or isinstance(token, str) else os.fspath(token)
        self._text = token if isinstance(token, str) else self._read() if self._file is not None else ''
        _check_token(self._text, self._file or '')

    def __bool__(self) -> bool:
        return bool(self._text)

    def metadata(self) -> Tuple[Tuple[str, str], ...]:
        """Of one call."""
        with self._lock:
            return (('authorization', f'Bearer {self._text}'),) if self._text else ()

    def renew(self, refused: Tuple[Tuple[str, str], ...]) -> bool:
        """Whether there is another token by now than that of `refused`."""
        if self._file is None:
            return False
        if self.metadata() != refused:
            return True  # another call was faster
        try:
            text = self._read()
            _check_token(text, self._file)
        except BitwrightError:
            return False
        with self._lock:
            changed = text != self._text
            self._text = text
        return changed

    def _read(self) -> str:
        assert self._file is not None
        return (_read_file(self._file).decode('utf-8', 'replace').splitlines() or [''])[0]


@dataclasses.dataclass(frozen=True)
class Access:
    """The way to one server."""

    address: str
    token: Token
    credentials: Optional[grpc.ChannelCredentials]

    def options(self) -> List[Tuple[str, Any]]:
        """Of the channel: those of the C++ client."""
        options: List[Tuple[str, Any]] = [
            ('grpc.initial_reconnect_backoff_ms', 100), ('grpc.max_reconnect_backoff_ms', 2000),
            # By this name gRPC means how long one attempt may take.
            ('grpc.min_reconnect_backoff_ms', 5000), ('grpc.max_receive_message_length', MOST_RECEIVE_BYTES),
        ]
        # No proxy of the environment leads to a socket or to the loopback of this machine.
        return [*options, ('grpc.enable_http_proxy', 0)] if is_on_this_machine(self.address) else options


def access_to(server: Optional[str], token: TokenLike, tls: TlsLike, context: Optional[str] = None) -> Access:
    """What is not given is as the environment and the contexts have it, as for the command line (contexts.py)."""
    settings = service_settings(server or '', context or '', os.environ)
    address = settings['server'] or DEFAULT_ADDRESS
    if token is None and settings['token_file']:
        token = pathlib.Path(settings['token_file'])
    if tls is None:
        tls = _tls_of(settings)
    credentials = _credentials(tls)
    shown = Token(token)
    if shown and credentials is None and not is_on_this_machine(address):
        raise make('INVALID_ARGUMENT', 'TOKEN_NEEDS_TLS',
                   f"a token would go to '{address}' in clear, where others can read it; give tls=FILE with the "
                   "certificate that signs the server's (or tls=True for those of this machine), or reach the server "
                   'through a loopback address or a socket', {'address': address}, 'tls')
    return Access(address, shown, credentials)


def is_on_this_machine(address: str) -> bool:
    """Whether an address leads to this machine without leaving it."""
    if address.startswith(('unix:', 'unix-abstract:')):
        return True
    for scheme in ('dns:///', 'dns:', 'ipv4:', 'ipv6:'):
        if address.startswith(scheme):
            address = address[len(scheme):]
            break
    if address.startswith('['):
        host = address[1:].partition(']')[0]
    else:  # a second colon: a bare IPv6 address without a port
        host = address if address.count(':') > 1 else address.partition(':')[0]
    loopback = host.startswith('127.') and not host.strip('0123456789.')
    return loopback or host in ('localhost', '::1', '::', '0.0.0.0')


def _tls_of(settings: Mapping[str, str]) -> TlsLike:
    ca, cert, key = (settings[name] or None for name in ('tls_ca', 'tls_cert', 'tls_key'))
    if not (ca or cert or key):
        return None
    if ca is None:
        raise _incomplete('a certificate of your own', 'that of the authority (BITWRIGHT_TLS_CA)')
    return Tls(ca, cert, key)


def _credentials(tls: TlsLike) -> Optional[grpc.ChannelCredentials]:
    if tls is None or tls is False:
        return None
    given = tls if isinstance(tls, Tls) else Tls() if tls is True else Tls(tls)
    if (given.cert is None) != (given.key is None):
        raise _incomplete('cert', 'key') if given.key is None else _incomplete('key', 'cert')
    ca = None if given.ca == SYSTEM_CA else _read_pem(given.ca, 'certificates')
    if given.cert is None or given.key is None:
        return grpc.ssl_channel_credentials(ca)
    return grpc.ssl_channel_credentials(ca, _read_pem(given.key, 'key'), _read_pem(given.cert, 'certificate'))


def _incomplete(given: str, lacking: str) -> BitwrightError:
    return make('INVALID_ARGUMENT', 'TLS_OPTIONS_INCOMPLETE',
                f'{given} is given without {lacking}; give both or none', {'given': given, 'lacking': lacking}, 'tls')


def _read_file(path: Union[str, 'os.PathLike[str]']) -> bytes:
    try:
        with open(path, 'rb') as file:
            return file.read()
    except OSError as error:
        raise make('INVALID_ARGUMENT', 'ACCESS_FILE_UNREADABLE',
                   f"'{os.fspath(path)}' cannot be read: {error.strerror}; check what is given as token and tls, and who "
                   'may read these files', {'file': os.fspath(path)}) from error


def _read_pem(path: Union[str, 'os.PathLike[str]'], what: str) -> bytes:
    """gRPC takes bytes that are no certificate, and then fails every connection without saying why."""
    pem = _read_file(path)
    if b'-----BEGIN ' not in pem:
        raise make('INVALID_ARGUMENT', 'TLS_FILE_INVALID', f"'{os.fspath(path)}' holds no {what} in PEM form; give "
                   'another file', {'file': os.fspath(path)}, 'tls')
    return pem


def _check_token(token: str, file: str) -> None:
    plain = all(' ' < letter <= '~' for letter in token)
    if (token or not file) and plain and len(token) <= MOST_TOKEN_BYTES:
        return
    where = f"token file '{file}'" if file else 'the token'
    why = 'begins with an empty line' if not token else (
        f'has more than {MOST_TOKEN_BYTES} bytes' if plain else 'has a space or another character that no token has')
    raise make('INVALID_ARGUMENT', 'TOKEN_FILE_INVALID' if file else 'TOKEN_INVALID',
               f'{where} {why}; give a token as `bitwright token new` prints it', {'file': file} if file else {}, 'token')
