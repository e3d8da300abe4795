"""Every file of text_files.py is taken for what it is, or refused for its exact reason.

usage: texts_test.py RECOGNIZE_TEXT
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest

import text_files

RECOGNIZE = sys.argv.pop(1)


class Texts(unittest.TestCase):
    def test_each(self):
        with tempfile.TemporaryDirectory(prefix='bitwright-field-') as work:
            out = os.path.join(work, 'texts')
            names = text_files.make(out, None)
            done = subprocess.run([RECOGNIZE, *(os.path.join(out, name) for name in names)], capture_output=True,
                                  text=True, check=True)
        for name, line in zip(names, done.stdout.splitlines(), strict=True):
            expected = text_files.TEXTS[name][1]
            answer = json.loads(line)
            with self.subTest(name):
                self.assertEqual(answer.get('kind'), expected.get('kind'), answer)
                self.assertEqual(answer.get('reason'), expected.get('reason'), answer)
                for part in expected.get('names', []):
                    self.assertIn(part, answer['message'])


if __name__ == '__main__':
    unittest.main(verbosity=2)
