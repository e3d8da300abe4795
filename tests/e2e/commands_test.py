"""Every command of every README: run here as it stands, or named with what runs it."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import unittest

from service import BIN, PATIENCE, ServiceTest, environment, free_port

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..'))
BLOCK = re.compile(r'^```sh\n(.*?)^```', re.DOTALL | re.MULTILINE)
JOB = 600  # seconds that a job on the sample may take on a busy machine

# File and first words of the blocks that are run here, in a folder in which build/, deploy/ and the rest are where they
# are in a checkout.
RUN_HERE = (
    ('README.md', 'build/bin/bitwright quantize'),
    ('README.md', 'build/bin/bitwrightd'),
    ('proto/recipes/README.md', 'build/bin/bitwright recipe show'),
)

# What runs the others, by the beginning of a command.
RUN_BY = {
    'deploy/quickstart.sh': 'a release, by hand; its parts are those of tests/run.sh and of the README\'s first job',
    'tests/run.sh': '.ci/run',
    'deploy/apt-install.sh': 'tests/run.sh',
    'cmake': 'tests/run.sh, in the preset "release"; the others a release, by hand',
    'ctest': 'tests/run.sh, in the preset "release"',
    'pre-commit': 'who contributes; what its hooks call is lint.format_test and lint.names_test',
    'pip': 'python.package_test',
    'deploy/install.sh': 'deploy.install_test',
    'docker': 'tests/deploy/packages_in_root.sh, by hand: the steps of the Dockerfile without docker',
    "BITWRIGHT='docker run": 'deploy.compose_test, with the command line itself',
    'cd deploy/compose': 'deploy.compose_test, in a copy of the folder',
    'export BITWRIGHT_SERVER=localhost:7071': 'deploy.compose_test, with the port that it has there',
    'bitwright doctor': 'deploy.compose_test',
    'helm install': 'deploy.chart_test renders the same; a cluster is not at hand',
    'sed -n 1p workers': 'deploy.keda_test makes the same files',
    'tests/deploy/packages_in_root.sh': 'a release, by hand, as root',
    'bitwright token new': 'e2e.access_test',
    'bitwright-worker --join': 'e2e.access_test',
    'cp -r deploy/grafana/provisioning/.': 'monitoring.monitoring_test reads what it copies',
    'cp deploy/grafana/dashboards/*.json': 'monitoring.monitoring_test reads what it copies',
    'mkdir': 'nothing: it makes a folder',
    'deploy/grafana/make_dashboards.py': 'monitoring.monitoring_test compares what it writes',
    'kubectl': 'who has a cluster; pipelines.argo_test checks what is applied',
    'promtool': 'monitoring.alerts_test',
    'prometheus': 'monitoring.monitoring_test',
    'BITWRIGHT_BIN=build/bin python3 tests/e2e/web_test.py': 'e2e.web_test',
    'BITWRIGHT_BIN=build/bin python3 tests/bench/web_paint.py': 'a release, by hand',
    'cd tests/consumers': 'consumers.llama_cpp',
    './plain_gguf.py': 'consumers.llama_cpp',
    './llama_mix.py': 'a release, by hand',
    'BITWRIGHT_BIN=build/bin python3 tests/e2e/chaos/chaos.py': 'e2e.chaos_test',
    'BITWRIGHT_BIN=build/bin python3 tests/e2e/soak.py': 'e2e.soak_test',
    'tests/fuzz/run.sh': 'fuzz.minute',
    'build/bench/job_table': 'a release, by hand',
    'build/bench/service_bench': 'e2e.service_bench_smoke, at a small size',
    'tests/field/make_inputs.py': 'field.models and field.texts',
}


def readmes():
    for folder, below, files in os.walk(ROOT):
        below[:] = sorted(name for name in below if not name.startswith(('.', 'build')))
        for name in sorted(files):
            if name.endswith('.md'):
                yield os.path.relpath(os.path.join(folder, name), ROOT)


def blocks():
    """(file, text of a block) of every block of shell commands."""
    for path in readmes():
        with open(os.path.join(ROOT, path), encoding='utf-8') as file:
            for block in BLOCK.findall(file.read()):
                yield path, block


def commands(block):
    """Its commands, each in one line."""
    joined = block.replace('\\\n', ' ')
    return [line.strip() for line in joined.splitlines() if line.strip() and not line.strip().startswith('#')]


def is_run_here(path, block):
    return any(path == file and block.startswith(begin) for file, begin in RUN_HERE)


class Readmes(ServiceTest):
    def checkout(self):
        """A folder that looks like a checkout that was built."""
        folder = self.path('checkout')
        os.makedirs(os.path.join(folder, 'build'))
        os.symlink(os.path.abspath(BIN), os.path.join(folder, 'build', 'bin'))
        for name in ('client', 'deploy', 'proto', 'tests'):
            os.symlink(os.path.join(ROOT, name), os.path.join(folder, name))
        return folder

    def run_block(self, folder, block, **variables):
        """Runs it by a shell that stops at the first failure; what it left running is ended."""
        shell = subprocess.Popen(['bash', '-euo', 'pipefail', '-c', block], cwd=folder, env=environment(**variables),
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
        output = []
        try:
            # A service that runs on keeps the pipe open, so the end of the shell is what is waited for.
            shell.wait(JOB)
        finally:
            with contextlib.suppress(ProcessLookupError):  # it left nothing
                os.killpg(shell.pid, signal.SIGTERM)
            output.append(shell.communicate(timeout=PATIENCE)[0])
        self.assertEqual(shell.returncode, 0, f'{block}\n{"".join(output)}')
        return output[0]

    def test_every_command_is_run_by_something(self):
        nowhere = []
        for path, block in blocks():
            if is_run_here(path, block):
                continue
            nowhere += [f'{path}: {command}' for command in commands(block)
                        if not any(re.match(re.escape(begin) + r'(\s|$)', command) for begin in RUN_BY)]
        self.assertEqual(nowhere, [], 'neither run here nor by what RUN_BY names')

    def test_nothing_is_named_that_no_readme_has(self):
        found = [command for _, block in blocks() for command in commands(block)]
        self.assertEqual([begin for begin in RUN_BY if not any(command.startswith(begin) for command in found)], [])
        for file, begin in RUN_HERE:
            self.assertTrue(any(is_run_here(path, block) for path, block in blocks() if path == file), (file, begin))

    def test_those_of_the_first_steps(self):
        folder = self.checkout()
        port = free_port()
        for path, block in blocks():
            if path != 'README.md' or not is_run_here(path, block):
                continue
            # Another port: one that is taken would be somebody else's service.
            block = block.replace('bitwrightd --data-dir', f'bitwrightd --listen 127.0.0.1:{port} --data-dir')
            text = self.run_block(folder, block.replace(':7071', f':{port}'))
            out = re.search(r'-o (\S+)', block).group(1)
            self.assertIn('Provenance', text)
            for name in ('report.txt', 'report.html', 'report.json'):
                self.assertTrue(os.path.exists(os.path.join(folder, out, name)), name)
            shutil.rmtree(os.path.join(folder, out))

    def test_those_that_ask_a_service(self):
        server = self.start_service(workers=0)
        folder = self.checkout()
        for path, block in blocks():
            if path != 'README.md' and is_run_here(path, block):
                self.run_block(folder, block, BITWRIGHT_SERVER=server.address)
        with open(os.path.join(folder, 'my.textproto'), encoding='utf-8') as file:
            self.assertIn('mixed-gptq', file.read())


if __name__ == '__main__':
    unittest.main()
