"""What a report has besides its fields."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Dict, List

from bitwright.errors import make
from bitwright.messages import Record

if TYPE_CHECKING:
    import pandas

    from bitwright.types import Candidate


class ReportRecord(Record):
    """The base of Report."""

    @property
    def best(self) -> Candidate:
        """The candidate that was selected: what the artifact is."""
        report: Any = self
        found: Candidate = next(one for one in report.candidates if one.name == report.selected)
        return found

    def to_pandas(self, table: str = 'candidates') -> pandas.DataFrame:
        """One of the report's lists as a table: "candidates" (measured plans), "units" (of the selected plan), "front"
        (the Pareto front as predicted), "choices" or "notices". Columns have the names of the fields, nested ones with
        dots: "kl_divergence.mean" is in nats per token. ImportError without pandas (extra `pandas`)."""
        import pandas
        rows = getattr(self, table, None)
        if not isinstance(rows, tuple):
            raise make('INVALID_ARGUMENT', 'ARGUMENT_INVALID', f"a report has no table '{table}'; give one of candidates, "
                       'units, front, choices, notices', {}, 'table')
        return pandas.DataFrame([flat(row) for row in rows])


def flat(row: Record) -> Dict[str, Any]:
    """Numbers and words of a record; those of records within it by dotted names. Lists are left out."""
    found: Dict[str, Any] = {}
    pending: List[Any] = [('', row)]
    while pending:
        prefix, record = pending.pop(0)
        for field in dataclasses.fields(record):
            value = getattr(record, field.name)
            if isinstance(value, Record):
                pending.append((f'{prefix}{field.name}.', value))
            elif not isinstance(value, (tuple, dict)):
                found[prefix + field.name] = getattr(value, 'name', value)
    return found
