"""What the tests of deploy/pipelines share: a live server with a small model, found as the installed program finds it."""

import contextlib
import os
import sys

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PIPELINES = os.path.join(SOURCE, 'deploy', 'pipelines')
for folder in (os.path.join(SOURCE, 'tests', 'e2e'), os.path.join(PIPELINES, 'shared')):
    sys.path.insert(0, folder)

import small_model  # noqa: E402 (the folders are known only now)
from bitwright_cli import Bitwright, Quantization  # noqa: E402
from service import ServiceTest, files_below, program, wait_until  # noqa: E402, F401


def folder_of(name):
    """That of a pipeline, whose modules can be imported from now on."""
    path = os.path.join(PIPELINES, name)
    sys.path.insert(0, path)
    return path


def lines_of(path):
    with open(path, encoding='utf-8') as file:
        return file.read().splitlines()


class PipelineTest(ServiceTest):
    """Each test has a service of its own; `bitwright` talks to it."""

    def setUp(self):
        super().setUp()
        self.server = self.start_service()
        self.set_variables(BITWRIGHT_SERVER=self.server.address, BITWRIGHT_PROGRAM=program('bitwright'))
        self.model = small_model.write(self.path('model'))

    def set_variables(self, **values):
        saved = {name: os.environ.get(name) for name in values}

        def restore():
            for name, value in saved.items():
                with contextlib.suppress(KeyError):
                    del os.environ[name]
                if value is not None:
                    os.environ[name] = value
        self.addCleanup(restore)
        os.environ.update(values)

    def wanted(self, name='', size_bytes=2048, **changes):
        """A job of a second, on texts of its own for each name; a long one with more bytes."""
        texts = self.texts(name, size_bytes)
        asked = {'model': self.model, 'calibration': [texts[1]], 'evaluation': [texts[3]], 'budget': '4.25bpw',
                 'options': texts[4:], **changes}
        return Quantization(**asked)

    def long(self, **changes):
        """A job that is still running when a test cancels it."""
        return self.wanted('long', 500_000, **changes)

    def impossible(self):
        """A job that is accepted, and fails."""
        _, bound, *recipe = self.bound_that_fails()
        wanted = self.wanted(budget='', max_kld=bound)
        wanted.options = [*wanted.options, *recipe]
        return wanted

    def assert_result(self, out):
        """A result folder whose artifact is what its checksums say."""
        for name in ('report.json', 'report.txt', 'model/config.json', 'model/model.safetensors', 'model/SHA256SUMS'):
            self.assertTrue(os.path.isfile(os.path.join(out, name)), name)

    def only_job(self):
        jobs = self.server.cli('job', 'list')['jobs']
        self.assertEqual(len(jobs), 1)
        return jobs[0]
