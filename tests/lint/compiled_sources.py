"""What the build compiles and how, from compile_commands.json; and running a checker over it, in parallel, remembered.

A result is remembered in the build folder under a digest of everything that it depends on: the source, every header of
the project, the flags, the checker's configuration. Only clean results are remembered.
"""

import concurrent.futures
import hashlib
import json
import os
import shlex
import subprocess
import sys
import time

import source_tree

SKIPPED = 77
PRODUCT = ('client', 'proto', 'server', 'workers')
# Warnings that GCC alone knows are named in the flags.
FOR_CLANG = ['-Wno-unknown-warning-option']


class Source:
    def __init__(self, path, arguments, directory):
        self.path, self.arguments, self.directory = path, arguments, directory


def product_sources(root, build):
    """Every compiled source of the product's folders (generated ones are not), sorted by path."""
    commands = os.path.join(build, 'compile_commands.json')
    if not os.path.isfile(commands):
        print(f'{commands} is missing: configure first')
        sys.exit(1)
    with open(commands, encoding='utf-8') as file:
        entries = json.load(file)
    found = {}
    for entry in entries:
        path = os.path.relpath(os.path.join(entry['directory'], entry['file']), root)
        if path.split(os.sep)[0] in PRODUCT:
            found[path] = Source(path, flags_of(entry), entry['directory'])
    if not found:
        print(f'{commands} names no source of {", ".join(PRODUCT)}')
        sys.exit(1)
    return [found[path] for path in sorted(found)]


def flags_of(entry):
    """The arguments of one compilation without compiler, output, input, -c and all of a precompiled header.

    So a source that lacks an include which the precompiled header happens to bring fails in a checker.
    """
    words = entry['arguments'] if 'arguments' in entry else shlex.split(entry['command'])
    flags, skip = [], True  # the first word is the compiler
    for word in words:
        if skip:
            skip = False
        elif word in ('-o', '-include'):
            skip = True
        elif word not in ('-c', entry['file'], '-Winvalid-pch', '-fpch-preprocess'):
            flags.append(word)
    return flags


def headers_digest(root, build):
    """Of all that a source may include from the project: headers, and what the protos become."""
    digest = hashlib.sha256()
    for path in source_tree.files(root):
        if path.endswith(('.h', '.proto')) and path.split('/')[0] in PRODUCT:
            with open(os.path.join(root, path), 'rb') as file:
                digest.update(path.encode() + b'\0' + hashlib.sha256(file.read()).digest())
    return digest.hexdigest()


def check_all(root, build, name, sources, command, configuration):
    """Runs command(source) on every source not known to be clean; returns what they printed, where they failed.

    name: of the folder of remembered results. configuration: bytes that results depend on besides the sources.
    """
    memory = os.path.join(build, 'lint', name)
    os.makedirs(memory, exist_ok=True)
    base = hashlib.sha256(configuration + headers_digest(root, build).encode())
    begun, failures, ran = time.monotonic(), [], 0

    def key(source):
        digest = base.copy()
        digest.update('\0'.join([source.path, *source.arguments]).encode())
        with open(os.path.join(root, source.path), 'rb') as file:
            digest.update(file.read())
        return os.path.join(memory, digest.hexdigest())

    def run(source):
        at = key(source)
        if os.path.exists(at):
            return source, None
        done = subprocess.run(command(source), cwd=source.directory, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            with open(at, 'wb'):
                pass
        return source, done

    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for source, done in pool.map(run, sources):
            ran += done is not None
            if done is not None and done.returncode != 0:
                failures.append((source, done.stdout + done.stderr))
    print(f'{len(sources)} sources, {ran} not known yet, {time.monotonic() - begun:.0f} s')
    return failures
