"""What a panel and a dashboard are to Grafana: everything that is the same for all of them."""

import dataclasses

_DATASOURCE = {'type': 'prometheus', 'uid': '${datasource}'}
_COLUMNS = 24  # of Grafana's grid
_SCHEMA_VERSION = 39  # of Grafana 10.4; newer ones read it, too


@dataclasses.dataclass
class Panel:
    """kind: timeseries, stat, gauge, bargauge, heatmap or piechart. queries: (PromQL, legend)."""
    title: str
    kind: str
    unit: str
    queries: list
    description: str
    width: int = 12
    height: int = 8
    stacked: bool = False
    logarithmic: bool = False


def _options(panel):
    last = {'calcs': ['lastNotNull'], 'fields': '', 'values': False}
    legend = {'displayMode': 'list', 'placement': 'bottom', 'showLegend': True}
    return {
        'timeseries': {'legend': legend, 'tooltip': {'mode': 'multi', 'sort': 'desc'}},
        'stat': {'colorMode': 'value', 'graphMode': 'area', 'justifyMode': 'auto', 'reduceOptions': last,
                 'textMode': 'auto'},
        'gauge': {'reduceOptions': last, 'showThresholdLabels': False, 'showThresholdMarkers': True},
        'bargauge': {'displayMode': 'basic', 'orientation': 'horizontal', 'reduceOptions': last, 'showUnfilled': True},
        'heatmap': {'calculate': False, 'cellGap': 1, 'color': {'mode': 'scheme', 'scheme': 'Blues', 'steps': 64},
                    'legend': {'show': True}, 'tooltip': {'show': True, 'yHistogram': True},
                    'yAxis': {'unit': panel.unit}},
        'piechart': {'displayLabels': ['name', 'percent'], 'legend': legend, 'pieType': 'donut',
                     'reduceOptions': last},
    }[panel.kind]


def _defaults(panel):
    """Of all fields of the panel."""
    defaults = {'unit': 'short' if panel.kind == 'heatmap' else panel.unit, 'color': {'mode': 'palette-classic'}}
    if panel.unit == 'percentunit':
        defaults |= {'min': 0, 'max': 1}
    elif panel.kind != 'heatmap' and not panel.logarithmic:
        defaults |= {'min': 0}
    if panel.kind == 'timeseries':
        defaults['custom'] = {
            'fillOpacity': 25 if panel.stacked else 0, 'lineWidth': 1, 'showPoints': 'never',
            'stacking': {'mode': 'normal' if panel.stacked else 'none', 'group': 'A'},
            'scaleDistribution': {'type': 'log', 'log': 10} if panel.logarithmic else {'type': 'linear'},
        }
    return defaults


def _target(panel, index, query, legend):
    over_time = panel.kind in ('timeseries', 'heatmap', 'stat')
    # Buckets as a heatmap's format: Grafana takes the differences of the cumulated counts and sorts them by bound.
    by_bucket = legend == '{{le}}'
    return {'refId': chr(ord('A') + index), 'datasource': _DATASOURCE, 'editorMode': 'code', 'expr': query,
            'legendFormat': legend, 'range': over_time, 'instant': not over_time,
            'format': 'heatmap' if by_bucket else 'time_series'}


def _panel(panel, number, column, row):
    return {
        'id': number, 'type': panel.kind, 'title': panel.title, 'description': panel.description,
        'datasource': _DATASOURCE,
        'gridPos': {'h': panel.height, 'w': panel.width, 'x': column, 'y': row},
        'fieldConfig': {'defaults': _defaults(panel), 'overrides': []},
        'options': _options(panel),
        'targets': [_target(panel, index, *query) for index, query in enumerate(panel.queries)],
    }


def _placed(panels):
    """Left to right, a new row where the next one has no room."""
    placed, column, row, tallest = [], 0, 0, 0
    for number, panel in enumerate(panels, 1):
        if column + panel.width > _COLUMNS:
            column, row, tallest = 0, row + tallest, 0
        placed.append(_panel(panel, number, column, row))
        column += panel.width
        tallest = max(tallest, panel.height)
    return placed


def _variables():
    return [
        {'name': 'datasource', 'label': 'Prometheus', 'type': 'datasource', 'query': 'prometheus', 'hide': 0},
        {'name': 'instance', 'label': 'Server', 'type': 'query', 'datasource': _DATASOURCE, 'hide': 0,
         'query': {'query': 'label_values(bitwright_build_info, instance)', 'refId': 'instance'},
         'definition': 'label_values(bitwright_build_info, instance)', 'includeAll': True, 'multi': True,
         'current': {'text': 'All', 'value': '$__all'}, 'refresh': 2, 'sort': 1},
    ]


def dashboard(name, title, description, panels):
    """The JSON of a dashboard with the uid bitwright-NAME."""
    return {
        'uid': f'bitwright-{name}', 'title': f'Bitwright: {title}', 'description': description,
        'tags': ['bitwright'], 'schemaVersion': _SCHEMA_VERSION, 'version': 1, 'editable': False,
        'graphTooltip': 1, 'refresh': '30s', 'timezone': 'browser', 'time': {'from': 'now-6h', 'to': 'now'},
        'templating': {'list': _variables()}, 'annotations': {'list': []},
        'links': [{'type': 'dashboards', 'title': 'Bitwright', 'tags': ['bitwright'], 'asDropdown': False,
                   'includeVars': True, 'keepTime': True, 'targetBlank': False, 'icon': '', 'url': '', 'tooltip': ''}],
        'panels': _placed(panels),
    }
