"""Rules and dashboards on real series: a service that has run jobs, scraped by a real Prometheus.

Every query of every dashboard and every recording rule must give numbers; every series that an alert names must exist.
"""

import glob
import json
import os
import sys
import unittest

import prometheus
from expressions import filled_in, selectors

import small_model  # from e2e/, as prometheus.py found it
from service import CliError, ServiceTest, wait_until

GRAFANA = os.path.join(prometheus.SOURCE, 'deploy', 'grafana')
sys.path.insert(0, GRAFANA)
import make_dashboards  # noqa: E402

# What absl::StatusCodeToString gives: a healthy server has answered with few of them.
CODES = {'OK', 'CANCELLED', 'UNKNOWN', 'INVALID_ARGUMENT', 'DEADLINE_EXCEEDED', 'NOT_FOUND', 'ALREADY_EXISTS',
         'PERMISSION_DENIED', 'UNAUTHENTICATED', 'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION', 'ABORTED', 'OUT_OF_RANGE',
         'UNIMPLEMENTED', 'INTERNAL', 'UNAVAILABLE', 'DATA_LOSS'}


# What these say is true where something else fills the disk at the time.
OF_THE_MACHINE = ('BitwrightDiskFillsUp',)


def dashboards():
    """Name of the file to the dashboard."""
    found = {}
    for path in glob.glob(os.path.join(GRAFANA, 'dashboards', '*.json')):
        with open(path, encoding='utf-8') as file:
            found[os.path.basename(path)] = json.load(file)
    return found


class Monitoring(ServiceTest):
    def setUp(self):
        super().setUp()
        self.server = self.start_service()
        self.prometheus = prometheus.Prometheus(self.path('prometheus'), self.server.metrics_address)
        self.addCleanup(self.prometheus.close)
        self.wait_value('up', 1)
        self.model = small_model.write(self.path('model'))

    def wait_value(self, expression, value):
        wait_until(lambda: self.prometheus.value(expression) == value, f'{expression} is {value}')

    def quantize(self, out, *options):
        return self.server.cli('quantize', self.model, *options, '-o', self.path(out))

    def run_jobs(self):
        """One that succeeds, one more with its cached results, one on other texts, one that fails, one that is cancelled.
        Returns the reports of the first three."""
        texts = self.texts('one')
        jobs = [self.quantize('first', '--budget', '4.25bpw', *texts), self.quantize('second', '--budget', '6bpw', *texts),
                self.quantize('third', '--budget', '6bpw', *self.texts('two'))]
        with self.assertRaises(CliError) as failed:
            self.quantize('failed', *self.bound_that_fails(), *texts)
        self.assertEqual(failed.exception.reason, 'BOUND_NOT_MET')
        long = self.server.cli('job', 'submit', self.model, '--budget', '4bpw', *self.texts('long', 500_000))
        self.server.cli('job', 'cancel', long['name'])
        return [job['report'] for job in jobs]

    def test_every_expression_on_a_live_server(self):
        reports = self.run_jobs()
        for outcome, count in (('succeeded', 3), ('failed', 1), ('cancelled', 1)):
            # Counted at once, and every few seconds.
            self.wait_value(f'bitwright_jobs_ended_total{{outcome="{outcome}"}}', count)
            self.wait_value(f'bitwright_jobs{{state="{outcome}"}}', count)
        with self.subTest('quality'):
            self.check_quality(reports)
        for name, board in sorted(dashboards().items()):
            for panel in board['panels']:
                for target in panel['targets']:
                    with self.subTest(dashboard=name, panel=panel['title']):
                        self.check_query(filled_in(target['expr']))
        for rule in self.prometheus.rules():
            with self.subTest(rule=rule['name']):
                self.check_rule(rule)

    def check_quality(self, reports):
        """The numbers are those of the reports."""
        selected = [next(c for c in report['candidates'] if c['name'] == report['selected']) for report in reports]
        for series, values in (('kl_divergence_nats', [c['kl_divergence']['mean'] for c in selected]),
                               ('average_bits', [c['average_bits'] for c in selected])):
            series = f'bitwright_artifact_{series}'
            self.assertEqual(self.prometheus.value(f'sum({series}_count)'), 3)
            self.assertAlmostEqual(self.prometheus.value(f'sum({series}_sum)'), sum(values), places=5)
        self.assertEqual(self.prometheus.value('sum(bitwright_artifacts_total)'), 3)
        self.assertEqual(self.prometheus.value('bitwright_jobs_failed_total{reason="BOUND_NOT_MET"}'), 1)

    def check_series(self, expression):
        """Each series that it names is there, with the labels and values that it asks for."""
        named = selectors(expression)
        self.assertTrue(named, f'names no series: {expression}')
        for name, selector, matchers in named:
            if 'code' in matchers:
                self.assertLessEqual(set(matchers['code'].split('|')), CODES)
                self.assertTrue(self.prometheus.query(f'{name}{{code="OK"}}'), f'unknown series: {name}')
            else:
                self.assertTrue(self.prometheus.query(selector), f'unknown series: {selector}')

    def check_query(self, expression):
        self.check_series(expression)
        numbers = self.prometheus.query(expression)
        self.assertTrue(numbers, f'no result: {expression}')
        self.assertTrue(any(number == number for number in numbers), f'nothing but NaN: {expression}')

    def check_rule(self, rule):
        self.assertEqual((rule['health'], rule.get('lastError', '')), ('ok', ''), rule)
        if rule['type'] == 'recording':
            self.check_query(rule['query'])
            self.assertTrue(self.prometheus.query(rule['name']), f'is not recorded: {rule["name"]}')
        else:
            self.check_series(rule['query'])
            if rule['name'] not in OF_THE_MACHINE:
                self.assertEqual(rule['alerts'], [], 'nothing is wrong with the server')


class Dashboards(unittest.TestCase):
    def test_are_those_that_the_program_writes(self):
        written = {name: json.loads(text) for name, text in make_dashboards.texts().items()}
        self.assertEqual(dashboards(), written, 'run deploy/grafana/make_dashboards.py')

    def test_panels_have_their_place(self):
        for name, board in dashboards().items():
            taken = set()
            for panel in board['panels']:
                place = panel['gridPos']
                cells = {(x, y) for x in range(place['x'], place['x'] + place['w'])
                         for y in range(place['y'], place['y'] + place['h'])}
                self.assertFalse(cells & taken, f'{name}: {panel["title"]} overlaps another panel')
                self.assertLessEqual(place['x'] + place['w'], 24)
                self.assertTrue(panel['description'].endswith('.'), panel['title'])
                taken |= cells
            self.assertEqual(len({panel['id'] for panel in board['panels']}), len(board['panels']))


if __name__ == '__main__':
    prometheus.skip_without_prometheus()
    unittest.main(verbosity=2)
