"""What the build compiles and how, from compile_commands.json; and running a checker over it, in parallel, remembered.

A result is remembered in the build folder under a digest of everything that it depends on: the source, every header of
the project, the flags, the checker's configuration. Only clean results are remembered.

A checker spends nearly all its time on the headers of libraries, so sources are read in batches: the texts of some of
them, one after the other, are one file, which is the main file to the checker, as a single source is. A batch that is
not clean is read again in smaller ones, at last source by source, so that whatever is found is found in one source.
"""

import concurrent.futures
import hashlib
import itertools
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time

import source_tree

SKIPPED = 77
PRODUCT = ('client', 'proto', 'server', 'workers')
CLANG = 'clang++-14'
# Warnings that GCC alone knows are named in the flags.
FOR_CLANG = ['-Wno-unknown-warning-option']
# Sources of a batch, and of those that it is read again in. More sizes cost more where a header is not clean.
SIZES = (12, 4, 1)
# What a source declares at the left margin. Most batches that do not compile have one such name twice.
DECLARED = re.compile(r'^(?!namespace)\w[^\n(=;{]*? [*&]*(\w+)(?: [={:]| final|[({;\[])', re.MULTILINE)
INCLUDE = re.compile(r'^#include "([^"]+)"', re.MULTILINE)
VARIABLE = re.compile(r'^extern [^"(]*?(\w+);', re.MULTILINE)


class Source:
    def __init__(self, path, arguments, precompiled, directory):
        self.path, self.arguments, self.precompiled, self.directory = path, arguments, precompiled, directory


def product_sources(root, build):
    """Every compiled source of the product's folders (generated ones are not), sorted by path. Not the kernels of CUDA:
    clang 14 knows that compiler's headers only up to version 11."""
    commands = os.path.join(build, 'compile_commands.json')
    if not os.path.isfile(commands):
        print(f'{commands} is missing: configure first')
        sys.exit(1)
    with open(commands, encoding='utf-8') as file:
        entries = json.load(file)
    found = {}
    for entry in entries:
        path = os.path.relpath(os.path.join(entry['directory'], entry['file']), root)
        if path.split(os.sep)[0] in PRODUCT and not path.endswith('.cu'):
            found[path] = Source(path, *flags_of(entry), entry['directory'])
    if not found:
        print(f'{commands} names no source of {", ".join(PRODUCT)}')
        sys.exit(1)
    return [found[path] for path in sorted(found)]


def flags_of(entry):
    """The arguments of one compilation without compiler, output, input, -c and all of a precompiled header; and that
    header's path, or None.

    A checker goes without it, so a source that lacks an include which that header happens to bring fails there.
    """
    words = entry['arguments'] if 'arguments' in entry else shlex.split(entry['command'])
    flags, precompiled = [], None
    # -Xclang: clang is told of a precompiled header, and of nothing else, by way of it.
    words = iter([word for word in words[1:] if word != '-Xclang'])
    for word in words:
        if word == '-include':
            precompiled = next(words)
        elif word in ('-o', '-include-pch'):
            next(words)
        elif word not in ('-c', entry['file'], '-Winvalid-pch', '-fpch-preprocess'):
            flags.append(word)
    return flags, precompiled


def headers_digest(root, build):
    """Of all that a source may include from the project: headers, and what the protos become."""
    digest = hashlib.sha256()
    for path in source_tree.files(root):
        if path.endswith(('.h', '.proto')) and path.split('/')[0] in PRODUCT:
            with open(os.path.join(root, path), 'rb') as file:
                digest.update(path.encode() + b'\0' + hashlib.sha256(file.read()).digest())
    return digest.hexdigest()


def included(source, path):
    """All that the file at path includes, directly or not, with the flags of the source."""
    listed = subprocess.run([CLANG, '-M', *source.arguments, *FOR_CLANG, path], cwd=source.directory,
                            capture_output=True, text=True, check=False)
    return frozenset(map(os.path.normpath, listed.stdout.replace('\\\n', ' ').split()[1:]))


