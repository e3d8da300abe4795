"""Holds names and leftovers to the rules: no vague file or folder names, no open ends, nothing stray at the top.

Usage: names_test.py [ROOT].
"""

import os
import re

import source_tree

VAGUE = {'util', 'utils', 'common', 'misc', 'helper', 'helpers', 'manager', 'impl'}
TOP = {'CMakeLists.txt', 'CMakePresets.json', 'Dockerfile', 'README.md', 'client', 'deploy', 'proto', 'server', 'tests',
       'workers'}
OPEN_ENDS = re.compile(r'\b(TO' r'DO|FIX' r'ME)\b')  # split: this file is searched, too
TEXT = ('.h', '.cc', '.cu', '.py', '.sh', '.txt', '.proto', '.textproto', '.md', '.cmake', '.yml', '.yaml')


def check_path(path):
    errors = []
    parts = path.split('/')
    if not parts[0].startswith('.') and parts[0] not in TOP:
        errors.append(f'{path}:1: {parts[0]} does not belong at the top')
    for part in parts:
        words = set(re.split(r'[._-]', part.lower()))
        if words & VAGUE:
            errors.append(f'{path}:1: "{part}" says nothing; name what it holds')
    return errors


def main():
    root = source_tree.root_from_arguments()
    errors = []
    for path in source_tree.files(root):
        errors += check_path(path)
        # Golden data is text that others wrote.
        if path.endswith(TEXT) and not path.startswith('tests/golden/'):
            for number, text in source_tree.lines(root, path):
                if OPEN_ENDS.search(text):
                    errors.append(f'{path}:{number}: an open end; do it, or open an issue')
    source_tree.finish(errors)


if __name__ == '__main__':
    main()
