"""Models: what is uploaded, and how it is named."""

from __future__ import annotations

import dataclasses
import os
import re
import secrets
from typing import List, Mapping, Optional, Tuple, Union

from bitwright import methods, model_folder, progress, retry, steps
from bitwright.errors import BitwrightError, from_status, make
from bitwright.hashing import LocalBlob, hash_files
from bitwright.messages import record
from bitwright.model_folder import ModelFolder
from bitwright.progress import Counter, OnProgress, Progress
from bitwright.retry import Patience
from bitwright.steps import Steps
from bitwright.types import FileEntry, Notice
from bitwright.upload import upload_missing
from bitwright.v1 import blobs_pb2, capabilities_pb2, models_pb2
from bitwright.watch import watch_model

ROUNDS = 3  # a server may collect blobs that no model names yet; then they are uploaded once more, but not endlessly
MOST_NAME_BYTES = 128
PathLike = Union[str, 'os.PathLike[str]']


@dataclasses.dataclass(frozen=True)
class Model:
    """A model on the server."""

    name: str
    """"models/{id}"."""
    display_name: str
    state: str
    """"INSPECTING", "READY" or "REJECTED"."""
    files: Tuple[FileEntry, ...]
    """By path, each with its SHA-256 and its size in bytes."""
    family: str
    """"llama"; empty until the model is READY."""
    parameters: int
    """Elements of all tensors; 0 until the model is READY."""
    notices: Tuple[Notice, ...]
    """What the inspection accepted although it is unusual, and what it took it for."""
    sent_bytes: int = 0
    """Of an upload: the bytes that it sent; 0 where the server held all."""
    ignored: Tuple[str, ...] = ()
    """Of an upload: files beside the model that were not part of it."""

    @property
    def size_bytes(self) -> int:
        """Of all files."""
        return sum(file.digest.size_bytes for file in self.files if file.digest is not None)


ModelLike = Union[Model, str, 'os.PathLike[str]']
"""A Model, the path of a folder or of a GGUF file, `org/name` in the cache of the hub, or the name, the ID or the display
name of a model on the server."""


def as_model(message: models_pb2.Model, sent_bytes: int = 0, ignored: Tuple[str, ...] = ()) -> Model:
    return Model(message.name, message.display_name, models_pb2.Model.State.Name(message.state),
                 tuple(record(FileEntry, entry) for entry in message.manifest.files), message.info.family,
                 message.info.parameters, tuple(record(Notice, notice) for notice in message.info.notices), sent_bytes,
                 ignored)


def upload_model(patience: Patience, path: PathLike, name: Optional[str], tell: OnProgress) -> Steps[Model]:
    """Uploads what the server lacks of a folder, registers it and waits until it is READY."""
    folder = yield from steps.work(lambda: model_folder.scan(os.fspath(path)))
    display_name = check_name(name) if name else name_of_folder(os.fspath(path))
    yield from _check_architecture(patience, folder)
    counter = Counter(progress.HASH, sum(file.size_bytes for file in folder.files), tell)
    blobs = yield from hash_files([file.local_path for file in folder.files], counter.add)
    manifest = manifest_of(folder, blobs)
    request = models_pb2.CreateModelRequest(display_name=display_name, manifest=manifest, request_id=secrets.token_hex(16))
    sent = 0
    for left in reversed(range(ROUNDS)):
        sent += yield from upload_missing(patience, blobs, tell)
        try:
            made = yield from retry.unary(patience, methods.CREATE_MODEL, request)
            break
        except BitwrightError as error:
            if error.reason != 'BLOB_MISSING' or not left:
                raise
    ready = yield from _inspected(patience, made, tell)
    return as_model(ready, sent, folder.ignored)


def manifest_of(folder: ModelFolder, blobs: List[LocalBlob]) -> blobs_pb2.Manifest:
    return blobs_pb2.Manifest(files=[blobs_pb2.FileEntry(path=file.path, digest=blob.digest())
                                     for file, blob in zip(folder.files, blobs)])


def _check_architecture(patience: Patience, folder: ModelFolder) -> Steps[None]:
    """What the inspection would refuse is said before anything is uploaded."""
    server = yield from retry.unary(patience, methods.GET_CAPABILITIES, capabilities_pb2.GetCapabilitiesRequest())
    known = [one.architecture for one in server.architectures]
    named = folder.architectures()
    if known and named and not set(known) & set(named):
        raise make('INVALID_ARGUMENT', 'ARCHITECTURE_UNSUPPORTED',
                   f"config.json names the architecture '{named[0]}', which the server does not know; it knows "
                   + ', '.join(known), {'architecture': named[0]}, 'model')


