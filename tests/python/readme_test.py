"""The README of the package stays true: its blocks are run, one after the other, as a notebook would run them; and its
tables list all that there is, and nothing else."""

import ast
import asyncio
import contextlib
import dataclasses
import inspect
import io
import os
import re
import unittest

import bitwright
import live
from live import LiveTest

README = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'client', 'python', 'README.md')
ADDRESS = '"127.0.0.1:7071"'


def text():
    with open(README, encoding='utf-8') as file:
        return file.read()


def blocks(with_transformers):
    """Blocks of Python, in order: those that need transformers, or those that do not."""
    found = re.findall(r'^```python\n(.*?)^```$', text(), re.DOTALL | re.MULTILINE)
    return [block for block in found if ('bitwright.transformers' in block) == with_transformers]


def run(block, names, loop):
    """With `await` at the top, as a cell of a notebook."""
    code = compile(block, 'README.md', 'exec', ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    made = eval(code, names)
    if inspect.iscoroutine(made):
        loop.run_until_complete(made)


@contextlib.contextmanager
def folder_of_readme(test, model):
    """The files that the README names, in the working folder. Their texts are small."""
    before = os.getcwd()
    os.makedirs(test.path('readme', 'models'))
    os.symlink(os.path.abspath(model), test.path('readme', 'models', 'llama'))
    for use in ('calibration', 'evaluation'):
        live.small_model.write_text(test.path('readme', f'{use}.txt'), 4096, use)
    os.chdir(test.path('readme'))
    try:
        yield
    finally:
        os.chdir(before)


class Blocks(LiveTest):
    def test_all_run(self):
        names, printed = {}, io.StringIO()
        loop = asyncio.new_event_loop()
        self.addCleanup(loop.close)
        with folder_of_readme(self, self.model_dir), contextlib.redirect_stdout(printed):
            for block in blocks(with_transformers=False):
                try:
                    run(block.replace(ADDRESS, repr(self.address)), names, loop)
                except Exception as error:
                    raise AssertionError(f'this block of the README fails:\n{block}') from error
            loop.run_until_complete(names['async_client'].close())
            names['client'].close()
        for expected in ('SUCCEEDED 100%', 'gptq-6bpw', 'BUDGET_BELOW_SMALLEST_PLAN budget', 'what to do: give at least',
                         'job 1.0 of 1.0'):
            self.assertIn(expected, printed.getvalue())
        self.assertTrue(os.path.isfile(self.path('readme', 'out', 'gptq-5bpw', 'model.safetensors')))

    def test_ten_lines_are_ten(self):
        install = re.search(r'^```sh\n(.*?)^```$', text(), re.DOTALL | re.MULTILINE)[1]
        lines = [line for line in (install + blocks(with_transformers=True)[0]).splitlines() if line.strip()]
        self.assertLessEqual(len(lines), 10)


class Tables(unittest.TestCase):
    def spans(self, heading):
        """Names in code spans of the first column of a table."""
        table = re.search(r'^\| ' + re.escape(heading) + r' \|.*?\n\n', text(), re.DOTALL | re.MULTILINE)[0]
        cells = [row.split('|')[1] for row in table.splitlines()[2:] if row]
        return [name for cell in cells for name in re.findall(r'`(?:Client\.)?([A-Za-z_]\w*)', cell)]

    def test_calls(self):
        for kind in (bitwright.Client, bitwright.Job, bitwright.Artifact):
            public = {name for base in kind.__mro__[:-1] for name in vars(base) if not name.startswith('_')}
            if kind is bitwright.Artifact:
                public |= {'job', 'index', 'name'}
            listed = self.spans(f'of `{kind.__name__}`')
            self.assertEqual(set(listed) - {kind.__name__}, public)
            for call in re.findall(r'`(?:Client\.)?(\w+)\(([^)]*)\)`', text()):
                self.check_arguments(kind, *call)

    def check_arguments(self, kind, name, arguments):
        function = kind if name == kind.__name__ else getattr(kind, name, None)
        if not callable(function):
            return
        known = inspect.signature(function).parameters
        for argument in re.findall(r'(\w+)=?(?:,|$)', arguments):
            if argument != '…' and argument not in known:
                self.assertNotIn(f'`{name}({arguments})`', text(), f'{kind.__name__}.{name} has no argument {argument}')

    def test_options(self):
        self.assertEqual(sorted(self.spans('option')), sorted(bitwright.JobOptions.__annotations__))

    def test_errors(self):
        classes = {name for name in bitwright.__all__ if name.endswith('Error')}
        self.assertEqual(set(self.spans('class')), classes)

    def test_progress_and_text(self):
        self.assertEqual({field.name for field in dataclasses.fields(bitwright.Progress)}, {'phase', 'done', 'total', 'text'})
        fields = ', '.join(f'{field.name}=' if n else field.name for n, field in enumerate(dataclasses.fields(bitwright.Text)))
        self.assertIn(f'bitwright.Text({fields})', text())


if __name__ == '__main__':
    unittest.main(verbosity=2)
