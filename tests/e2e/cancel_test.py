"""A job can be cancelled in every stage, and its worker goes on with the next one. Small tasks wait for no long one."""

import unittest

import small_model
from service import CliError, ServiceTest, identify, is_gone, wait_until

STAGES = ('tokenize', 'reference', 'calibrate', 'curvature', 'profile', 'check', 'quantize', 'evaluate')


class Cancel(ServiceTest):
    def setUp(self):
        super().setUp()
        self.model = small_model.write(self.path('model'))
        # A worker hears of a cancelled job with its next heartbeat, every third of this time.
        self.server = self.start_service(options=['--lease-ttl', '3'], stepping=True)
        self.model_name = self.server.cli('model', 'upload', self.model)['name']

    def submission(self, data):
        return ['job', 'submit', self.model_name, '--budget', '4.25bpw', *data]

    def submit(self, name):
        return self.server.cli(*self.submission(self.texts(name)))['name']

    def begin(self, data):
        return self.server.begin(*self.submission(data)).result()['name']

    def cancel(self, job):
        self.assertEqual(self.server.cli('job', 'cancel', job)['state'], 'CANCELLED')
        self.assertEqual(self.server.cli('job', 'cancel', job)['state'], 'CANCELLED', 'once more is no error')
        shown = self.server.job(job)
        self.assertEqual(shown['state'], 'CANCELLED')
        self.assertFalse([stage for stage in shown['stages'] if stage['running']])

    def test_in_every_stage(self):
        # Tokenizing the small text would be over at once.
        large = self.texts('large', 4_000_000)
        for stage in STAGES:
            with self.subTest(stage=stage):
                job = self.begin(large if stage == 'tokenize' else self.texts(stage))
                watch = self.server.client('job', 'watch', job)
                child = identify(self.server.freeze(job, stage))
                self.cancel(job)
                self.assertEqual(watch.error().code, 5)
                wait_until(lambda child=child: is_gone(child), 'the child of a cancelled job ends')
        self.server.go_on()
        self.assertEqual(len(self.server.agents()), 1)
        self.server.wait_state(self.submit('last'), 'SUCCEEDED')
        wait_until(lambda: self.server.metrics()['bitwright_jobs{state="cancelled"}'] == len(STAGES), 'they are counted')

    def test_behind_another_job(self):
        first = self.begin(self.texts('first'))
        self.server.freeze(first, 'calibrate')
        second = self.submit('second')
        self.assertIn(self.server.job(second)['state'], ('QUEUED', 'RUNNING'), 'its small tasks need not wait')
        self.cancel(second)
        self.server.go_on()
        self.server.wait_state(first, 'SUCCEEDED')
        self.assertEqual(self.server.job(second)['state'], 'CANCELLED')
        self.server.wait_state(self.submit('third'), 'SUCCEEDED')

    def test_an_inspection_does_not_wait(self):
        job = self.begin(self.texts('first'))
        self.server.freeze(job, 'profile')
        other = small_model.write(self.path('other'), with_tokenizer=False)
        name = self.server.cli('model', 'upload', other)['name']
        self.assertEqual(self.server.cli('model', 'show', name)['state'], 'READY')
        self.assertEqual(self.server.job(job)['state'], 'RUNNING', 'while the only worker is in a long task')
        self.server.go_on()
        self.server.wait_state(job, 'SUCCEEDED')

    def test_a_finished_job_cannot_be(self):
        job = self.submit('only')
        self.server.wait_state(job, 'SUCCEEDED')
        with self.assertRaises(CliError) as caught:
            self.server.cli('job', 'cancel', job)
        self.assertEqual(caught.exception.reason, 'JOB_FINISHED')


if __name__ == '__main__':
    unittest.main(verbosity=2)
