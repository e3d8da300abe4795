"""A service with a small model for the tests of the Python package, and what the C++ client says of the same."""

import json
import os
import shutil
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'e2e'))
import service  # noqa: E402
import small_model  # noqa: E402

BYTES = 2048  # of each text, a token each


class LiveTest(unittest.TestCase):
    """One service for all tests of a class."""

    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix='python-', dir='/tmp')
        cls.addClassCleanup(shutil.rmtree, cls.dir, ignore_errors=True)
        cls.server = service.Service(cls.path('service'), workers=1, threads=1)
        cls.addClassCleanup(cls.server.close)
        cls.address = cls.server.address
        cls.model_dir = small_model.write(cls.path('model'))
        cls.texts = cls.write_texts('')

    @classmethod
    def path(cls, *parts):
        return os.path.join(cls.dir, *parts)

    @classmethod
    def write_texts(cls, name):
        """Arguments of plan and quantize; other data for another name."""
        texts = {use: small_model.write_text(cls.path(f'{use}{name}.txt'), BYTES, use + name)
                 for use in ('calibration', 'evaluation')}
        return {**texts, 'window': 64, 'calibration_tokens': BYTES, 'evaluation_tokens': BYTES, 'sample_tokens': 4}

    @classmethod
    def options(cls, texts=None):
        """The same for the command line."""
        return [piece for name, value in (texts or cls.texts).items()
                for piece in ('--' + name.replace('_', '-'), str(value))]

    def assert_like_json(self, record, shown, place='report'):
        """Every number and word that the C++ client wrote as JSON is in the dataclass, and nothing else."""
        if isinstance(shown, dict) and isinstance(record, dict):
            self.assertEqual(record, shown, place)
        elif isinstance(shown, dict):
            for field, value in shown.items():
                self.assert_like_json(getattr(record, field + '_' * (field == 'lambda')), value, f'{place}.{field}')
        elif isinstance(shown, list):
            self.assertEqual(len(record), len(shown), place)
            for index, value in enumerate(shown):
                self.assert_like_json(record[index], value, f'{place}[{index}]')
        elif isinstance(record, int) and isinstance(shown, str):
            self.assertEqual(record, int(shown), place)  # 64-bit integers are strings in JSON
        else:
            self.assertEqual(getattr(record, 'name', record), shown, place)


def read_json(path):
    with open(path, encoding='utf-8') as file:
        return json.load(file)
