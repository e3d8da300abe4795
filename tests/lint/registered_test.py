"""Proves that no test is forgotten.

Usage: registered_test.py [ROOT [BUILD]]. Fails when
- a *_test.cc below tests/ stands in no bw_test of its folder, or holds no TEST;
- a *_test.py or *_test.sh below tests/ is named in no CMakeLists.txt of its folder or of one above;
- a source outside tests/ is named in no CMakeLists.txt: code that nothing builds;
- a bw_test's program is unknown to ctest (needs BUILD; ctest tells it from the build's own files).
"""

import json
import os
import re
import subprocess
import sys

import cmake_targets
import source_tree


def check_sources(root, paths):
    registered = set()
    for target in cmake_targets.calls(root, paths, 'bw_test'):
        registered |= {os.path.normpath(os.path.join(target.folder, source)) for source in target.sources}
    errors = []
    for path in paths:
        if not (path.startswith('tests/') and path.endswith('_test.cc')):
            continue
        if path not in registered:
            errors.append(f'{path}:1: stands in no bw_test of {os.path.dirname(path)}/CMakeLists.txt')
        text = '\n'.join(text for _, text in source_tree.lines(root, path))
        if not re.search(r'^\s*(TYPED_)?TEST(_F|_P)?\(|_TEST_SUITE_P\(', text, re.MULTILINE):
            errors.append(f'{path}:1: holds no TEST')
    return errors


def named_above(root, path, stem):
    """Whether the CMakeLists.txt of the file's folder or of one above names `stem`."""
    folder = os.path.dirname(path)
    while folder:
        lists = os.path.join(root, folder, 'CMakeLists.txt')
        if os.path.isfile(lists):
            with open(lists, encoding='utf-8') as file:
                text = file.read()
            if re.search(r'\b' + re.escape(stem) + r'(?!\w)', text):
                return True
        folder = os.path.dirname(folder)
    return False


def check_scripts(root, paths):
    # By their stems: lints and their like are registered by a loop.
    return [f'{path}:1: is named in no CMakeLists.txt'
            for path in paths
            if path.startswith('tests/') and path.endswith(('_test.py', '_test.sh'))
            and not named_above(root, path, os.path.splitext(os.path.basename(path))[0])]


def check_built(root, paths):
    return [f'{path}:1: is named in no CMakeLists.txt: nothing builds it'
            for path in paths
            if path.endswith('.cc') and not path.startswith('tests/')
            and not named_above(root, path, os.path.basename(path))]


def check_ctest(root, paths, build):
    listed = subprocess.run(['ctest', '--show-only=json-v1'], cwd=build, capture_output=True, check=True)
    tests = json.loads(listed.stdout)['tests']
    # gtest_discover_tests names a program that is not built yet NAME_NOT_BUILT: that entry fails when run.
    known = {test['name'].removesuffix('_NOT_BUILT') for test in tests if test['name'].endswith('_NOT_BUILT')}
    known |= {os.path.basename(test['command'][0]) for test in tests if test.get('command')}
    return [f'{target.path}:{target.line}: ctest knows no test of {target.name}'
            for target in cmake_targets.calls(root, paths, 'bw_test') if target.name not in known]


def main():
    root = source_tree.root_from_arguments()
    paths = source_tree.files(root)
    errors = check_sources(root, paths) + check_scripts(root, paths) + check_built(root, paths)
    if len(sys.argv) > 2:
        errors += check_ctest(root, paths, sys.argv[2])
    source_tree.finish(errors)


if __name__ == '__main__':
    main()
