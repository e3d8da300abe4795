"""From what gRPC raises to an error of this package."""

from __future__ import annotations

from typing import Any, Tuple

from bitwright.access import Token
from bitwright.errors import BitwrightError, from_call, make
from bitwright.retry import Patience

DETAILS_KEY = 'grpc-status-details-bin'


def call_error(raised: Any, token: Token, shown: Tuple[Tuple[str, str], ...], patience: Patience) -> BitwrightError:
    """`raised` is a grpc.RpcError, `shown` the metadata that the call had. Where the token was refused and its file has
    another one by now, the error is one that is tried again."""
    details = next((value for key, value in raised.trailing_metadata() or () if key == DETAILS_KEY), b'')
    error = from_call(raised.code().value[0], raised.details() or '', details)
    if error.code != 'UNAVAILABLE':
        patience.reached = True
    if error.code == 'UNAUTHENTICATED' and token.renew(shown):
        return make('UNAVAILABLE', 'TOKEN_RENEWED',
                    'the token was replaced meanwhile; the call goes again with the new one')
    return error
