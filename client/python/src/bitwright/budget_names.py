"""The shortest names of budgets and goals, as the command line gives them to folders and tables."""

from __future__ import annotations

import collections
from typing import List, Sequence

from bitwright.budgets import UNITS, parse_budget
from bitwright.v1 import jobs_pb2, reports_pb2

DEFAULT_TARGET = 'compressed-tensors'  # what a goal without a target means


def budget_name(budget: reports_pb2.Budget) -> str:
    """"4.25bpw", "12MB", "kld=0.05", "ppl=1%"; empty for none."""
    kind = budget.WhichOneof('kind')
    if kind == 'average_bits':
        return f'{_number(budget.average_bits)}bpw'
    if kind == 'artifact_bytes':
        return _bytes_name(budget.artifact_bytes)
    if kind == 'max_kl_divergence':
        return f'kld={_number(budget.max_kl_divergence)}'
    if kind == 'max_perplexity_rise':
        return f'ppl={100 * budget.max_perplexity_rise:.12g}%'
    return ''


def goal_names(goals: Sequence[jobs_pb2.Goal]) -> List[str]:
    """The budget, behind the target where there are several; with the consumer where that leaves two alike."""
    targets = {goal.target or DEFAULT_TARGET for goal in goals}
    names = []
    for goal in goals:
        target = goal.target or DEFAULT_TARGET
        names.append('-'.join(part for part in (target if len(targets) > 1 else '', budget_name(goal.budget)) if part))
    counts = collections.Counter(names)
    return [f'{name}-{goal.consumer}' if counts[name] > 1 and goal.consumer else name for name, goal in zip(names, goals)]


def _number(value: float) -> str:
    """In its fewest digits."""
    return repr(value)[:-2] if repr(value).endswith('.0') else repr(value)


def _bytes_name(count: int) -> str:
    shortest = f'{count}B'
    for unit, factor in UNITS.items():
        name = _number(count / factor) + unit
        if len(name) < len(shortest) and 'e' not in name and parse_budget(name).artifact_bytes == count:
            shortest = name
    return shortest
