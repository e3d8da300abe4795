"""Holds the locks to their annotations: clang 14's -Wthread-safety -Werror over every source that can lock.

Usage: thread_safety_test.py ROOT BUILD. Ends with 77, which ctest shows as skipped, where clang++-14 is not installed.
BUILD must be configured, and its generated headers must be there (CMake target proto_grpc). The analysis sees
absl::Mutex and what is annotated like it; a std::mutex is invisible to it, which is a violation of its own.
"""

import os
import re
import shutil
import sys

import compiled_sources
import source_tree

CLANG = compiled_sources.CLANG
LOCK = re.compile(r'\b(absl::Mutex\w*|ABSL_\w*(?:GUARDED_BY|LOCKS?_\w+|UNLOCK_FUNCTION)|std::\w*mutex'
                  r'|std::condition_variable|guarded_by|capability)\b')
INCLUDE = re.compile(r'^#include "([^"]+)"')
INVISIBLE = re.compile(r'\bstd::((recursive_|shared_|timed_|recursive_timed_)?mutex|condition_variable(_any)?)\b')
DIAGNOSTIC = re.compile(r'^([^:\s]+):(\d+):\d+: (?:fatal )?(?:warning|error): (.*)$')


def names_lock(root, path):
    return any(LOCK.search(text) for _, text in source_tree.lines(root, path))


def can_lock(root, path):
    """Whether the source or a header that it includes itself names a lock.

    What is guarded is private, so only members and their own sources can get it wrong, and these include the header.
    """
    headers = [match.group(1) for _, text in source_tree.lines(root, path) if (match := INCLUDE.match(text))]
    return names_lock(root, path) or any(
        os.path.isfile(os.path.join(root, header)) and names_lock(root, header) for header in headers)


def invisible_locks(root):
    errors = []
    for path in source_tree.files(root):
        if path.endswith(source_tree.CXX) and path.split('/')[0] in compiled_sources.PRODUCT:
            for number, text in source_tree.lines(root, path):
                if match := INVISIBLE.search(text.split('//')[0]):
                    errors.append(f'{path}:{number}: {match.group(0)} is invisible to the analysis; use absl::Mutex')
    return errors


def main():
    root, build = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    errors = invisible_locks(root)
    if not shutil.which(CLANG):
        if errors:
            source_tree.finish(errors)
        print(f'skipped: {CLANG} is not installed (package clang-14)')
        sys.exit(compiled_sources.SKIPPED)
    sources = [source for source in compiled_sources.product_sources(root, build) if can_lock(root, source.path)]

    def command(source, path):
        # Only the analysis is wanted: what else clang warns about is the business of the preset "clang".
        kept = [flag for flag in source.arguments if not flag.startswith(('-W', '-O', '-fsanitize'))]
        return [CLANG, '-fsyntax-only', *kept, '-Wno-everything', '-Wthread-safety', '-Werror', path]

    found = {}
    configuration = CLANG.encode() + b' -Wno-everything -Wthread-safety -Werror'
    for source, output in compiled_sources.check_all(root, build, 'thread_safety', sources, command, configuration):
        marked = [match for match in map(DIAGNOSTIC.match, output.splitlines()) if match]
        for path, line, what in (match.groups() for match in marked):
            full = os.path.normpath(os.path.join(source.directory, path))
            found[f'{os.path.relpath(full, root)}:{line}: {what}'] = None
        if not marked:
            errors.append(f'{source.path}:1: {CLANG} failed: {output.strip()[-500:]}')
    source_tree.finish(errors + list(found))


if __name__ == '__main__':
    main()
