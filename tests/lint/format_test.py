"""Checks that every C++ file is as clang-format 14 writes it (other versions differ).

Usage: format_test.py [ROOT]. Ends with 77, which ctest shows as skipped, where clang-format-14 is not installed.
"""

import os
import shutil
import subprocess
import sys

import source_tree

SKIPPED = 77


def main():
    root = source_tree.root_from_arguments()
    if not shutil.which('clang-format-14'):
        print('skipped: clang-format-14 is not installed (package clang-format-14)')
        sys.exit(SKIPPED)
    paths = [os.path.join(root, path) for path in source_tree.files(root) if path.endswith(source_tree.CXX)]
    errors = []
    for first in range(0, len(paths), 100):
        run = subprocess.run(['clang-format-14', '--style=file', '--dry-run', '-Werror', *paths[first:first + 100]],
                             capture_output=True, text=True, check=False)
        marked = [line for line in run.stderr.splitlines() if '-Wclang-format-violations' in line]
        errors += [line.replace(root + '/', '').split(' error:')[0] + ' run clang-format-14 -i' for line in marked]
        if run.returncode and not marked:
            errors.append('clang-format-14: ' + run.stderr)
    source_tree.finish(errors)


if __name__ == '__main__':
    main()
