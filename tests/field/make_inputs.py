#!/usr/bin/env python3
"""Makes what people bring: every input of the tests in this folder.

usage: make_inputs.py OUT [--sample FOLDER]   (OUT must not exist; the sample is deploy/sample of this checkout)
"""

import argparse
import os

import model_folders
import text_files

HERE = os.path.dirname(os.path.abspath(__file__))
KINDS = {'models': model_folders.make, 'texts': text_files.make}  # folder below OUT → what makes its content; returns the names


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('out')
    parser.add_argument('--sample', default=os.path.join(HERE, '..', '..', 'deploy', 'sample'))
    arguments = parser.parse_args()
    for kind, make in KINDS.items():
        names = make(os.path.join(arguments.out, kind), arguments.sample)
        print(f'{len(names)} {kind} in {os.path.join(arguments.out, kind)}')


if __name__ == '__main__':
    main()
