"""The Dockerfile's images by what it says, and their health checks on live programs."""

import json
import os
import re
import subprocess
import unittest

from chart import SOURCE, known_flags, read
from launch import ServiceTest, wait_until
from service import RemoteWorker

IMAGES = {'worker': 'bitwright-worker', 'worker-cuda': 'bitwright-worker', 'server': 'bitwrightd'}


def stages():
    """Instructions of each stage, continued lines joined."""
    text = re.sub(r'^#.*\n', '', read('Dockerfile'), flags=re.MULTILINE).replace('\\\n', ' ')
    found = {}
    for line in text.splitlines():
        word, _, rest = line.partition(' ')
        if word == 'FROM':
            base, name = re.fullmatch(r'(\S+) AS ([\w-]+)', rest).groups()
            found[name] = [('FROM', base)]
        elif word and found:  # before the first stage there are arguments alone
            found[name].append((word, rest))
    return found


def last(instructions, word):
    return [rest for name, rest in instructions if name == word][-1]


class Images(unittest.TestCase):
    def setUp(self):
        self.stages = stages()

    def test_they_are_small_and_without_rights(self):
        self.assertEqual(list(self.stages)[-1], 'server', 'that is what docker build makes by default')
        for name in IMAGES:
            with self.subTest(name):
                image = self.stages[name]
                self.assertEqual(image[0], ('FROM', 'run-cuda' if name == 'worker-cuda' else 'run'))
                self.assertRegex(last(image, 'USER'), r'^[1-9]\d+:[1-9]\d+$')
                self.assertNotIn('RUN', [word for word, _ in image], 'nothing is installed beside what both need')
                copied = [rest for word, rest in image if word == 'COPY']
                self.assertTrue(all('/src/build/bin/' in rest for rest in copied if rest.startswith('--from=build')))

    def test_with_cuda_all_images_hold_one_program(self):
        self.assertEqual(re.findall(r'^ARG (.*)$', read('Dockerfile'), re.MULTILINE), ['CUDA=OFF'])
        self.assertEqual(self.stages['build'], [('FROM', 'build-$CUDA')])
        for switch in ('OFF', 'ON'):
            self.assertIn(f'-DBITWRIGHT_CUDA={switch}', last(self.stages[f'build-{switch}'], 'RUN'))
        for name, stage in (('worker', 'build'), ('server', 'build'), ('worker-cuda', 'build-ON')):
            self.assertEqual({rest.split()[0] for word, rest in self.stages[name]
                              if word == 'COPY' and rest.startswith('--from')}, {f'--from={stage}'})
        bases = {base for base in (self.stages[name][0][1] for name in ('toolkit', 'libraries'))}
        versions = {re.fullmatch(r'nvidia/cuda:(\d+\.\d+)\.\d+-\w+-ubuntu[\d.]+', base).group(1) for base in bases}
        self.assertEqual(len(versions), 1, 'compiled with and run on one version')
        for stage in ('build-ON', 'run-cuda'):
            self.assertIn(f'/usr/local/cuda-{versions.copy().pop()}', last(self.stages[stage], 'COPY'))

    def test_the_libraries_are_those_that_the_worker_loads(self):
        copied = set(re.findall(r'/(lib\w+)\.so\.\d+', last(self.stages['run-cuda'], 'COPY')))
        loaded = set(re.findall(r'"(lib\w+)\.so\."', read('workers', 'kernels', 'cuda', 'cuda_libraries.cc')))
        self.assertEqual(loaded, {'libcublas', 'libcusolver'})
        # The others are what those two need, as readelf tells.
        self.assertEqual(copied, loaded | {'libcublasLt', 'libcusparse', 'libnvJitLink'})

    def test_what_is_copied_is_there(self):
        for instructions in self.stages.values():
            for word, rest in instructions:
                if word == 'COPY' and not rest.startswith('--from'):
                    for source in rest.split()[:-1]:
                        self.assertTrue(os.path.exists(os.path.join(SOURCE, source)), source)

    def test_programs_and_health_checks(self):
        for name, started in IMAGES.items():
            with self.subTest(name):
                image = self.stages[name]
                entry = json.loads(last(image, 'ENTRYPOINT'))
                self.assertEqual(entry[0], started)
                self.assertLessEqual({flag for flag in entry if flag.startswith('--')}, known_flags(started))
                check, = json.loads(last(image, 'HEALTHCHECK').partition('CMD ')[2])
                self.assertTrue(os.access(os.path.join(SOURCE, 'deploy', 'containers', check), os.X_OK))


class Health(ServiceTest):
    def check(self, name, argument):
        """Exit code."""
        return subprocess.run([os.path.join(SOURCE, 'deploy', 'containers', name), str(argument)], check=False,
                              capture_output=True, timeout=20).returncode

    def test_they_tell_whether_something_is_wrong(self):
        service = self.start_service(workers=0)
        port = service.metrics_address.rpartition(':')[2]
        self.assertEqual(self.check('server-health', port), 0)
        self.assertEqual(self.check('server-health', service.address.rpartition(':')[2]), 1, 'that is no page of metrics')
        worker = RemoteWorker(service.address, self.path('worker'))
        self.addCleanup(worker.stop)
        wait_until(lambda: self.check('worker-health', worker.process.pid) == 0, 'the worker is connected')
        service.stop()
        self.assertEqual(self.check('server-health', port), 1)
        wait_until(lambda: self.check('worker-health', worker.process.pid) == 1, 'the worker is alone')


if __name__ == '__main__':
    unittest.main(verbosity=2)
