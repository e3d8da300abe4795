"""Traces of a live service, as a collector of the real OTLP messages gets them."""

import os
import sys
import unittest

import collector

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(SOURCE, 'tests', 'e2e'))
import small_model  # noqa: E402 (the folder is known only now)
from service import ServiceTest, wait_until  # noqa: E402

TRACE = '4bf92f3577b34da6a3ce929d0e0e47'  # and two digits
PARENT = '00f067aa0ba902b7'
CREATE = 'bitwright.v1.JobService/CreateJob'


def traceparent(number, flags='01'):
    return f'00-{TRACE}{number:02x}-{PARENT}-{flags}'


class Traces(ServiceTest):
    def setUp(self):
        super().setUp()
        self.collector = collector.Collector()
        self.addCleanup(self.collector.close)
        self.model = small_model.write(self.path('model'))

    def submit(self, server, texts, budget='5bpw', **variables):
        return server.cli('job', 'submit', self.model, '--budget', budget, *texts, **variables)['name']

    def wait_job_span(self, job):
        """The span of a job that has ended; those within it were sent before."""
        return wait_until(lambda: next((span for span in self.collector.of_job(job) if span.name == 'job'), None),
                          f'the span of {job}')

    def check_tree(self, server, job, parent):
        """All spans of an ended job, by their names' first word. `parent`: the id of the job's parent."""
        root = self.wait_job_span(job)
        shown = server.job(job)
        spans = self.collector.of_job(job)
        by_id = {span.id: span for span in spans}
        self.assertEqual(len(by_id), len(spans), 'ended twice')
        self.assertEqual(root.parent, parent)
        self.assertEqual(root['bitwright.job.state'], shown['state'])
        by_kind = {'job': [], 'stage': [], 'task': []}
        for span in spans:
            self.assertEqual(span.trace, root.trace)
            self.assertLessEqual(span.start, span.end)
            by_kind[span.name.split()[0]].append(span)
            if span is root:
                continue
            within = by_id[span.parent]  # every parent is known
            self.assertEqual(within.name, f'stage {span["bitwright.task.kind"]}' if span['bitwright.task'] else 'job')
            self.assertGreaterEqual(span.start, within.start, f'{span} in {within}')
            self.assertLessEqual(span.end, within.end, f'{span} in {within}')
        stages = {span['bitwright.stage.kind']: span for span in by_kind['stage']}
        if shown['state'] == 'SUCCEEDED':
            for stage in shown['stages']:
                span = stages[stage['kind']]
                done = [task for task in by_kind['task'] if task['bitwright.task.kind'] == stage['kind']
                        and task['bitwright.task.outcome'] == 'done']
                self.assertEqual(len(done), stage['finished'], stage)
                self.assertEqual(len({task['bitwright.task.key'] for task in done}), len(done), stage)
                self.assertEqual(sum(task['bitwright.task.cached'] for task in done), stage.get('cached', 0), stage)
                self.assertEqual(span['bitwright.stage.finished'], stage['finished'])
            self.assertEqual(len(stages), len(shown['stages']))
        return by_kind

    def test_jobs_are_in_the_trace_of_their_callers(self):
        server = self.start_service(variables={
            'OTEL_EXPORTER_OTLP_ENDPOINT': f'http://{self.collector.address}', 'OTEL_SERVICE_NAME': 'quantizer'})
        texts = self.texts('one')
        with self.subTest('a trace of the caller'):
            job = self.submit(server, texts, TRACEPARENT=traceparent(1), TRACESTATE='congo=t61')
            server.wait_state(job, 'SUCCEEDED')
            self.check_callers_trace(server, job)
        with self.subTest('none of the caller, and tasks from the cache'):
            job = self.submit(server, texts, budget='6bpw', TRACEPARENT='00-nonsense')
            server.wait_state(job, 'SUCCEEDED')
            self.check_own_trace(server, job)
        with self.subTest('a cancelled job'):
            job = self.submit(server, self.texts('long', 500_000), TRACEPARENT=traceparent(2))
            wait_until(lambda: any(stage['running'] for stage in server.job(job)['stages']), 'a task runs')
            server.cli('job', 'cancel', job)
            kinds = self.check_tree(server, job, PARENT)
            self.assertIn('cancelled', {task['bitwright.task.outcome'] for task in kinds['task']})
            self.assertNotEqual(kinds['job'][0].status, collector.ERROR)
        with self.subTest('a job that fails'):
            job = self.submit_failing(server, texts)
            root = self.check_tree(server, job, PARENT)['job'][0]
            self.assertEqual((root.status, root['error.type']), (collector.ERROR, 'BOUND_NOT_MET'))
        with self.subTest('a caller that does not sample'):
            job = self.submit(server, texts, TRACEPARENT=traceparent(4, '00'))
            server.wait_state(job, 'SUCCEEDED')
        self.assertEqual(server.stop(), 0)
        self.assertEqual(self.collector.of_trace(TRACE + '04'), [])
        self.assertEqual(self.collector.of_job(job), [])
        self.assertEqual(self.collector.repeated(), [])
        self.check_calls_of_workers()

    def submit_failing(self, server, texts):
        options = self.bound_that_fails()
        job = server.cli('job', 'submit', self.model, *options, *texts, TRACEPARENT=traceparent(3))['name']
        server.wait_state(job, 'FAILED')
        return job

    def check_callers_trace(self, server, job):
        self.assertEqual(server.job(job)['traceparent'], traceparent(1))
        kinds = self.check_tree(server, job, PARENT)
        root = kinds['job'][0]
        self.assertEqual(root.trace, TRACE + '01')
        self.assertEqual({task['bitwright.worker'] for task in kinds['task']} - {''},
                         {worker['name'] for worker in server.cli('worker', 'list')['workers']})
        calls = wait_until(lambda: [span for span in self.collector.of_trace(root.trace) if span.name == CREATE],
                           'the span of the call')
        self.assertEqual(len(calls), 1)
        self.assertLessEqual(calls[0].start, root.start)
        for span in self.collector.of_trace(root.trace):
            self.assertEqual(span.resource['service.name'], 'quantizer')
            self.assertEqual(span.resource['service.version'], self.version())
            self.assertRegex(span.resource['service.instance.id'], r'^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$')
            if span.kind != collector.SERVER:
                continue
            self.assertEqual((span.parent, span.state), (PARENT, 'congo=t61'))
            self.assertEqual(span.name, f'{span["rpc.service"]}/{span["rpc.method"]}')
            self.assertEqual((span['rpc.system'], span['rpc.grpc.status_code']), ('grpc', 0))
        names = {span.name for span in self.collector.of_trace(root.trace)}
        self.assertLessEqual({'google.bytestream.ByteStream/Write', 'bitwright.v1.ModelService/CreateModel',
                              'bitwright.v1.BlobService/FindMissingBlobs'}, names)

    def check_own_trace(self, server, job):
        remembered = server.job(job)['traceparent'].split('-')
        self.assertEqual(remembered[3], '03', 'sampled, and random')
        kinds = self.check_tree(server, job, remembered[2])
        self.assertGreater(sum(task['bitwright.task.cached'] for task in kinds['task']), 0)
        call = wait_until(lambda: next((span for span in self.collector.of_trace(remembered[1]) if span.name == CREATE), None),
                          'the span of the call')
        self.assertEqual((call.id, call.parent), (remembered[2], ''))
        self.assertNotIn(TRACE, call.trace)

    def check_calls_of_workers(self):
        """They are there, each a trace of its own."""
        leases = [span for span in self.collector.spans() if span.name == 'bitwright.v1.WorkerService/LeaseTask']
        self.assertTrue(leases)
        self.assertEqual({span.parent for span in leases}, {''})
        self.assertEqual(len({span.trace for span in leases}), len(leases))

    def version(self):
        with open(os.path.join(SOURCE, 'CMakeLists.txt'), encoding='utf-8') as file:
            return next(line.split()[2] for line in file if line.startswith('project(bitwright VERSION'))

    def test_a_job_that_lives_through_a_kill_is_one_tree(self):
        server = self.start_service(stepping=True, options=['--otlp-endpoint', self.collector.address])
        server.cli('model', 'upload', self.model)
        begun = server.begin('job', 'submit', self.model, '--budget', '5bpw', *self.texts(), TRACEPARENT=traceparent(9))
        job = begun.result()['name']
        server.freeze(job, 'profile')
        wait_until(lambda: self.all_is_sent(server, job), 'what has ended by now was sent')
        self.assertNotIn('job', {span.name for span in self.collector.of_job(job)})
        server.kill()
        server.go_on()
        server.start()
        server.wait_state(job, 'SUCCEEDED')
        tasks = self.check_tree(server, job, PARENT)['task']
        self.assertEqual(len({span.resource['service.instance.id'] for span in self.collector.of_job(job)}), 2)
        lost = [task for task in tasks if task['bitwright.task.outcome'] == 'released']
        self.assertEqual([(task['bitwright.task.kind'], task['error.type']) for task in lost], [('profile', None)],
                         'the attempt that was halted: its worker is gone')

    def all_is_sent(self, server, job):
        """Whether nothing but the halted task runs, and all others that began have their spans."""
        stages = server.job(job)['stages']
        sent = len(self.collector.of_job(job))
        return sum(stage['running'] for stage in stages) == 1 and sum(stage['finished'] for stage in stages) == sent

    def test_nothing_is_sent_unless_it_is_wanted(self):
        shared = {'OTEL_EXPORTER_OTLP_ENDPOINT': f'http://{self.collector.address}'}
        server = self.start_service('off', workers=0, variables=shared, options=['--otlp-endpoint', ''])
        bare = self.start_service('bare', workers=0)
        unusable = self.start_service('unusable', workers=0, variables={'OTEL_EXPORTER_OTLP_ENDPOINT': 'http://10.0.0.1:1'})
        for one in (server, bare, unusable):
            one.cli('recipe', 'list', TRACEPARENT=traceparent(7))
            self.assertEqual(one.metrics()['bitwright_trace_spans_sent_total'], 0)
            self.assertEqual(one.stop(), 0)
        self.assertEqual(self.collector.calls, 0)
        self.assertIn('no traces are written', unusable.log())
        self.assertIn('in clear', unusable.log())


if __name__ == '__main__':
    unittest.main(verbosity=2)
