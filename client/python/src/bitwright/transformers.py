"""From a finished job to a model of transformers in one call (extra `transformers`)."""

from __future__ import annotations

import hashlib
import os
import pathlib
from typing import Any, Optional, Tuple, Union

from bitwright.client import Artifact, Job
from bitwright.errors import make
from bitwright.models import PathLike
from bitwright.progress import ProgressLike

# Targets whose artifacts transformers reads as folders (client/README.md, loading the artifact).
LOADABLE = ('compressed-tensors', 'gptq')


def load(source: Union[Job, Artifact], path: Optional[PathLike] = None, *, progress: ProgressLike = None,
         **model_arguments: Any) -> Tuple[Any, Any]:
    """Downloads an artifact (of a job: that of its first goal), unless it is there already, and loads it.

    path: the folder to keep it in; None: one for this artifact in the cache of the user. model_arguments: for
    AutoModelForCausalLM.from_pretrained, such as device_map. Returns model and tokenizer; None in place of a tokenizer
    that the model does not have. TARGET_NOT_LOADABLE: transformers does not read the file format; JOB_UNFINISHED."""
    artifact = source.artifact if isinstance(source, Job) else source
    target = artifact.goal.target or LOADABLE[0]
    if target not in LOADABLE:
        raise make('INVALID_ARGUMENT', 'TARGET_NOT_LOADABLE', f"transformers does not load artifacts of target '{target}'; "
                   f'quantize for {" or ".join(LOADABLE)}, or give the files of download() to a program that reads them',
                   {'target': target})
    import transformers
    folder = artifact.download(path if path is not None else cache_folder(artifact), progress=progress)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, **model_arguments)
    has_tokenizer = any(file.path in ('tokenizer.json', 'tokenizer.model') for file in artifact.files)
    return model, transformers.AutoTokenizer.from_pretrained(folder) if has_tokenizer else None


def cache_folder(artifact: Artifact) -> pathlib.Path:
    """Named by what the artifact holds, so that the same one is downloaded once."""
    listed = '\n'.join(f'{file.path} {file.digest.sha256}' for file in artifact.files if file.digest is not None)
    cache = os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache')
    return pathlib.Path(cache, 'bitwright', 'artifacts', hashlib.sha256(listed.encode()).hexdigest()[:16])
