"""Holds names and leftovers to the rules.

Usage: names_test.py [ROOT]. Fails on
- vague names of files and folders, open ends, and what does not belong at the top;
- a namespace in server/, client/ or workers/ other than the side's own;
- a function of an *_errors.h that is not named ...Error, and an error made outside *_errors.cc;
- a source without a header of its name beside it, unless HEADERLESS says where it is declared;
- a clock read outside proto/base, unless CLOCKS says why;
- a second home of what ONCE says has one.
"""

import fnmatch
import os
import re

import source_tree

VAGUE = {'util', 'utils', 'common', 'misc', 'helper', 'helpers', 'manager', 'impl'}
TOP = {'CHANGELOG.md', 'CMakeLists.txt', 'CMakePresets.json', 'CONTRIBUTING.md', 'Dockerfile', 'LICENSE', 'README.md',
       'client', 'deploy', 'proto', 'server', 'tests', 'workers'}
OPEN_ENDS = re.compile(r'\b(TO' r'DO|FIX' r'ME)\b')  # split: this file is searched, too
TEXT = ('.h', '.cc', '.cu', '.py', '.sh', '.txt', '.proto', '.textproto', '.md', '.cmake', '.yml', '.yaml')
PRODUCT = ('client', 'proto', 'server', 'workers')
# The one namespace of each side; proto/ is `bitwright` and what it declares for its messages.
NAMESPACES = {'server': 'bitwright::server', 'client': 'bitwright::client', 'workers': 'bitwright::worker'}
# folder → the namespace below that of its side, and why.
DEEPER = {
    'workers/kernels/cuda': 'cuda',  # launchers have the plain names of the device's operations: Fill, Copy, Add
}
NAMESPACE = re.compile(r'^\s*(?:inline\s+)?namespace\s+([\w:]+)\s*\{(.*)$')
FORWARD = re.compile(r'(class|struct|enum(\s+class)?)\s+[\w:]+(\s*:\s*[\w:]+)?;')
# Pattern of sources → the header that declares what they define, and why it is not their own.
HEADERLESS = {
    '*/main.cc': ('', 'a program'),
    'proto/contract_headers.cc': ('', 'compiled for its precompiled header alone'),
    'client/api/client_*load.cc': ('client/api/client.h', 'the long calls of one class'),
    'client/api/client_operator.cc': ('client/api/client.h', 'the calls of operators'),
    'server/rpc/*_service.cc': ('server/rpc/services.h', 'one constructor each'),
    'server/web/*_page.cc': ('server/web/pages.h', 'one page each'),
    'server/web/*_pages.cc': ('server/web/pages.h', 'the pages of one subject'),
    'server/store/sqlite_*.cc': ('server/store/sqlite_transaction.h', 'the calls of one transaction by subject'),
    'workers/families/*.cc': ('workers/families/table.h', 'the entries of the table of families'),
    'workers/kernels/*/*.cc': ('workers/kernels/*.h', 'implementations of one kernel set'),
    'workers/tasks/*.cc': ('workers/tasks/kinds.h', 'one function for each kind'),
}
CLOCK = re.compile(r'\b(std::chrono::(?:system|steady|high_resolution)_clock|absl::Now)\b')
# File → why it reads or names a clock itself; all others take proto/base/clock.h.
CLOCKS = {
    'client/api/connection.cc': 'gRPC takes a deadline on the system clock',
    'proto/transfer/grpc_calls.h': 'gRPC takes a deadline on the system clock',
    'server/rpc/call_scope.cc': 'gRPC gives the deadline on the system clock',
    'server/rpc/rpc_server.cc': 'gRPC takes a deadline on the system clock',
    'server/web/job_watch.cc': 'gRPC takes a deadline on the system clock',
    'server/rpc/scaler_server.cc': 'gRPC takes a deadline on the system clock',
}
# What would begin a second implementation → the files that hold the only one.
ONCE = {
    r'\bRAND_bytes\b|\bgetrandom\b|\buuid_generate': ('proto/base/random_id.cc',),
    r'\bSetSerializationDeterministic\b': ('proto/base/message_bytes.cc',),
    r'\bv?fork\(|\bposix_spawnp?\(|\bexec(v|ve|vp|vpe|l|lp|le)\(': ('proto/base/process.cc',),
    r'\bByteStream::(NewStub|Stub)\b': ('proto/transfer/blob_reader.cc', 'proto/transfer/blob_upload.cc'),
    r'\b(class|struct) \w*(Retry|Backoff|BackOff)\w*': ('proto/transfer/retry_policy.h',),
    r'\b(class|struct) \w*(Cancel|Stop)(Token|Signal|Source)\b': ('proto/base/cancel_token.h',),
    r'\bgethostname\(': ('proto/base/host_name.cc',),
}
# Paths that others chose, by which their messages import each other.
FOREIGN_PATHS = ('proto/opentelemetry/',)
ERROR_MAKER = re.compile(r'\bMakeError\(')
DECLARATION = re.compile(r'^\s*(?:\[\[\w+\]\]\s*|inline\s+|constexpr\s+|static\s+)*[A-Za-z_][\w:<>,\s]*?[\s&*]+(\w+)\s*\(')


