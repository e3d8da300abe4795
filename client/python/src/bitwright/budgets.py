"""Budgets as people write them, and goals: a budget for a target."""

from __future__ import annotations

import dataclasses
import math
import re
from typing import List, Mapping, Optional, Sequence, Tuple, Union

from bitwright.errors import BitwrightError, make
from bitwright.v1 import jobs_pb2, reports_pb2

BudgetLike = Union[str, float, int]
"""Bits per weight as a number or as "4.25bpw"; bytes of the artifact as "12MB", "12MiB", "1.5GB", "12000000B"; or what
may be lost: "kld=0.05" (nats per token), "ppl=1%"."""

UNITS = {'B': 1, 'kB': 10**3, 'MB': 10**6, 'GB': 10**9, 'TB': 10**12,
         'KiB': 2**10, 'MiB': 2**20, 'GiB': 2**30, 'TiB': 2**40}
MOST_BITS = 32
MOST_BYTES = 2**53  # exact in a double
MOST_RISE = 10
MOST_GOALS = 16

_NUMBER = re.compile(r'\d+\.?\d*|\.\d+')


def parse_budget(budget: BudgetLike) -> reports_pb2.Budget:
    """BUDGET_INVALID where it is none; whether a model allows it, the service says."""
    if isinstance(budget, (int, float)):
        return _bits(float(budget), repr(budget))
    text = budget.strip()
    kind, _, number = text.lower().partition('=')
    if kind == 'kld':
        return reports_pb2.Budget(max_kl_divergence=_bound(text, number))
    if kind == 'ppl':
        percent = number.endswith('%')
        share = _bound(text, number[:-1] + 'e-2' if percent else number)
        if share > MOST_RISE:
            raise _invalid(text, 'is above 1000 %')
        return reports_pb2.Budget(max_perplexity_rise=share)
    return _size(text)


def _bits(value: float, text: str) -> reports_pb2.Budget:
    if not math.isfinite(value) or value <= 0:
        raise _invalid(text, 'is not above 0')
    if value > MOST_BITS:
        raise _invalid(text, f'is above {MOST_BITS} bits per weight')
    return reports_pb2.Budget(average_bits=value)


def _size(text: str) -> reports_pb2.Budget:
    found = _NUMBER.match(text)
    if not found:
        raise _invalid(text, 'does not begin with a number')
    value, unit = float(found.group()), text[found.end():].strip()
    if not unit:
        raise _invalid(text, 'has no unit')
    if unit.lower() == 'bpw':
        return _bits(value, text)
    if value <= 0:
        raise _invalid(text, 'is not above 0')
    factor = next((factor for name, factor in UNITS.items() if name.lower() == unit.lower()), None)
    if factor is None:
        raise _invalid(text, f"has an unknown unit '{unit.lower()}'")
    size = math.floor(value * factor)
    if size < 1:
        raise _invalid(text, 'is less than one byte')
    if size > MOST_BYTES:
        raise _invalid(text, 'is above 8 PiB')
    return reports_pb2.Budget(artifact_bytes=size)


def _bound(text: str, number: str) -> float:
    try:
        value = float(number) if number.strip() == number and '_' not in number else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise _invalid(text, "has no number behind '='")
    if value <= 0:
        raise _invalid(text, 'is not above 0')
    return value


def _invalid(text: str, what: str) -> BitwrightError:
    return make('INVALID_ARGUMENT', 'BUDGET_INVALID',
                f"budget '{text}' {what}; give bits per weight as 4.25 or '4.25bpw', the artifact's size as '12MB' "
                "(10^6 bytes), '12MiB' (2^20), '1.5GB' or '12000000B', or what may be lost as 'kld=0.05' (nats per "
                "token) or 'ppl=1%'", {'budget': text})


@dataclasses.dataclass(frozen=True)
class Goals:
    """The goals of one job, each with the name that people gave it."""

    names: Tuple[str, ...]
    goals: Tuple[jobs_pb2.Goal, ...]

    def for_consumer(self, consumer: str, loaded_by: Mapping[str, Sequence[str]]) -> Goals:
        """With the program that must load the artifacts. Of several targets it holds for those that it loads;
        `loaded_by` has the consumers of each target."""
        def loads(goal: jobs_pb2.Goal) -> bool:
            return consumer in loaded_by.get(goal.target or next(iter(loaded_by), ''), (consumer,))
        anywhere = any(loads(goal) for goal in self.goals)
        changed = [jobs_pb2.Goal(target=goal.target, budget=goal.budget if goal.HasField('budget') else None,
                                 consumer=consumer if loads(goal) or not anywhere else '') for goal in self.goals]
        return Goals(self.names, tuple(changed))

    def set_on(self, spec: jobs_pb2.JobSpec) -> None:
        """One stands in the job's own fields, several in its list."""
        if len(self.goals) > 1:
            spec.goals.extend(self.goals)
            return
        only = self.goals[0]
        spec.target, spec.consumer = only.target, only.consumer
        if only.HasField('budget'):
            spec.budget.CopyFrom(only.budget)


def split(values: Union[str, float, int, Sequence[Union[str, float, int]], None]) -> List[Union[str, float, int]]:
    """One, several, or several with commas."""
    if values is None:
        return []
    if isinstance(values, str):
        return [piece.strip() for piece in values.split(',')]
    if isinstance(values, (int, float)):
        return [values]
    return [piece for value in values for piece in split(value)]


def choose_goals(budgets: Union[BudgetLike, Sequence[BudgetLike], None], targets: Union[str, Sequence[str]]
                 ) -> Goals:
    """Every budget for every target. Without a budget: every target, which suffices for a plan."""
    named_budgets = [(str(budget), parse_budget(budget)) for budget in split(budgets)]
    named_targets = [str(target) for target in split(targets)] or ['']
    keys = [budget.SerializeToString(deterministic=True) for _, budget in named_budgets]
    if len(set(keys)) < len(keys):
        raise _invalid(', '.join(name for name, _ in named_budgets), 'has the same budget twice')
    if len(named_targets) > 1 and (len(set(named_targets)) < len(named_targets) or '' in named_targets):
        raise make('INVALID_ARGUMENT', 'TARGETS_INVALID',
                   f"targets '{','.join(named_targets)}' names a target twice, or none between two commas; name each "
                   "once, as in 'compressed-tensors,gguf'", {'targets': ','.join(named_targets)})
    count = max(1, len(named_budgets)) * len(named_targets)
    if count > MOST_GOALS:
        raise make('INVALID_ARGUMENT', 'GOALS_INVALID',
                   f'{len(named_budgets)} budgets for {len(named_targets)} targets are {count} goals, and a job has at '
                   f'most {MOST_GOALS}; make another job of the rest: what was computed is reused',
                   {'limit': str(MOST_GOALS)}, 'budget')
    choices: List[Tuple[str, Optional[reports_pb2.Budget]]] = [*named_budgets] or [('', None)]
    names, goals = [], []
    for target in named_targets:
        for budget_name, budget in choices:
            several = len(named_targets) > 1
            names.append('-'.join(part for part in (target if several else '', budget_name) if part))
            goals.append(jobs_pb2.Goal(target=target, budget=budget))
    return Goals(tuple(names), tuple(goals))
