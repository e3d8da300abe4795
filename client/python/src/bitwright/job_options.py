"""What a job is to be: from the arguments of `plan` and `quantize` to the JobSpec of the contract."""

from __future__ import annotations

import dataclasses
import importlib.resources
import os
from typing import Any, List, Mapping, Optional, Sequence, Tuple, TypedDict, Union

from google.protobuf import text_format

from bitwright import data_kind, file_errors
from bitwright.budgets import BudgetLike, Goals, choose_goals
from bitwright.errors import make
from bitwright.models import PathLike, check_name, fit_name
from bitwright.v1 import blobs_pb2, jobs_pb2, recipes_pb2

DEFAULT_RECIPE = 'mixed-gptq'
DEFAULT_WINDOW = 512
DEFAULT_CALIBRATION_TOKENS = 65536
DEFAULT_EVALUATION_TOKENS = 32768
MOST_TEXTS = 8
# A token covers a byte or more, but for the few that a tokenizer puts around a text.
SPARE_TOKENS = 8
SAMPLE = 'sample'
SAMPLE_NAME = 'sample (ships with Bitwright)'


@dataclasses.dataclass(frozen=True)
class Text:
    """A file to calibrate or to measure on, where its path alone does not say enough."""

    path: PathLike
    kind: Optional[str] = None
    """"text", "documents" (JSON lines) or "ids" (one array of token ids per line); None: by the file's first bytes."""
    tokens: Optional[int] = None
    """At most this many, from the start; None: its part of calibration_tokens, or evaluation_tokens."""
    name: Optional[str] = None
    """What the report calls it; None: the name of the file."""


TextLike = Union[Text, str, 'os.PathLike[str]']


class JobOptions(TypedDict, total=False):
    """Arguments of `plan` and `quantize`, all by keyword. Those that are not given are as the command line has them."""

    targets: Union[str, Sequence[str]]
    """File formats of the artifact: "compressed-tensors" (the default), "gguf", "gptq"; several are goals of one job."""
    consumer: str
    """A program that must load the artifact: "vllm". Formats that it does not have are left out."""
    recipe: Union[PathLike, recipes_pb2.Recipe]
    """A name as recipes() has it, the path of a .textproto, or a message. Default: "mixed-gptq"."""
    calibration: Union[TextLike, Sequence[TextLike]]
    """Texts to calibrate on, at most 8; "sample" is a small one that ships with this package. A plan may do without."""
    evaluation: Union[TextLike, Sequence[TextLike]]
    """Texts to measure on, at most 8, which the calibration does not contain. A plan may do without."""
    window: int
    """Tokens per window, from 2 to the positions of the model. Default: 512."""
    calibration_tokens: int
    """Tokens of all calibration texts together, in whole windows. Default: 65,536."""
    evaluation_tokens: int
    """Tokens of each evaluation text. Default: 32,768."""
    add_special_tokens: bool
    """Apply the post-processor of the tokenizer to each text as a whole."""
    choices: Union[PathLike, Sequence[PathLike]]
    """Files of multiple-choice questions (JSON lines), at most 8, answered before and after."""
    questions: int
    """How many questions of each such file, from its start. Default: all."""
    sample_prompt: str
    """What both models continue by the most likely token. Default: the first tokens of the first evaluation text."""
    sample_tokens: int
    """By how many tokens, at most 512; 0: no sample. Default: 64."""
    device: str
    """What the model is computed on: "cpu", "cuda" or "any" (the default: what is there, graphics processors first)."""
    priority: int
    """−10 to 10; higher goes first."""
    name: str
    """The display name of the job. Default: that of the model."""
    model_name: str
    """The display name of a model that is uploaded. Default: the name of the folder."""
    labels: Mapping[str, str]
    """To find the job by."""


@dataclasses.dataclass
class Draft:
    """A job as far as this machine knows it."""

    spec: jobs_pb2.JobSpec
    goals: Goals
    consumer: str
    # Files that the spec is still to name by their digests: path → the field to set.
    files: List[Tuple[str, blobs_pb2.Digest]]
    model_name: Optional[str]


def draft_job(budget: Union[BudgetLike, Sequence[BudgetLike], None], options: JobOptions, needs_texts: bool) -> Draft:
    """Reads the beginnings of the texts. BUDGET_INVALID, TARGETS_INVALID, GOALS_INVALID, DATA_MISSING, TOO_MANY_TEXTS,
    DATA_TOO_SHORT, those of data_kind, FILE_UNREADABLE, RECIPE_INVALID."""
    unknown = set(options) - set(JobOptions.__annotations__)
    if unknown:
        raise TypeError(f'unknown argument {sorted(unknown)[0]!r}; known are {", ".join(JobOptions.__annotations__)}')
    goals = choose_goals(budget, options.get('targets', ''))
    spec = jobs_pb2.JobSpec(priority=options.get('priority', 0), labels=options.get('labels', {}),
                            display_name=check_name(options.get('name', '')), device=options.get('device', ''))
    _set_recipe(options.get('recipe', DEFAULT_RECIPE), spec)
    draft = Draft(spec, goals, options.get('consumer', ''), [], options.get('model_name'))
    for use in ('calibration', 'evaluation'):
        _add_texts(use, options, draft, needs_texts)
    _add_questions(options, draft)
    if options.get('sample_tokens') != 0:
        spec.sample.prompt = options.get('sample_prompt', '')
        spec.sample.tokens = options.get('sample_tokens', 0)
    return draft