def check_path(path):
    errors = []
    parts = path.split('/')
    if not parts[0].startswith('.') and parts[0] not in TOP:
        errors.append(f'{path}:1: {parts[0]} does not belong at the top')
    for part in [] if path.startswith(FOREIGN_PATHS) else parts:
        words = set(re.split(r'[._-]', part.lower()))
        if words & VAGUE:
            errors.append(f'{path}:1: "{part}" says nothing; name what it holds')
    return errors


def code_lines(root, path):
    """(number, text) without comments; string literals are kept."""
    return [(number, re.sub(r'(^|\s)//.*', '', text)) for number, text in source_tree.lines(root, path)]


def only_forwards(lines, first, rest):
    """Whether the block that opens before `rest` of line index `first` holds forward declarations alone."""
    body, index = rest, first
    while '}' not in re.sub(r'\{[^{}]*\}', '', body) and index + 1 < len(lines):
        index += 1
        body += ' ' + lines[index][1].strip()
    inner = body.split('}')[0].strip()
    return bool(inner) and not FORWARD.sub('', inner).strip()


def check_namespaces(path, lines):
    own, errors = NAMESPACES.get(path.split('/')[0]), []
    if own is None:
        return errors
    for index, (number, text) in enumerate(lines):
        match = NAMESPACE.match(text)
        if not match or match.group(1).removesuffix('::HWY_NAMESPACE') in (own, 'HWY_NAMESPACE'):
            continue
        if match.group(1) in (DEEPER.get(os.path.dirname(path)), f'{own}::{DEEPER.get(os.path.dirname(path))}'):
            continue
        if not only_forwards(lines, index, match.group(2)):
            errors.append(f'{path}:{number}: namespace {match.group(1)}; in this folder it is {own}, never deeper')
    return errors


def check_errors(path, lines):
    errors, depth = [], 0
    if path.endswith('_errors.h'):
        for number, text in lines:
            match = DECLARATION.match(text) if depth == 0 and not text.lstrip().startswith('#') else None
            if match and not match.group(1).endswith('Error'):
                errors.append(f'{path}:{number}: {match.group(1)} makes an error; name it {match.group(1)}Error')
            depth += text.count('(') - text.count(')')
    elif not path.endswith('_errors.cc') and not path.startswith('proto/base/errors.'):
        errors += [f'{path}:{number}: an error without a name; give it a constructor in an *_errors.h'
                   for number, text in lines if ERROR_MAKER.search(text)]
    return errors


def check_header(path, paths):
    if os.path.splitext(path)[0] + '.h' in paths:
        return []
    for pattern, (header, _) in HEADERLESS.items():
        if fnmatch.fnmatch(path, pattern) and (not header or fnmatch.filter(paths, header)):
            return []
    return [f'{path}:1: has no header of its name, and HEADERLESS of names_test.py gives none']


def check_tables(paths):
    """Entries of the tables that no file needs any more."""
    this = 'tests/lint/names_test.py'
    if this not in paths:
        return []
    bare = [path for path in paths if path.endswith('.cc') and path.split('/')[0] in PRODUCT
            and os.path.splitext(path)[0] + '.h' not in paths]
    return ([f'{this}:1: HEADERLESS names {pattern}, which no source needs'
             for pattern in HEADERLESS if not fnmatch.filter(bare, pattern)]
            + [f'{this}:1: CLOCKS names {path}, which does not exist' for path in CLOCKS if path not in paths]
            + [f'{this}:1: ONCE names {path}, which does not exist'
               for homes in ONCE.values() for path in homes if path not in paths])


def check_once(path, lines):
    return [f'{path}:{number}: {match.group(0)}: use what {homes[0]} has' for pattern, homes in ONCE.items()
            if path not in homes for number, text in lines if (match := re.search(pattern, text))]


def check_source(root, path, paths):
    lines = code_lines(root, path)
    errors = check_namespaces(path, lines) + check_errors(path, lines) + check_once(path, lines)
    if path.endswith('.cc'):
        errors += check_header(path, paths)
    if not path.startswith('proto/base/') and path not in CLOCKS:
        for number, text in lines:
            if match := CLOCK.search(text):
                errors.append(f'{path}:{number}: {match.group(1)}; take a clock of proto/base/clock.h')
    return errors


def main():
    root = source_tree.root_from_arguments()
    paths = set(source_tree.files(root))
    errors = check_tables(paths)
    for path in sorted(paths):
        errors += check_path(path)
        if path.endswith(source_tree.CXX) and path.split('/')[0] in PRODUCT:
            errors += check_source(root, path, paths)
        # Golden data is text that others wrote.
        if path.endswith(TEXT) and not path.startswith('tests/golden/'):
            for number, text in source_tree.lines(root, path):
                if OPEN_ENDS.search(text):
                    errors.append(f'{path}:{number}: an open end; do it, or open an issue')
    source_tree.finish(errors)


if __name__ == '__main__':
    main()
