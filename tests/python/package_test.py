"""What is in the wheel, and how it is typed.

usage: package_test.py WHEEL_FOLDER
"""

import glob
import os
import subprocess
import sys
import tempfile
import unittest
import zipfile

import bitwright
from bitwright import types
from bitwright.v1 import jobs_pb2_grpc, reports_pb2

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
PACKAGE = os.path.join(ROOT, 'client', 'python')
WHEEL = glob.glob(os.path.join(sys.argv.pop(1), 'bitwright-*.whl'))[0]

# How programs that are checked themselves see it.
TYPED = '''
import asyncio
import pathlib
import bitwright

def wait(client: bitwright.Client) -> float:
    job: bitwright.Job = client.quantize(pathlib.Path('model'), ['4bpw', 4.5], calibration='sample', targets=['gguf'])
    report: bitwright.Report = job.wait(timeout=3.0).report
    return report.best.perplexity

async def go(client: bitwright.AsyncClient) -> list[bitwright.JobState]:
    job = await client.quantize('model', '12MB', evaluation=bitwright.Text('x', kind='text'))
    return [status.state async for status in job.watch()]
'''
WRONG = '''
import bitwright

def wait(client: bitwright.Client) -> None:
    client.quantize('model', 4, calibratoin='sample')
    client.quantize('model', 4, window='512')
    print(client.job('x').reprot)
'''


def mypy(folder, *arguments):
    config = os.path.join(PACKAGE, 'pyproject.toml')
    done = subprocess.run([sys.executable, '-m', 'mypy', '--config-file', config, '--cache-dir', '.cache', *arguments],
                          capture_output=True, text=True, check=False, cwd=folder)
    return done.stdout + done.stderr


class Wheel(unittest.TestCase):
    def test_what_is_in_it(self):
        names = zipfile.ZipFile(WHEEL).namelist()
        sources = os.listdir(os.path.join(PACKAGE, 'src', 'bitwright'))
        for name in [*sources, 'types.py', 'sample.txt', 'py.typed', 'v1/jobs_pb2.py', 'v1/jobs_pb2.pyi', 'v1/jobs_pb2_grpc.py']:
            if name not in ('v1', '__pycache__'):
                self.assertIn(f'bitwright/{name}', names)
        self.assertFalse([name for name in names if not name.startswith('bitwright')], 'it claims no other package')
        self.assertFalse([name for name in names if name.endswith('bytestream_pb2_grpc.py')])

    def test_nothing_generated_is_kept(self):
        listed = subprocess.run(['git', '-C', ROOT, 'ls-files', 'client/python'], capture_output=True, text=True, check=False)
        self.assertNotIn('_pb2', listed.stdout)
        self.assertNotIn('types.py\n', listed.stdout.replace('contract_types.py', ''))

    def test_a_source_distribution_builds_the_same(self):
        with tempfile.TemporaryDirectory() as work:
            run = [sys.executable, '-c', 'import sys, os; from hatchling.build import *; os.chdir(sys.argv[1]); '
                   'print((build_sdist if sys.argv[2] == "sdist" else build_wheel)(sys.argv[3]))']
            subprocess.run([*run, PACKAGE, 'sdist', work], check=True, capture_output=True)
            sdist = glob.glob(os.path.join(work, '*.tar.gz'))[0]
            subprocess.run(['tar', '-xf', sdist, '-C', work], check=True)
            subprocess.run([*run, sdist.removesuffix('.tar.gz'), 'wheel', work], check=True, capture_output=True)
            again = zipfile.ZipFile(glob.glob(os.path.join(work, '*.whl'))[0])
            first = zipfile.ZipFile(WHEEL)
            self.assertEqual(again.namelist(), first.namelist())
            for name in first.namelist():
                if name.startswith('bitwright/'):
                    self.assertEqual(again.read(name), first.read(name), name)

    def test_the_version_is_that_of_the_project(self):
        with open(os.path.join(ROOT, 'CMakeLists.txt'), encoding='utf-8') as file:
            self.assertIn(f'project(bitwright VERSION {bitwright.__version__} ', file.read())

    def test_it_is_strictly_typed(self):
        with tempfile.TemporaryDirectory() as work:
            zipfile.ZipFile(WHEEL).extractall(work)
            self.assertIn('Success: no issues found', mypy(work, '--strict', 'bitwright'))
            for name, text in (('typed.py', TYPED), ('wrong.py', WRONG)):
                with open(os.path.join(work, name), 'w', encoding='utf-8') as file:
                    file.write(text)
            self.assertIn('Success', mypy(work, '--strict', 'typed.py'))
            wrong = mypy(work, '--strict', 'wrong.py')
            for part in ('calibratoin', '"window"', '"reprot"', 'Found 3 errors'):
                self.assertIn(part, wrong)

    def test_comments_of_the_contract_are_docstrings(self):
        self.assertIn('nats', types.KlDivergence.__doc__)
        fields = {field.name for field in reports_pb2.Report.DESCRIPTOR.fields}
        self.assertEqual(fields, set(types.Report.__dataclass_fields__))
        self.assertTrue(hasattr(jobs_pb2_grpc, 'JobServiceStub'))


if __name__ == '__main__':
    unittest.main(verbosity=2)
