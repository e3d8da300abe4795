"""Holds the failpoints to their table: each stands once in the sources, in the list of failpoint.cc, and in the README."""

import glob
import os
import re
import unittest

from schedule import all_points

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, '..', '..', '..')
LEAST = 20


def text_of(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def in_sources():
    """Every use, so that a name that is used twice is there twice."""
    found = []
    for side in ('proto', 'server', 'workers', 'client'):
        for path in glob.glob(os.path.join(ROOT, side, '**', '*.cc'), recursive=True):
            code = re.sub(r'(^|\s)//[^\n]*', '', text_of(path))
            found += re.findall(r'\bFailpoint\(\s*"([^"]+)"\)', code)
    return sorted(found)


class Failpoints(unittest.TestCase):
    def test_each_stands_once_in_the_sources(self):
        found = in_sources()
        self.assertEqual(found, sorted(set(found)))
        self.assertGreaterEqual(len(found), LEAST)

    def test_the_list_that_a_schedule_is_checked_against(self):
        code = text_of(os.path.join(ROOT, 'proto', 'base', 'failpoint.cc'))
        names = re.search(r'kNames\[\] = \{(.*?)\};', code, re.DOTALL).group(1)
        self.assertEqual(re.findall(r'"([^"]+)"', names), in_sources(), 'sorted')

    def test_the_table(self):
        rows = re.findall(r'^\| `([a-z_]+\.[a-z_]+)` \|(.*)\|$', text_of(os.path.join(HERE, 'README.md')), re.MULTILINE)
        self.assertEqual(sorted(name for name, _ in rows), in_sources())
        for name, cells in rows:
            self.assertTrue(cells.split('|')[-1].strip(), f'{name}: what does it prove?')

    def test_the_runs_draw_from_them(self):
        self.assertEqual(set(in_sources()) - all_points(), {'collection.unlink'}, 'which only a longer run reaches')
        self.assertEqual(all_points() - set(in_sources()), set())


if __name__ == '__main__':
    unittest.main(verbosity=2)
