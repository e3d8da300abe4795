"""Runs clang-tidy 14 with the checks of .clang-tidy over every source of the product.

Usage: tidy_test.py ROOT BUILD [FOLDER ...]. With folders, only sources below these. Ends with 77, which ctest shows as
skipped, where clang-tidy-14 is not installed. BUILD must be configured, and its generated headers must be there (CMake
target proto_grpc). Fails, too, on a check that .clang-tidy turns off without a reason.
"""

import os
import re
import shutil
import sys

import compiled_sources
import source_tree

TIDY = 'clang-tidy-14'
DIAGNOSTIC = re.compile(r'^(/[^:]+):(\d+):\d+: (?:warning|error): (.*)$')


def unexplained(root):
    """The checks that the configuration turns off without a comment of their own."""
    with open(os.path.join(root, '.clang-tidy'), encoding='utf-8') as file:
        text = file.read()
    comments = [line for line in text.splitlines() if line.startswith('#')]
    off = re.findall(r'^\s+-([a-z][\w.*-]*),?$', text, re.MULTILINE)
    # A comment starts with the names: "# -NAME: why" or "# -NAME, -NAME: why".
    reasoned = {name for line in comments if re.match(r'# -\S+(, -\S+)*: \S', line)
                for name in re.findall(r'-([a-z][\w.*-]*)', line.split(': ')[0])}
    return ([f'.clang-tidy:1: {name} is off without a reason' for name in off if name not in reasoned]
            + [f'.clang-tidy:1: gives a reason for {name}, which is not off' for name in sorted(reasoned - set(off))])


def main():
    root, build = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    errors = unexplained(root)
    if errors:
        source_tree.finish(errors)
    if not shutil.which(TIDY):
        print(f'skipped: {TIDY} is not installed (package {TIDY})')
        sys.exit(compiled_sources.SKIPPED)
    sources = compiled_sources.product_sources(root, build)
    if sys.argv[3:]:
        folders = tuple(folder.rstrip('/') + '/' for folder in sys.argv[3:])
        sources = [source for source in sources if source.path.startswith(folders)]
    configured = os.path.join(root, '.clang-tidy')
    with open(configured, 'rb') as file:
        configuration = file.read()

    def command(source, path):
        return [TIDY, '--quiet', f'--config-file={configured}', path, '--', *source.arguments,
                *compiled_sources.FOR_CLANG]

    found = {}
    for source, output in compiled_sources.check_all(root, build, 'tidy', sources, command, configuration):
        marked = [match for match in map(DIAGNOSTIC.match, output.splitlines()) if match]
        for path, line, what in (match.groups() for match in marked):
            found[f'{os.path.relpath(path, root)}:{line}: {what}'] = None  # a header's is found by many sources
        if not marked:
            errors.append(f'{source.path}:1: {TIDY} failed: {output.strip()[-500:]}')
    source_tree.finish(errors + list(found))


if __name__ == '__main__':
    main()
