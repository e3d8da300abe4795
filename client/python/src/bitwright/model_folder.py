"""Which files of a folder are the model: the rules of the C++ client (proto/inputs), so that the same folder is the same
model whoever uploads it. What a folder of another kind is, the inspection of the service says."""

from __future__ import annotations

import dataclasses
import json
import os
import re
from typing import Any, Dict, List, Optional, Set, Tuple

from bitwright import file_errors
from bitwright.errors import BitwrightError, make

CONFIG = 'config.json'
SINGLE = 'model.safetensors'
INDEX = 'model.safetensors.index.json'
TEMPLATES = 'additional_chat_templates/'
# What an artifact takes over unchanged, by name; and what a licence is called at the beginning of its name.
CARRIED = frozenset((
    'added_tokens.json', 'chat_template.jinja', 'chat_template.json', 'generation_config.json', 'merges.txt',
    'preprocessor_config.json', 'processor_config.json', 'sentencepiece.bpe.model', 'special_tokens_map.json',
    'spiece.model', 'tekken.json', 'tokenizer.json', 'tokenizer.model', 'tokenizer.model.v3', 'tokenizer_config.json',
    'video_preprocessor_config.json', 'vocab.json', 'vocab.txt'))
LEGAL = ('license', 'licence', 'copying', 'notice', 'use_policy')
MOST_ENTRIES = 100_000  # a folder of more is somebody's home
MOST_FILES = 10_000
MOST_PATH_BYTES = 255
MOST_GGUF_PARTS = 10_000
LFS_POINTER = b'version https://git-lfs.github.com/spec/'

