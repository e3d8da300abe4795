"""The same bytes from any number of workers and threads, from a worker without the server's disk, and after crashes."""

import os
import signal
import unittest

import service
import small_model
from service import RemoteWorker, ServiceTest, identify, is_gone, outcome, run_cli, wait_until


class Determinism(ServiceTest):
    """The expected outcome comes from one undisturbed worker of two threads."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.expected = None

    def setUp(self):
        super().setUp()
        self.model = small_model.write(self.path('model'))
        self.arguments = ['quantize', self.model, '--budget', '4.3bpw', *self.texts(), '-o', self.path('out')]
        if Determinism.expected is None:
            out = self.path('undisturbed')
            run_cli(*self.arguments[:-1], out, '--threads', '2')
            Determinism.expected = outcome(out)

    def check(self):
        files, report = outcome(self.path('out'))
        self.assertEqual(files, self.expected[0])
        self.assertEqual(report, self.expected[1])

    def check_run_once(self, server, job):
        """No task ran twice to its end: those that ran or were taken from the cache are all that there were."""
        ran = server.tasks_run()
        for stage in job['stages']:
            self.assertEqual(stage['finished'], stage['tasks'])
            self.assertEqual(ran.get(stage['kind'], 0) + stage['cached'], stage['tasks'], stage)

    # --- fleets ---

    def test_one_thread(self):
        run_cli(*self.arguments, '--threads', '1')
        self.check()

    def test_three_workers(self):
        server = self.start_service(workers=3, threads=1)
        wait_until(lambda: len(server.cli('worker', 'list')['workers']) == 3, 'three workers register')
        server.cli(*self.arguments)
        self.check()

    def test_a_worker_without_the_servers_disk(self):
        server = self.start_service(workers=0)
        worker = RemoteWorker(server.address, self.path('remote'))
        self.addCleanup(worker.stop)
        server.cli(*self.arguments)
        self.check()
        fetched = service.files_below(self.path('remote', 'work'))
        self.assertTrue([path for path in fetched.values() if os.path.getsize(path) > 300_000], 'the checkpoint')
        self.assertFalse([name for name in fetched if name.startswith('tasks/')], 'what a task leaves behind')

    def test_a_worker_that_fetches_only_what_its_tasks_read(self):
        server = self.start_service(workers=0)
        first = RemoteWorker(server.address, self.path('first'))
        model = server.cli('model', 'upload', self.model)['name']
        first.stop()
        weights = service.digest(os.path.join(self.model, 'model.safetensors'))
        self.assertIn(weights, self.fetched('first'), 'who inspects reads all')
        self.addCleanup(RemoteWorker(server.address, self.path('second')).stop)
        server.cli(*self.arguments)
        self.check()
        fetched = self.fetched('second')
        self.assertNotIn(weights, fetched)
        pieces = server.cli('model', 'show', model)['info']['pieces']
        self.assertGreater(len(pieces), 5)
        named = {piece['piece']['digest']['sha256'] for piece in pieces}
        self.assertEqual(named - fetched, set(), 'all that tasks read, and kept')

    def fetched(self, name):
        return set(os.listdir(self.path(name, 'work', 'cache')))

    # --- crashes ---

    def kill_and_wait(self, pid):
        process = identify(pid)
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: is_gone(process), f'process {pid} is gone')

    def test_the_task_child_is_killed(self):
        server = self.start_service(stepping=True)
        server.cli('model', 'upload', self.model)
        client = server.begin(*self.arguments)
        job = client.job()
        stages = ('calibrate', 'evaluate')
        for stage in stages:
            self.kill_and_wait(server.freeze(job, stage))
        server.go_on()
        client.result()
        self.check()
        self.check_run_once(server, server.job(job))
        self.assertEqual(server.metrics()['bitwright_task_retries_total'], len(stages))

    def test_the_agent_is_killed(self):
        server = self.start_service(stepping=True)
        server.cli('model', 'upload', self.model)
        client = server.begin(*self.arguments)
        job = client.job()
        stages = ('profile', 'quantize')
        for stage in stages:
            child = identify(server.freeze(job, stage))
            agent = server.agents()[0]
            self.kill_and_wait(agent)
            wait_until(lambda child=child: is_gone(child), 'the child ends with its agent')
            wait_until(lambda agent=agent: [a for a in server.agents() if a != agent], 'the agent is started again')
        server.go_on()
        client.result()
        self.check()
        self.check_run_once(server, server.job(job))
        self.assertEqual(server.metrics()['bitwright_task_retries_total'], len(stages))

    def test_the_server_is_killed(self):
        server = self.start_service(stepping=True)
        server.cli('model', 'upload', self.model)
        client = server.begin(*self.arguments)
        job = client.job()
        for stage in ('profile', 'evaluate'):
            child = identify(server.freeze(job, stage))
            agent = identify(server.agents()[0])
            before = {shown['kind']: shown['finished'] for shown in server.job(job)['stages']}
            server.kill()
            wait_until(lambda: is_gone(agent) and is_gone(child), 'workers end with their server')
            server.start()
            after = {shown['kind']: shown['finished'] for shown in server.job(job)['stages']}
            for kind, finished in before.items():
                self.assertGreaterEqual(after[kind], finished, kind)
        server.go_on()
        client.result()
        self.check()
        self.assertEqual(server.metrics()['bitwright_lease_expiries_total'], 0, 'dead workers are not waited for')
        ran = server.tasks_run()
        for shown in server.job(job)['stages']:
            done = before.get(shown['kind'], 0)
            self.assertEqual(ran.get(shown['kind'], 0), shown['tasks'] - done, f'{shown}: {done} were done before')


if __name__ == '__main__':
    unittest.main(verbosity=2)
