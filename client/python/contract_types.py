"""Makes typed dataclasses of messages of the contract: what the package hands to people.

The comments of the .proto files, with their units, become the docstrings of classes and fields.
"""

import keyword

from google.protobuf import descriptor_pb2

# Messages that people meet; what they consist of follows. Names that the package gives to something else are replaced.
ROOTS = ('Job', 'Report', 'Recipe', 'Capabilities', 'Notice')
RENAMED = {'Job': 'JobStatus', 'Data': 'TextUse', 'Digest': 'BlobDigest'}
BASES = {'Report': 'ReportRecord'}
FOREIGN = {'.google.protobuf.Timestamp': 'datetime.datetime', '.google.protobuf.Duration': 'datetime.timedelta',
           '.google.rpc.Status': 'BitwrightError'}
Field = descriptor_pb2.FieldDescriptorProto
SCALARS = {Field.TYPE_DOUBLE: ('float', '0.0'), Field.TYPE_INT64: ('int', '0'), Field.TYPE_INT32: ('int', '0'),
           Field.TYPE_BOOL: ('bool', 'False'), Field.TYPE_STRING: ('str', "''"), Field.TYPE_BYTES: ('bytes', "b''")}

HEAD = '''"""What the service answers, as immutable dataclasses. Generated from proto/bitwright/v1 when the wheel is built.

Every field has the name that it has in the contract and in report.json. `None` is what the service left out.
"""

from __future__ import annotations

import dataclasses
import datetime
import enum
from typing import Dict, Optional, Tuple

from bitwright.errors import BitwrightError
from bitwright.messages import Record, register
from bitwright.report_tables import ReportRecord
'''


class Names:
    """Every message and enum of the contract by its full name, with its comments."""

    def __init__(self, files):
        self.messages, self.enums, self.comments, self.python = {}, {}, {}, {}
        for file in files:
            comments = {tuple(place.path): place for place in file.source_code_info.location}
            for index, message in enumerate(file.message_type):
                self._add_message(f'.{file.package}', message, (4, index), comments)
            for index, kind in enumerate(file.enum_type):
                self._add_enum(f'.{file.package}', kind, (5, index), comments)

    def _add_message(self, parent, message, path, comments):
        name = f'{parent}.{message.name}'
        self.messages[name] = message
        self._describe(name, path, comments)
        self.python[name] = self._python_name(parent, message.name)
        for index, field in enumerate(message.field):
            self._describe(f'{name}.{field.name}', (*path, 2, index), comments)
        for index, nested in enumerate(message.nested_type):
            self._add_message(name, nested, (*path, 3, index), comments)
        for index, kind in enumerate(message.enum_type):
            self._add_enum(name, kind, (*path, 4, index), comments)

    def _add_enum(self, parent, kind, path, comments):
        name = f'{parent}.{kind.name}'
        self.enums[name] = kind
        self._describe(name, path, comments)
        self.python[name] = self._python_name(parent, kind.name)
        for index, value in enumerate(kind.value):
            self._describe(f'{name}.{value.name}', (*path, 2, index), comments)

    def _describe(self, name, path, comments):
        place = comments.get(path)
        text = f'{place.leading_comments}{place.trailing_comments}' if place else ''
        self.comments[name] = ' '.join(text.split()).replace('\\', '\\\\').replace('"""', "'''")

    @staticmethod
    def _python_name(parent, name):
        """Nested ones are named behind their parents: Job.State is JobState."""
        outer = ''.join(part for part in parent.split('.') if part[:1].isupper())
        return outer + RENAMED.get(name, name)


def needed_by(names, roots):
    """Messages and enums that the roots consist of, each behind what it refers to."""
    order = []

    def visit(name):
        if name in order or name in FOREIGN:
            return
        for field in names.messages[name].field if name in names.messages else []:
            if field.type_name:
                visit(field.type_name)
        if name not in order:
            order.append(name)
    for root in roots:
        visit(root)
    return order


def quoted(comment, indent):
    """A docstring of at most 120 columns."""
    lines, line = [], ''
    for word in comment.split():
        if len(indent) + len(line) + 1 + len(word) > 112 and line:
            lines.append(line)
            line = word
        else:
            line = f'{line} {word}'.strip()
    lines.append(line)
    return f'{indent}"""' + f'\n{indent}'.join(lines) + (' ' if lines[-1].endswith('"') else '') + '"""\n'


def introduction(names, name):
    comment = names.comments[name]
    return quoted(comment, '    ') + '\n' if comment else ''


def enum_text(names, name):
    text = f'\n\nclass {names.python[name]}(enum.Enum):\n{introduction(names, name)}'
    for value in names.enums[name].value:
        text += f"    {value.name} = '{value.name}'\n"
        if comment := names.comments[f'{name}.{value.name}']:
            text += quoted(comment, '    ')
    return text


def is_map(names, field):
    message = names.messages.get(field.type_name)
    return message is not None and message.options.map_entry


def field_type(names, field):
    """Its annotation and its default."""
    if is_map(names, field):
        return 'Dict[str, str]', 'dataclasses.field(default_factory=dict)'
    if field.type_name in names.enums:
        first = names.enums[field.type_name].value[0].name
        kind, default = names.python[field.type_name], f'{names.python[field.type_name]}.{first}'
    elif field.type_name:
        kind, default = FOREIGN.get(field.type_name) or names.python[field.type_name], 'None'
    else:
        kind, default = SCALARS[field.type]
    if field.label == Field.LABEL_REPEATED:
        return f'Tuple[{kind}, ...]', '()'
    optional = default == 'None' or field.HasField('oneof_index')
    return (f'Optional[{kind}]', 'None') if optional else (kind, default)


def attribute(name):
    """`lambda` is a word of Python: such a field is named with an underscore behind it."""
    return f'{name}_' if keyword.iskeyword(name) else name


def class_text(names, name):
    python = names.python[name]
    base = BASES.get(python, 'Record')
    text = f"\n\n@register('{name[1:]}')\n@dataclasses.dataclass(frozen=True)\nclass {python}({base}):\n"
    text += introduction(names, name)
    for field in names.messages[name].field:
        kind, default = field_type(names, field)
        text += f'    {attribute(field.name)}: {kind} = {default}\n'
        if comment := names.comments[f'{name}.{field.name}']:
            text += quoted(comment, '    ')
    return text


def dataclasses_of(descriptor_path):
    """The text of the module."""
    files = descriptor_pb2.FileDescriptorSet()
    with open(descriptor_path, 'rb') as file:
        files.ParseFromString(file.read())
    names = Names(files.file)
    text = HEAD
    for name in needed_by(names, [f'.bitwright.v1.{root}' for root in ROOTS]):
        if name in names.enums:
            text += enum_text(names, name)
        elif not names.messages[name].options.map_entry:
            text += class_text(names, name)
    return text