def _inspected(patience: Patience, model: models_pb2.Model, tell: OnProgress) -> Steps[models_pb2.Model]:
    def told(now: models_pb2.Model) -> None:
        tell(Progress(progress.INSPECT, 0, 0, now.waiting.message))
    told(model)
    if model.state == models_pb2.Model.INSPECTING:
        model = yield from steps.taking(watch_model(patience, model.name), told)
    if model.state != models_pb2.Model.REJECTED:
        return model
    if model.error.code:
        raise from_status(model.error)
    raise make('INTERNAL', 'MODEL_REJECTED', 'the server rejected the model without a reason; look at its log')


# --- names ---

def check_name(name: str) -> str:
    if len(name.encode('utf-8', 'surrogateescape')) > MOST_NAME_BYTES:
        raise make('INVALID_ARGUMENT', 'DISPLAY_NAME_INVALID',
                   f"the name '{name[:200]}' has more than {MOST_NAME_BYTES} bytes; give at most so many", {'name': name[:200]},
                   'name')
    return name


def fit_name(name: str) -> str:
    """A name of this machine as one that people see."""
    shown = ''.join(letter if letter.isprintable() else '?' for letter in name)
    return shown.encode('utf-8', 'replace')[:MOST_NAME_BYTES].decode('utf-8', 'ignore')


def name_of_folder(path: str) -> str:
    """The last part of the path; of a snapshot in the cache of the hub the name of its repository."""
    whole = os.path.abspath(path)
    parts = whole.split(os.sep)
    if len(parts) > 3 and parts[-2] == 'snapshots' and (found := _REPOSITORY.fullmatch(parts[-3])):
        return fit_name(f'{found[1]}/{found[2]}')
    return fit_name(os.path.basename(whole))


_REPOSITORY = re.compile(r'models--([\w.-]+?)--([\w.-]+)')
_HUB_NAME = re.compile(r'([\w][\w.-]*)/([\w][\w.-]*)', re.ASCII)


def local_path(model: str, environment: Mapping[str, str]) -> Optional[str]:
    """What `model` is on this machine: itself where it exists, or a snapshot of `org/name` in the cache of the hub."""
    if os.path.exists(model):
        return model
    found = _HUB_NAME.fullmatch(model)
    if not found or model.startswith('models/'):
        return None
    home = environment.get('HF_HOME') or os.path.join(
        environment.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache'), 'huggingface')
    cache = environment.get('HF_HUB_CACHE') or os.path.join(home, 'hub')
    repository = os.path.join(cache, f'models--{found[1]}--{found[2]}')
    try:
        with open(os.path.join(repository, 'refs', 'main'), encoding='ascii') as file:
            snapshot = os.path.join(repository, 'snapshots', file.read().strip())
        return snapshot if os.path.isdir(snapshot) else None
    except (OSError, ValueError):
        return None


def list_models(patience: Patience, filter: str, most: int) -> Steps[List[models_pb2.Model]]:
    return (yield from retry.listed(patience, methods.LIST_MODELS, models_pb2.ListModelsRequest(filter=filter),
                                    lambda answer: answer.models, most))


def find_model(patience: Patience, named: str) -> Steps[models_pb2.Model]:
    """By its name, its ID or its display name."""
    name = named if '/' in named else f'models/{named}'
    try:
        return (yield from retry.unary(patience, methods.GET_MODEL, models_pb2.GetModelRequest(name=name)))
    except BitwrightError as error:
        if error.code not in ('NOT_FOUND', 'INVALID_ARGUMENT'):
            raise
    quoted = named.replace('\\', '\\\\').replace('"', '\\"')
    found = yield from list_models(patience, f'display_name = "{quoted}"', 2)
    if len(found) == 1:
        return (yield from retry.unary(patience, methods.GET_MODEL, models_pb2.GetModelRequest(name=found[0].name)))
    if found:
        raise make('INVALID_ARGUMENT', 'NAME_AMBIGUOUS', f"several models are called '{named}'; give the name of one, as "
                   f'{found[0].name}', {'name': named}, 'model')
    raise make('NOT_FOUND', 'MODEL_NOT_FOUND', f"'{named}' is neither a folder here nor a model on the server; give a model "
               'folder, or a name as models() lists them', {'model': named})