def _set_recipe(recipe: Union[PathLike, recipes_pb2.Recipe], spec: jobs_pb2.JobSpec) -> None:
    if isinstance(recipe, recipes_pb2.Recipe):
        spec.inline_recipe.CopyFrom(recipe)
    elif os.fspath(recipe).endswith('.textproto'):
        path = os.fspath(recipe)
        try:
            with open(path, encoding='utf-8') as file:
                text_format.Parse(file.read(), spec.inline_recipe)
        except OSError as error:
            raise file_errors.unreadable(path, error) from error
        except (text_format.ParseError, UnicodeDecodeError) as error:
            raise make('INVALID_ARGUMENT', 'RECIPE_INVALID', f"recipe file '{path}' is not a bitwright.v1.Recipe in text "
                       f'format: {error}; `bitwright recipe show mixed-gptq` prints one', {'file': path}, 'recipe') from None
    else:
        name = os.fspath(recipe)
        spec.recipe = name if name.startswith('recipes/') else f'recipes/{name}'
        return
    prefix = 'recipes/'
    if spec.inline_recipe.name.startswith(prefix):
        spec.inline_recipe.name = spec.inline_recipe.name[len(prefix):]


def _as_list(given: Any) -> List[Any]:
    if given is None:
        return []
    return [given] if isinstance(given, (str, os.PathLike, Text)) else list(given)


def _add_texts(use: str, options: JobOptions, draft: Draft, needed: bool) -> None:
    texts = [one if isinstance(one, Text) else Text(one) for one in _as_list(options.get(use))]
    if not texts and needed:
        remedy = ("a text like those that the model will meet (64,000 tokens are plenty), or 'sample' for the small one that "
                  'ships with this package' if use == 'calibration' else
                  'a text that the calibration text does not contain')
        raise make('INVALID_ARGUMENT', 'DATA_MISSING', f'no {use} text is given; give {use}=FILE, {remedy}', {'use': use})
    _check_count(use, len(texts))
    window = options.get('window', DEFAULT_WINDOW)
    if use == 'calibration':
        tokens = options.get('calibration_tokens', DEFAULT_CALIBRATION_TOKENS) // max(1, len(texts))
    else:
        tokens = options.get('evaluation_tokens', DEFAULT_EVALUATION_TOKENS)
    for text in texts:
        data = getattr(draft.spec, use).add(window=window, tokens=text.tokens or tokens,
                                            add_special_tokens=options.get('add_special_tokens', False))
        draft.files.append((_describe(text, use, data), data.blob))


def _describe(text: Text, use: str, data: jobs_pb2.Data) -> str:
    """Sets kind and name; returns the path."""
    path, name, kind = os.fspath(text.path), text.name, text.kind
    if path == SAMPLE and use == 'calibration':
        path = str(importlib.resources.files('bitwright') / 'sample.txt')
        name, kind = name or SAMPLE_NAME, 'text'
    try:
        size = os.path.getsize(path)
        with open(path, 'rb') as file:
            head = file.read(data_kind.HEAD_BYTES)
    except OSError as error:
        raise file_errors.unreadable(path, error) from error
    if kind is not None and kind not in data_kind.KINDS:
        raise make('INVALID_ARGUMENT', 'ARGUMENT_INVALID', f"kind '{kind}' is not known; give one of "
                   + ', '.join(data_kind.KINDS), {}, 'kind')
    data.kind = data_kind.KINDS[kind] if kind else data_kind.recognize(os.path.basename(path), head)
    if size == 0 or size + SPARE_TOKENS < data.window:
        raise make('INVALID_ARGUMENT', 'DATA_TOO_SHORT', f"'{path}' has {size} bytes, too few for one window of "
                   f'{data.window} tokens; give a longer text or a smaller window', {'file': path, 'window': str(data.window)},
                   use)
    data.display_name = fit_name(name or os.path.basename(path))
    return path


def _add_questions(options: JobOptions, draft: Draft) -> None:
    paths = [os.fspath(path) for path in _as_list(options.get('choices'))]
    _check_count('choices', len(paths))
    for path in paths:
        file = draft.spec.choices.add(display_name=fit_name(os.path.basename(path)), questions=options.get('questions', 0))
        draft.files.append((path, file.blob))


def _check_count(use: str, count: int) -> None:
    if count > MOST_TEXTS:
        raise make('INVALID_ARGUMENT', 'TOO_MANY_TEXTS', f'{use} has {count} files; give at most {MOST_TEXTS}, or join some '
                   'to one file', {'use': use, 'limit': str(MOST_TEXTS)})
