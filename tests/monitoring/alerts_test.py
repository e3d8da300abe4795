"""The rules of deploy/prometheus by promtool: they are valid, and each alert fires when it should and not otherwise."""

import json
import os
import re
import tempfile
import unittest

import prometheus
from alert_cases import CASES

RUNBOOK = 'RUNBOOK.md'


def alerts():
    return re.findall(r'^\s*- alert: (\w+)$', prometheus.read('alerts.yml'), re.MULTILINE)


def minutes_of(series):
    """How many steps the longest values of promtool's notation take: "0x5 2x10" are 6 and 11 values, to minute 16."""
    def last(values):
        return sum(int(part.rpartition('x')[2]) + 1 for part in values.split()) - 1
    return max(last(values) for values in series.values())


def unit_test(alert, series, fires):
    """One of promtool's unit tests, in JSON, which is YAML."""
    minutes = minutes_of(series)
    return {
        'name': f'{alert} {"fires" if fires else "does not fire"}', 'interval': '1m',
        'input_series': [{'series': selector, 'values': values} for selector, values in series.items()],
        'promql_expr_test': [{
            'expr': f'count(ALERTS{{alertname="{alert}", alertstate="firing"}}) or vector(0)',
            'eval_time': f'{minutes}m', 'exp_samples': [{'labels': '{}', 'value': 1 if fires else 0}]}],
    }


class Alerts(unittest.TestCase):
    def assert_passes(self, *arguments):
        code, text = prometheus.promtool(*arguments)
        self.assertEqual(code, 0, text)
        return text

    def test_the_configuration_is_valid(self):
        self.assert_passes('check', 'config', os.path.join(prometheus.RULES, 'prometheus.yml'))
        for name in ('rules.yml', 'alerts.yml'):
            self.assert_passes('check', 'rules', '--lint-fatal', os.path.join(prometheus.RULES, name))

    def test_each_fires_and_each_stays_quiet(self):
        self.assertEqual(sorted(CASES), sorted(alerts()), 'every alert has its cases')
        tests = [unit_test(alert, series, fires) for alert, sides in CASES.items()
                 for fires, cases in zip((True, False), sides, strict=True) for series in cases]
        self.assertGreater(len(tests), 2 * len(CASES))
        with tempfile.NamedTemporaryFile('w', suffix='.json') as file:
            json.dump({'rule_files': [os.path.join(prometheus.RULES, name) for name in ('rules.yml', 'alerts.yml')],
                       'evaluation_interval': '1m', 'tests': tests}, file)
            file.flush()
            self.assert_passes('test', 'rules', file.name)

    def test_each_has_a_runbook(self):
        headings = re.findall(r'^## (\w+)$', prometheus.read(RUNBOOK), re.MULTILINE)
        self.assertEqual(headings, alerts(), 'sections of the runbook, in order of the alerts')
        linked = re.findall(r'^\s*runbook: deploy/prometheus/RUNBOOK\.md#(\w+)$', prometheus.read('alerts.yml'),
                            re.MULTILINE)
        self.assertEqual(linked, [alert.lower() for alert in alerts()])


if __name__ == '__main__':
    prometheus.skip_without_prometheus()
    unittest.main(verbosity=2)
