"""A second budget reuses the first one's work, /metrics tells of it, and a byte budget holds for the files on disk."""

import json
import os
import subprocess
import unittest

import small_model
from service import SAMPLE, CliError, ServiceTest, files_below, run_cli, wait_until

REPORT = {'schema_version', 'budget', 'verdict', 'selected', 'reference', 'candidates', 'allocation', 'units',
          'provenance'}
CANDIDATE = {'name', 'average_bits', 'artifact_bytes', 'kl_divergence', 'perplexity', 'perplexity_standard_error',
             'top1_agreement', 'predicted_loss'}
KL_DIVERGENCE = {'mean', 'standard_error', 'median', 'p99', 'max'}
UNIT = {'name', 'format', 'bits', 'bytes', 'sensitivity'}


class Reuse(ServiceTest):
    def test_a_second_budget(self):
        server = self.start_service(workers=1, threads=2)
        model = small_model.write(self.path('model'))
        arguments = ['quantize', model, *self.texts(size_bytes=4096)]
        first = server.cli(*arguments, '--budget', '4.25bpw', '-o', self.path('first'))
        ran = server.tasks_run()
        second = server.cli(*arguments, '--budget', '3.5bpw', '-o', self.path('second'))
        stages = {stage['kind']: stage for stage in second['stages']}
        for kind in ('tokenize', 'reference', 'calibrate', 'curvature', 'profile', 'check'):
            self.assertEqual(stages[kind]['cached'], stages[kind]['tasks'], kind)
            self.assertEqual(stages[kind]['seconds'], 0, kind)
            self.assertEqual(server.tasks_run()[kind], ran[kind], kind)
        seconds = [sum(stage['seconds'] for stage in job['stages']) for job in (first, second)]
        self.assertLess(seconds[1], seconds[0])
        # The same job once more is nothing but hits.
        ran = server.tasks_run()
        third = server.cli(*arguments, '--budget', '3.5bpw', '-o', self.path('third'))
        self.assertEqual(server.tasks_run(), ran)
        self.assertEqual(third['report'], second['report'])


class Metrics(ServiceTest):
    def wait_succeeded(self, server, count):
        """Jobs and blobs are counted every few seconds, not at every change."""
        wait_until(lambda: server.metrics()['bitwright_jobs{state="succeeded"}'] == count, f'{count} jobs are counted')

    def test_after_a_job(self):
        server = self.start_service()
        def slots():
            return sum(value for name, value in server.metrics().items() if name.startswith('bitwright_worker_slots{'))
        wait_until(lambda: slots() == 1, 'the worker is there')
        model = small_model.write(self.path('model'))
        job = server.cli('quantize', model, '--budget', '4.25bpw', *self.texts(), '-o', self.path('out'))
        self.wait_succeeded(server, 1)
        metrics = server.metrics()
        run = 1  # the inspection
        for stage in job['stages']:
            count = metrics[f'bitwright_task_seconds_count{{kind="{stage["kind"]}"}}']
            self.assertEqual(count + stage['cached'], stage['tasks'], stage)
            run += count
        self.assertEqual(metrics['bitwright_task_seconds_count{kind="inspect"}'], 1)
        self.assertEqual(metrics['bitwright_task_queue_wait_seconds_count'], run)
        self.assertEqual(metrics['bitwright_action_cache_hits_total'], sum(s['cached'] for s in job['stages']))
        self.assertGreaterEqual(metrics['bitwright_action_cache_misses_total'], run)
        self.assertEqual(metrics['bitwright_task_retries_total'], 0)
        self.assertEqual(metrics['bitwright_lease_expiries_total'], 0)
        # One says what the job would need, one queues it.
        self.assertEqual(metrics['bitwright_rpcs_total{code="OK",method="CreateJob"}'], 2)
        size = sum(os.path.getsize(path) for path in files_below(model).values())
        self.assertGreater(metrics['bitwright_upload_bytes_total'], size)
        self.assertGreater(metrics['bitwright_blob_bytes'], size)
        server.cli('quantize', model, '--budget', '4.25bpw', *self.texts(), '-o', self.path('again'))
        self.wait_succeeded(server, 2)
        again = server.metrics()
        self.assertEqual(again['bitwright_action_cache_misses_total'], metrics['bitwright_action_cache_misses_total'])
        self.assertGreaterEqual(again['bitwright_action_cache_hits_total'],
                                sum(stage['tasks'] for stage in job['stages']))


class Delivery(ServiceTest):
    BUDGET = 7_000_000

    def test_a_byte_budget_on_the_sample(self):
        out = self.path('out')
        run_cli('quantize', SAMPLE, '--budget', f'{self.BUDGET // 1_000_000}MB', '--calibration',
                os.path.join(SAMPLE, 'calibration.txt'), '--evaluation', os.path.join(SAMPLE, 'evaluation.txt'),
                '--window', '128', '--calibration-tokens', '1024', '--evaluation-tokens', '1024', '-o', out)
        with open(os.path.join(out, 'report.json'), encoding='utf-8') as file:
            report = json.load(file)
        files = files_below(os.path.join(out, 'model'))
        on_disk = sum(os.path.getsize(path) for path in files.values())
        selected = next(c for c in report['candidates'] if c['name'] == report['selected'])
        self.assertLessEqual(on_disk, self.BUDGET)
        self.assertEqual(on_disk, int(selected['artifact_bytes']))
        self.assertEqual(int(report['budget']['artifact_bytes']), self.BUDGET)
        subprocess.run(['sha256sum', '--check', '--strict', '--quiet', 'SHA256SUMS'], cwd=os.path.join(out, 'model'),
                       check=True)
        with open(files['SHA256SUMS'], encoding='utf-8') as file:
            self.assertEqual({line.split('  ', 1)[1].rstrip('\n') for line in file}, files.keys() - {'SHA256SUMS'})
        self.check_report(report)
        with open(os.path.join(out, 'report.txt'), encoding='utf-8') as file:
            self.assertLessEqual(max(len(line.rstrip('\n')) for line in file if not line.startswith('http')), 100)

    def check_report(self, report):
        self.assertEqual(REPORT - report.keys(), set())
        self.assertEqual(report['schema_version'], 1)
        self.assertIn('perplexity', report['reference'])
        self.assertEqual({'bound', 'gap'} - report['allocation'].keys(), set())
        for candidate in report['candidates']:
            self.assertEqual(CANDIDATE - candidate.keys(), set())
            self.assertEqual(KL_DIVERGENCE - candidate['kl_divergence'].keys(), set())
            self.assertRegex(candidate['name'], '^(uniform|mixed)')
            self.assertLessEqual(int(candidate['artifact_bytes']), self.BUDGET)
        self.assertTrue(report['units'])
        for unit in report['units']:
            self.assertEqual(UNIT - unit.keys(), set())

    def test_a_folder_that_is_not_empty_is_refused_before_anything_runs(self):
        os.makedirs(self.path('out'))
        small_model.write_text(self.path('out', 'mine'), 10, 1)
        model = small_model.write(self.path('model'))
        with self.assertRaises(CliError) as caught:
            run_cli('quantize', model, '--budget', '4.25bpw', *self.texts(), '-o', self.path('out'))
        self.assertEqual(caught.exception.reason, 'OUT_NOT_EMPTY')
        self.assertEqual(os.listdir(self.path('out')), ['mine'])


if __name__ == '__main__':
    unittest.main(verbosity=2)
