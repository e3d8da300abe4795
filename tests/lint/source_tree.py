"""The files of a checkout, and how a lint reports what it found."""

import os
import subprocess
import sys

CXX = ('.h', '.cc')


def root_from_arguments():
    """The checkout: the first argument, else the folder two above this file."""
    if len(sys.argv) > 1:
        return os.path.abspath(sys.argv[1])
    return os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def files(root):
    """Paths relative to root, sorted: what git tracks or would add, or without git every file outside build folders."""
    if os.path.exists(os.path.join(root, '.git')):
        listed = subprocess.run(['git', '-C', root, 'ls-files', '-z', '--cached', '--others', '--exclude-standard'],
                                capture_output=True, check=False)
        if listed.returncode == 0:
            names = listed.stdout.decode().split('\0')
            return sorted({name for name in names if name and os.path.isfile(os.path.join(root, name))})
    found = []
    for folder, subfolders, names in os.walk(root):
        if folder == root:
            subfolders[:] = [name for name in subfolders if not name.startswith('build')]
        subfolders[:] = [name for name in subfolders if name not in ('.git', '__pycache__')]
        found += [os.path.relpath(os.path.join(folder, name), root) for name in names]
    return sorted(found)


def lines(root, path):
    """(number, text) of each line of a text file."""
    with open(os.path.join(root, path), encoding='utf-8', errors='replace') as file:
        return list(enumerate(file.read().splitlines(), 1))


def finish(errors):
    """Prints the errors ("file:line: what") and ends the program: 0 without any, else 1."""
    for error in errors:
        print(error)
    print(f'{len(errors)} violations' if errors else 'ok')
    sys.exit(1 if errors else 0)
