"""Every folder of model_folders.py is accepted with its notices, or refused for its exact reason.

usage: models_test.py INSPECT_FOLDER
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest

import model_folders

INSPECT = sys.argv.pop(1)
SAMPLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'deploy', 'sample')


class Models(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = tempfile.TemporaryDirectory(prefix='bitwright-field-')
        out = os.path.join(cls.work.name, 'models')
        names = model_folders.make(out, SAMPLE)
        done = subprocess.run([INSPECT, *(os.path.join(out, name) for name in names)], capture_output=True, text=True,
                              check=True)
        cls.answers = dict(zip(names, map(json.loads, done.stdout.splitlines()), strict=True))

    @classmethod
    def tearDownClass(cls):
        cls.work.cleanup()

    def test_refused(self):
        for name, (_, expected) in model_folders.FOLDERS.items():
            if 'reason' not in expected:
                continue
            with self.subTest(name):
                error = self.answers[name].get('error', {})
                self.assertEqual(error.get('reason'), expected['reason'], self.answers[name])
                for part in expected['names']:
                    self.assertIn(part, error['message'])

    def test_accepted(self):
        plain = self.answers['plain']['info']
        for name, (_, expected) in model_folders.FOLDERS.items():
            if 'reason' in expected:
                continue
            with self.subTest(name):
                self.assertIn('info', self.answers[name], self.answers[name])
                info = self.answers[name]['info']
                self.assertEqual([notice['reason'] for notice in info['notices']], expected['notices'])
                self.assertEqual(info['tied_embeddings'], expected.get('tied', info['tied_embeddings']))
                for carried in expected.get('carried', []):
                    self.assertIn(carried, info['carried_files'])
                if expected.get('like_plain'):
                    for field in ('parameters', 'tensor_bytes', 'targets', 'files', 'carried_files', 'kept'):
                        self.assertEqual(info[field], plain[field], field)

    def test_only_the_model_is_counted(self):
        for name, answer in self.answers.items():
            if 'info' not in answer:
                continue
            folder = os.path.join(self.work.name, 'models', name)
            size = sum(os.path.getsize(os.path.join(folder, path)) for path in answer['info']['files'])
            self.assertEqual(int(answer['info']['model_bytes']), size, name)


if __name__ == '__main__':
    unittest.main(verbosity=2)
