"""A dashboard drawn as one HTML page: the layout and queries of its JSON, numbers of a Prometheus. Grafana draws more
and better; Debian has no package of it, so this is what a picture for the README is made of."""

import html
import math
import re

from expressions import filled_in

COLORS = ('#7eb26d', '#eab839', '#6ed0e0', '#ef843c', '#e24d42', '#1f78c1', '#ba43a9', '#705da0')
WIDTH, HEIGHT = 600, 190  # of a plot's box, in its own units
STYLE = '''body { margin: 0; padding: 12px; background: #111217; color: #ccccdc; font: 13px "DejaVu Sans", sans-serif; }
h1 { font-size: 17px; font-weight: 500; margin: 4px 0 12px; }
main { display: grid; grid-template-columns: repeat(24, 1fr); grid-auto-rows: 34px; gap: 8px; }
section { background: #181b1f; border: 1px solid #25272c; border-radius: 3px; padding: 8px; overflow: hidden;
  display: flex; flex-direction: column; }
h2 { font-size: 13px; font-weight: 500; margin: 0 0 6px; }
svg { flex: 1; min-height: 0; width: 100%; }
.values { flex: 1; display: flex; justify-content: space-around; align-items: center; font-size: 30px; }
.values span { text-align: center; } .values small { display: block; font-size: 12px; color: #9a9ba5; }
.bars { display: grid; grid-template-columns: auto 1fr auto; gap: 4px 10px; align-items: center; }
.bar { height: 14px; } ul { margin: 4px 0 0; padding: 0; list-style: none; display: flex; flex-wrap: wrap; gap: 2px 14px;
  font-size: 11px; color: #9a9ba5; } i { display: inline-block; width: 12px; height: 3px; margin: 0 5px 3px 0; }'''


def number(value, unit):
    """As an axis or a panel shows it."""
    if unit == 'percentunit':
        return f'{100 * value:.0f} %'
    if unit in ('bytes', 'Bps'):
        power = min(4, int(math.log(max(value, 1), 1024)))
        return f'{value / 1024 ** power:.3g} {("B", "KiB", "MiB", "GiB", "TiB")[power]}' + ('/s' if unit == 'Bps' else '')
    if unit == 's' and 0 < value < 1:
        return f'{1000 * value:.3g} ms'
    return f'{value:.3g}' + {'s': ' s', 'reqps': ' /s', 'ops': ' /s'}.get(unit, '')


def legend(target, labels):
    return re.sub(r'\{\{(\w+)\}\}', lambda match: labels.get(match.group(1), ''), target.get('legendFormat', '')) or 'value'


def plot(series, unit, begin, end):
    """Lines over time, with three marks on the axis."""
    top = max((value for _, points in series for _, value in points if not math.isnan(value)), default=0) or 1
    left = 70

    def at(time, value):
        x = left + (WIDTH - left - 10) * (time - begin) / (end - begin)
        return f'{x:.1f},{HEIGHT - 10 - (HEIGHT - 25) * value / top:.1f}'
    parts = []
    for mark in (0, top / 2, top):
        y = at(begin, mark).split(',')[1]
        parts.append(f'<line x1="{left}" x2="{WIDTH - 10}" y1="{y}" y2="{y}" stroke="#2c2f36"/>'
                     f'<text x="{left - 6}" y="{float(y) + 4}" text-anchor="end" font-size="12" fill="#9a9ba5">'
                     f'{number(mark, unit)}</text>')
    for index, (_, points) in enumerate(series):
        line = ' '.join(at(time, value) for time, value in points if not math.isnan(value))
        parts.append(f'<polyline points="{line}" fill="none" stroke="{COLORS[index % len(COLORS)]}" stroke-width="1.5"/>')
    names = ''.join(f'<li><i style="background:{COLORS[index % len(COLORS)]}"></i>{html.escape(name)}</li>'
                    for index, (name, _) in enumerate(series))
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none">{"".join(parts)}</svg><ul>{names}</ul>'


def values(series, unit):
    return '<div class="values">' + ''.join(
        f'<span>{number(points[-1][1], unit)}<small>{html.escape(name)}</small></span>' for name, points in series) + '</div>'


def bars(series, unit):
    top = max((points[-1][1] for _, points in series), default=0) or 1
    return '<div class="bars">' + ''.join(
        f'<span>{html.escape(name)}</span><span class="bar" style="background:{COLORS[index % len(COLORS)]};'
        f'width:{max(0.3, 100 * points[-1][1] / top):.1f}%"></span><span>{number(points[-1][1], unit)}</span>'
        for index, (name, points) in enumerate(series)) + '</div>'


def by_bucket(series):
    """Counts of each bucket out of cumulated ones, as Grafana has them of a heatmap's format."""
    ordered = sorted(series, key=lambda one: float(one[0].replace('+Inf', 'inf')))
    counts, before = [], 0.0
    for name, points in ordered:
        last = points[-1][1]
        if last > before:
            counts.append((f'≤ {name}', [(points[-1][0], last - before)]))
        before = max(before, last)
    return counts


def panel_html(panel, prometheus, begin, end):
    unit = panel.get('fieldConfig', {}).get('defaults', {}).get('unit', '')
    series = []
    for target in panel['targets']:
        for labels, points in prometheus.series(filled_in(target['expr']), begin, end, (end - begin) / 150):
            series.append((legend(target, labels), points))
    if panel['type'] in ('timeseries', 'heatmap'):
        body = plot(series, unit, begin, end)
    elif panel['type'] in ('bargauge', 'piechart'):
        cumulated = any(target.get('legendFormat') == '{{le}}' for target in panel['targets'])
        body = bars(by_bucket(series) if cumulated else series, unit)
    else:
        body = values(series, unit)
    place = panel['gridPos']
    return (f'<section style="grid-column:{place["x"] + 1}/span {place["w"]};grid-row:{place["y"] + 1}/span {place["h"]}">'
            f'<h2>{html.escape(panel["title"])}</h2>{body}</section>')


def page(board, prometheus, begin, end):
    """The dashboard between two times, in seconds of the epoch."""
    panels = ''.join(panel_html(panel, prometheus, begin, end) for panel in board['panels'])
    return (f'<!doctype html><meta charset="utf-8"><title>{html.escape(board["title"])}</title><style>{STYLE}</style>'
            f'<h1>{html.escape(board["title"])}</h1><main>{panels}</main>')
