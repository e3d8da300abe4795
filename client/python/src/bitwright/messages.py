"""From messages of the contract to the dataclasses of `bitwright.types`."""

from __future__ import annotations

import dataclasses
import enum
import keyword
import typing
from typing import Any, Callable, Dict, Tuple, Type, TypeVar

from google.protobuf import json_format
from google.protobuf.message import Message
from google.rpc import status_pb2

from bitwright import errors

_CLASSES: Dict[str, Type[Record]] = {}  # by the full name of the message
_R = TypeVar('_R', bound='Record')


@dataclasses.dataclass(frozen=True)
class Record:
    """What the service answered. `to_json()` is the form that the command line writes, as report.json is."""

    def to_json(self) -> str:
        """All fields by their names in the contract, 64-bit integers as strings."""
        message: Message = getattr(self, '_message')
        return json_format.MessageToJson(message, preserving_proto_field_name=True, ensure_ascii=False, indent=1,
                                         always_print_fields_with_no_presence=True)


def register(full_name: str) -> Callable[[Type[_R]], Type[_R]]:
    """Notes which message a dataclass is made from."""
    def keep(cls: Type[_R]) -> Type[_R]:
        _CLASSES[full_name] = cls
        return cls
    return keep


def record(cls: Type[_R], message: Message) -> _R:
    """The dataclass `cls` of a message of its kind."""
    made = _value(message)
    assert isinstance(made, cls)
    return made


def _value(message: Message) -> Any:
    name = message.DESCRIPTOR.full_name
    if name == 'google.protobuf.Timestamp':
        return _utc(message)
    if name == 'google.protobuf.Duration':
        return getattr(message, 'ToTimedelta')()
    if name == 'google.rpc.Status':
        return errors.from_status(typing.cast(status_pb2.Status, message))
    cls = _CLASSES[name]
    kinds = _enums(cls)
    made = cls(**{attribute(field.name): _field(message, field, kinds) for field in message.DESCRIPTOR.fields})
    object.__setattr__(made, '_message', message)  # for to_json
    return made


def attribute(field: str) -> str:
    """The name of a field of the contract in its dataclass: `lambda` is a word of Python."""
    return f'{field}_' if keyword.iskeyword(field) else field


def _utc(message: Any) -> Any:
    import datetime
    return message.ToDatetime(tzinfo=datetime.timezone.utc)


def _enums(cls: Type[Record]) -> Dict[str, Type[enum.Enum]]:
    """The enum of each field that has one; worked out once for each class."""
    known: Any = cls.__dict__.get('_enum_of')
    if known is None:
        known = {}
        for name, kind in typing.get_type_hints(cls).items():
            parts: Tuple[Any, ...] = (kind, *typing.get_args(kind))
            found = [part for part in parts if isinstance(part, type) and issubclass(part, enum.Enum)]
            if found:
                known[name] = found[0]
        setattr(cls, '_enum_of', known)
    return typing.cast(Dict[str, Type[enum.Enum]], known)


def _field(message: Message, field: Any, kinds: Dict[str, Type[enum.Enum]]) -> Any:
    value = getattr(message, field.name)
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return dict(value)
    if _is_repeated(field):
        return tuple(_single(one, field, kinds) for one in value)
    if field.has_presence and not message.HasField(field.name):
        return None
    return _single(value, field, kinds)


def _is_repeated(field: Any) -> bool:
    # `label` is gone in newer releases of protobuf, `is_repeated` is not there in older ones.
    repeated = getattr(field, 'is_repeated', None)
    return bool(field.label == field.LABEL_REPEATED if repeated is None else repeated)


def _single(value: Any, field: Any, kinds: Dict[str, Type[enum.Enum]]) -> Any:
    if field.enum_type is not None:
        kind = kinds[field.name]
        known = field.enum_type.values_by_number.get(value)  # a newer server may have others
        return kind[known.name] if known else next(iter(kind))
    return _value(value) if field.message_type is not None else value
