"""What PromQL expressions name: enough of the grammar to find their selectors."""

import re

# Names of this project's series and rules, and the series that Prometheus itself adds to a target.
_SELECTOR = re.compile(r'(?<![\w:"])(up|[a-z_]*:?bitwright_\w+(?::\w+)?)(?![\w:])(\{[^}]*\})?')
_MATCHER = re.compile(r'(\w+)\s*(=~|!=|!~|=)\s*"([^"]*)"')


def selectors(expression):
    """(name, text of the selector, {label: value}) of each series that an expression names."""
    found = []
    for match in _SELECTOR.finditer(expression):
        name, braces = match.group(1), match.group(2) or ''
        found.append((name, name + braces, {label: value for label, _, value in _MATCHER.findall(braces)}))
    return found


def filled_in(expression):
    """A query of a dashboard with Grafana's variables replaced: all servers, and times that hold the whole test."""
    for variable, value in (('$instance', '.+'), ('$__rate_interval', '5m'), ('$__range', '15m')):
        expression = expression.replace(variable, value)
    assert '$' not in expression, f'an unknown variable: {expression}'
    return expression
