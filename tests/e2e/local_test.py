"""A service for one command leaves nothing: no process and no file, however the command ends."""

import os
import signal
import unittest

import small_model
from service import Client, ServiceTest, descendants_of, files_below, is_gone, wait_until

INTERRUPTED = 130


class Local(ServiceTest):
    def setUp(self):
        super().setUp()
        self.model = small_model.write(self.path('model'))
        os.makedirs(self.path('temporary'))
        os.makedirs(self.path('runtime'), 0o700)

    def begin(self, *more):
        """A job in the background and all its processes: bitwrightd, the agent and its child."""
        client = Client('quantize', self.model, '--local', '--budget', '4.25bpw', *self.texts(size_bytes=16384), '-o',
                        self.path('out'), *more, TMPDIR=self.path('temporary'), XDG_RUNTIME_DIR=self.path('runtime'))
        client.wait_line('^calibrate: started')
        processes = wait_until(lambda: (found := descendants_of(client.process.pid)) and len(found) >= 3 and found,
                               'server, agent and child run')
        return client, processes

    def check_no_process(self, processes, seconds=20):
        wait_until(lambda: all(is_gone(process) for process in processes), f'{processes} are gone', seconds)

    def check_no_file(self):
        self.assertEqual(os.listdir(self.path('temporary')), [])
        self.assertEqual(os.listdir(self.path('runtime')), [])

    def test_a_whole_job(self):
        client, processes = self.begin()
        client.result()
        self.check_no_process(processes)
        self.check_no_file()
        self.assertEqual(sorted(os.listdir(self.path('out'))), ['model', 'report.html', 'report.json', 'report.txt'])

    def test_interrupted(self):
        for signal_number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(signal=signal_number):
                client, processes = self.begin()
                client.process.send_signal(signal_number)
                self.assertEqual(client.error().code, INTERRUPTED)
                # The command waits for its service: nothing is to be waited for here.
                self.assertTrue(all(is_gone(process) for process in processes))
                self.check_no_file()
                self.assertEqual(files_below(self.path('out')), {})

    def test_killed(self):
        client, processes = self.begin()
        client.process.kill()
        self.assertEqual(client.end(), -signal.SIGKILL)
        self.check_no_process(processes)

    def test_kept_data_is_reused(self):
        arguments = ['--keep-data-dir', self.path('kept')]
        client, processes = self.begin(*arguments)
        client.process.send_signal(signal.SIGINT)
        self.assertEqual(client.error().code, INTERRUPTED)
        self.check_no_process(processes)
        self.check_no_file()
        client = Client('quantize', self.model, '--local', '--budget', '4.25bpw', *self.texts(size_bytes=16384), '-o',
                        self.path('out'), *arguments, TMPDIR=self.path('temporary'))
        result = client.result()
        cached = {stage['kind']: stage['cached'] for stage in result['stages']}
        self.assertEqual(cached['tokenize'], 2)
        self.check_no_file()


if __name__ == '__main__':
    unittest.main(verbosity=2)