def batches_of(root, sources, pool):
    """Lists of sources, of the same flags, that can be read as one file.

    The build finds what a source fails to include, except what its precompiled header brings. So of the headers in
    that one, each source of a batch includes all that those before it include: what it lacks is missing there, too.
    """
    users = {source.precompiled: source for source in sources if source.precompiled}
    hidden = {header: included(user, header) for header, user in users.items()}
    for header in hidden:
        if not hidden[header]:
            sys.exit(f'{header} cannot be read: configure first, and build the target proto_grpc')

    def reached_by(source):
        if not source.precompiled:
            return frozenset()
        return hidden[source.precompiled] & included(source, os.path.join(root, source.path))

    def text_of(path):
        if not os.path.isfile(os.path.join(root, path)):
            return ''
        with open(os.path.join(root, path), encoding='utf-8') as file:
            return file.read()

    def declared_by(source):
        text = text_of(source.path)
        # Behind the source that defines it, a variable of another source counts as initialized in time.
        variables = [VARIABLE.findall(text_of(header)) for header in INCLUDE.findall(text)]
        return set(DECLARED.findall(text)).union(*variables)

    reached = dict(zip(sources, pool.map(reached_by, sources)))
    declared = {source: declared_by(source) for source in sources}

    def fits(source, batch):
        return (len(batch) < SIZES[0] and source.precompiled == batch[-1].precompiled
                and source.arguments == batch[-1].arguments and reached[batch[-1]] <= reached[source]
                and not any(declared[source] & declared[other] for other in batch))

    batches = []
    for source in sorted(sources, key=lambda source: len(reached[source])):
        batch = next((batch for batch in batches if fits(source, batch)), None)
        if batch is None:
            batch = []
            batches.append(batch)
        batch.append(source)
    return batches


def check_all(root, build, name, sources, command, configuration):
    """Checks every source not known to be clean; returns (source, what was printed) of each that is not.

    name: of the folder of remembered results. command(source, path): checks the file at path, the source or a batch
    with its flags, and fails where it is not clean. configuration: bytes that results depend on besides the sources.
    """
    memory = os.path.join(build, 'lint', name)
    os.makedirs(memory, exist_ok=True)
    base = hashlib.sha256(configuration + headers_digest(root, build).encode())
    begun, runs = time.monotonic(), []

    def key(source):
        digest = base.copy()
        digest.update('\0'.join([source.path, *source.arguments]).encode())
        with open(os.path.join(root, source.path), 'rb') as file:
            digest.update(file.read())
        return os.path.join(memory, digest.hexdigest())

    def check(batch):
        paths = [os.path.join(root, source.path) for source in batch]
        with tempfile.NamedTemporaryFile(suffix='.cc') as joined:
            for path in paths:
                with open(path, 'rb') as file:
                    joined.write(file.read() + b'\n')
            joined.flush()
            words = command(batch[0], joined.name if len(batch) > 1 else paths[0])
            done = subprocess.run(words, cwd=batch[0].directory, capture_output=True, text=True, check=False)
        runs.append(batch)
        if done.returncode == 0:
            for source in batch:
                with open(keys[source], 'wb'):
                    pass
            return []
        if len(batch) == 1:
            return [(batch[0], done.stdout + done.stderr)]
        size = next(size for size in SIZES if size < len(batch))
        return [failure for at in range(0, len(batch), size) for failure in check(batch[at:at + size])]

    keys = {source: key(source) for source in sources}
    unknown = [source for source in sources if not os.path.exists(keys[source])]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(check, batches_of(root, unknown, pool)))
    print(f'{len(sources)} sources, {len(unknown)} not known yet, {len(runs)} runs, {time.monotonic() - begun:.0f} s')
    return sorted(itertools.chain(*found), key=lambda failure: failure[0].path)