_GGUF_PART = re.compile(r'(.+)-([0-9]{5})-of-([0-9]{5})\.gguf')
_IMPORTED = re.compile(r'^[ \t]*from \.([^ \t.]+)[ \t.]', re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class ModelFile:
    path: str  # in the manifest
    local_path: str
    size_bytes: int


@dataclasses.dataclass(frozen=True)
class ModelFolder:
    """The files of a model, sorted by path, and the paths of those beside them that are not uploaded."""

    files: Tuple[ModelFile, ...]
    ignored: Tuple[str, ...]

    def architectures(self) -> List[str]:
        """As config.json names them; none of a GGUF, and where it does not say."""
        config = next((file.local_path for file in self.files if file.path == CONFIG), None)
        names = _json_object(config).get('architectures') if config else None
        return [name for name in names if isinstance(name, str)] if isinstance(names, list) else []


def scan(path: str) -> ModelFolder:
    """A folder, or one GGUF file with the other parts that it was split into. FILE_UNREADABLE, MODEL_DIR_INVALID,
    MODEL_FILE_MISSING, MODEL_LINK_BROKEN, FILE_IS_LFS_POINTER, GGUF_AMBIGUOUS, CHECKPOINT_INDEX_INVALID,
    MANIFEST_PATH_INVALID."""
    if not os.path.exists(path):
        raise file_errors.unreadable(path, FileNotFoundError(2, os.strerror(2)))
    if os.path.isdir(path):
        sizes = _list_files(path)
        chosen = _choose(path, sizes)
        ignored = tuple(sorted(name for name in sizes if name not in chosen and sizes[name] is not None))
        return _folder(path, sizes, chosen, ignored)
    parent, name = os.path.dirname(path) or '.', os.path.basename(path)
    if not name.endswith('.gguf'):
        raise _dir_invalid(path, 'it is not a folder', 'give the folder, not a file')
    sizes = {part: os.path.getsize(os.path.join(parent, part)) for part in _gguf_parts(name)
             if os.path.isfile(os.path.join(parent, part))}
    return _folder(parent, sizes, _complete_gguf(list(sizes)), ())


def _folder(root: str, sizes: Dict[str, Optional[int]], chosen: List[str], ignored: Tuple[str, ...]) -> ModelFolder:
    if len(chosen) > MOST_FILES:
        raise _dir_invalid(root, f'the model has more than {MOST_FILES} files', 'merge its shards')
    files = []
    for name in sorted(chosen, key=os.fsencode):
        _check_path(name)
        size = sizes[name]
        local = os.path.join(root, name)
        if size is None:
            raise make('INVALID_ARGUMENT', 'MODEL_LINK_BROKEN',
                       f"'{local}' is a symbolic link to '{os.readlink(local)}', which is no file; download the model "
                       "again, or put the file in the link's place", {'file': local})
        if _head(local, len(LFS_POINTER)) == LFS_POINTER:
            raise make('INVALID_ARGUMENT', 'FILE_IS_LFS_POINTER',
                       f"file '{name}' is a git-lfs pointer, not the file that it stands for; run `git lfs pull` in the "
                       'folder or download the model with `hf download`', {'file': name})
        files.append(ModelFile(name, local, size))
    return ModelFolder(tuple(files), ignored)


def _list_files(root: str) -> Dict[str, Optional[int]]:
    """Path → bytes of every file that is not hidden; None: a link that leads to no file. Links to folders are not
    followed."""
    sizes: Dict[str, Optional[int]] = {}
    count = 0

    def fail(error: OSError) -> None:
        raise file_errors.unreadable(root, error)
    for parent, folders, names in os.walk(root, onerror=fail):
        count += len(folders) + len(names)
        if count > MOST_ENTRIES:
            raise _dir_invalid(root, f'it holds more than {MOST_ENTRIES} files', "give the model's own folder")
        links = [name for name in folders if os.path.islink(os.path.join(parent, name))]
        folders[:] = [name for name in folders if not name.startswith('.')]
        for name in names + links:
            full = os.path.join(parent, name)
            if not name.startswith('.') and (os.path.isfile(full) or os.path.islink(full)):
                sizes[os.path.relpath(full, root)] = os.path.getsize(full) if os.path.isfile(full) else None
    return sizes


def _choose(root: str, sizes: Dict[str, Optional[int]]) -> List[str]:
    paths = sorted(sizes, key=os.fsencode)
    safetensors = [path for path in paths if '/' not in path and path.endswith('.safetensors')]
    ggufs = [path for path in paths if '/' not in path and path.endswith('.gguf')
             and not path.startswith('mmproj') and 'imatrix' not in path]
    if ggufs and not safetensors:
        return _complete_gguf(ggufs)
    if CONFIG not in sizes:
        raise _missing(CONFIG, "the model has no file 'config.json'; give the folder that save_pretrained or "
                       '`hf download` wrote')
    weights = _weights(root, sizes, safetensors)
    code = _tokenizer_code(root, sizes)
    return [path for path in paths if path == CONFIG or path in weights or _is_carried(path) or path in code]


def _is_carried(path: str) -> bool:
    if path.startswith(TEMPLATES):
        return path.endswith('.jinja')
    if '/' in path:
        return False
    return path in CARRIED or path.endswith('.tiktoken') or path.lower().startswith(LEGAL)


def _weights(root: str, sizes: Dict[str, Optional[int]], at_top: List[str]) -> Set[str]:
    """What transformers reads: model.safetensors; else the index and its shards; else the only file of that kind."""
    if SINGLE in sizes:
        return {SINGLE}
    if INDEX in sizes:
        shards = _indexed_shards(os.path.join(root, INDEX))
        for shard in sorted(shards):
            if shard not in sizes:
                raise _missing(shard, f"the model has no file '{shard}', which '{INDEX}' names as a shard of the weights; "
                               'download that file too')
        return shards | {INDEX}
    if len(at_top) == 1:
        return set(at_top)
    if at_top:
        raise _missing(INDEX, f"several *.safetensors files need a '{INDEX}', which the model lacks; download that file "
                       'too')
    raise _missing(SINGLE, f"the model has no file '{SINGLE}'; download the weights too, or write them with "
                   'save_pretrained where they are in another form')


def _indexed_shards(path: str) -> Set[str]:
    def invalid(why: str) -> BitwrightError:
        return make('INVALID_ARGUMENT', 'CHECKPOINT_INDEX_INVALID', f"file '{INDEX}' {why}; download it again",
                    {'file': INDEX})
    try:
        index = json.loads(_read(path))
    except ValueError:
        raise invalid('is not JSON') from None
    shards = index.get('weight_map') if isinstance(index, dict) else None
    if not isinstance(shards, dict):
        raise invalid("has no object 'weight_map'")
    if not all(isinstance(shard, str) for shard in shards.values()):
        raise invalid('names a shard that is not a string')
    if not shards:
        raise invalid('names no shard')
    return set(shards.values())


def _tokenizer_code(root: str, sizes: Dict[str, Optional[int]]) -> Set[str]:
    """Python files that `auto_map` of a tokenizer or processor names, with what they import from beside them."""
    waiting: List[str] = []
    for name in ('tokenizer_config.json', 'processor_config.json', 'preprocessor_config.json'):
        mapped = _json_object(os.path.join(root, name)).get('auto_map') if name in sizes else None
        for value in mapped.values() if isinstance(mapped, dict) else ():
            waiting += [module for one in (value if isinstance(value, list) else [value]) for module in _module(one)]
    found: Set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in sizes and name not in found:
            found.add(name)
            code = _read(os.path.join(root, name)).decode('utf-8', 'replace')
            waiting += [f'{module}.py' for module in _IMPORTED.findall(code)]
    return found


def _module(value: Any) -> List[str]:
    """"tokenization_x.XTokenizer" names tokenization_x.py; "owner/name--module.Class" is code of another repository."""
    if not isinstance(value, str) or value.find('.') < 1 or '--' in value:
        return []
    return [value.partition('.')[0] + '.py']


def _gguf_parts(name: str) -> List[str]:
    """All parts of the split GGUF that a file of this name is one of; the name alone where it is none."""
    found = _GGUF_PART.fullmatch(name)
    if not found or not 1 <= int(found[2]) <= int(found[3]) <= MOST_GGUF_PARTS:
        return [name]
    return [f'{found[1]}-{part:05}-of-{found[3]}.gguf' for part in range(1, int(found[3]) + 1)]


def _complete_gguf(files: List[str]) -> List[str]:
    parts = _gguf_parts(min(files)) if files else []
    if any(file not in parts for file in files):
        named = "', '".join(files)
        raise make('INVALID_ARGUMENT', 'GGUF_AMBIGUOUS', f"the folder holds several GGUF files ('{named}'); give the path "
                   'of the one that is meant', {'found': named})
    for part in parts:
        if part not in files:
            raise _missing(part, f"the model has no file '{part}', which '{files[0]}' names as a shard of the weights; "
                           'download that file too')
    return parts


def _check_path(path: str) -> None:
    try:
        size = len(path.encode('utf-8'))
    except UnicodeEncodeError:
        raise make('INVALID_ARGUMENT', 'MANIFEST_PATH_INVALID', f'the name of the model\'s file {path!r} is not UTF-8; '
                   'rename the file', {'path': repr(path)}) from None
    bad = any(letter < ' ' or letter in '\x7f\\' for letter in path)
    if size > MOST_PATH_BYTES or bad:
        why = 'has a control character or a backslash' if bad else f'is longer than {MOST_PATH_BYTES} bytes'
        raise make('INVALID_ARGUMENT', 'MANIFEST_PATH_INVALID', f'path {path!r} of the model {why}; rename the file',
                   {'path': path})


def _json_object(path: str) -> Dict[str, Any]:
    try:
        value = json.loads(_read(path))
    except (ValueError, BitwrightError):
        return {}
    return value if isinstance(value, dict) else {}


def _read(path: str) -> bytes:
    return _head(path, -1)


def _head(path: str, most: int) -> bytes:
    try:
        with open(path, 'rb') as file:
            return file.read(most)
    except OSError as error:
        raise file_errors.unreadable(path, error) from error


def _missing(file: str, message: str) -> BitwrightError:
    return make('INVALID_ARGUMENT', 'MODEL_FILE_MISSING', message, {'file': file})


def _dir_invalid(path: str, what: str, remedy: str) -> BitwrightError:
    return make('INVALID_ARGUMENT', 'MODEL_DIR_INVALID', f"'{path}' is not a model folder: {what}; {remedy}",
                {'dir': path})
