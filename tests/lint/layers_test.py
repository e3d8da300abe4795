"""Holds every include to the architecture of layers.txt.

Usage: layers_test.py [ROOT]. Fails on
- an include of a folder or library that the folder's line does not grant, and on a folder without a line;
- cycles between folders, and any path from the server, the client or the numerics to what they must never see;
- heavy headers in a header, dnnl outside its one file;
- a line whose folder holds no file, and a grant that no include uses;
- a library whose CMake DEPS do not provide what its sources include, or that links a folder it may not include.
"""

import os
import re

import cmake_targets
import source_tree

# First part of an include → library.
LIBRARIES = {
    'grpcpp': 'grpc', 'grpc': 'grpc', 'google/protobuf': 'protobuf', 'dnnl': 'dnnl', 'dnnl.hpp': 'dnnl',
    'dnnl.h': 'dnnl', 'oneapi': 'dnnl', 'hwy': 'hwy', 'nlohmann': 'nlohmann', 'sqlite3.h': 'sqlite3',
    'prometheus': 'prometheus', 'CLI': 'CLI11', 'gmock': 'gtest', 'gtest': 'gtest', 'openssl': 'openssl',
    'pcre2.h': 'pcre2', 'unicode': 'icu', 'seccomp.h': 'seccomp', 'benchmark': 'benchmark',
    'kainjow': 'mustache', 'httplib.h': 'httplib',
}
# Libraries that no header may pull in; forward declarations (iosfwd, json_fwd.hpp) are light.
HEAVY = ('grpc', 'dnnl', 'nlohmann', 'sqlite3', 'prometheus', 'CLI11', 'gtest', 'hwy', 'mustache', 'httplib')
LIGHT_HEADERS = ('nlohmann/json_fwd.hpp',)
# header → why it may be heavy. "private": only sources of its own folder may include it.
HEAVY_HEADERS = {
    'workers/checkpoint/strict_json.h': 'private: the parsed value is what it gives, here and to workers/families and workers/import',
    'workers/targets/quantization_config.h': 'private: the JSON value is what it builds',
    'proto/transfer/grpc_calls.h': 'the call options of the stubs; its users hold the network anyway',
    'proto/transfer/interceptor_factory.h': 'private: a template over the interceptors of its folder',
    'proto/transfer/write_call.h': 'a call whose messages are gRPC\'s own; its users hold the network anyway',
    'server/observe/series.h': 'private: the series of one class, apart from what counts in them',
    'server/rpc/call_scope.h': 'private: one scope per callback reactor',
    'server/rpc/lease_call.h': 'private: a callback reactor',
    'server/rpc/read_stream.h': 'private: a callback reactor',
    'server/rpc/watch_reactor.h': 'private: a callback reactor',
    'server/rpc/watch_stream.h': 'private: a callback reactor',
    'server/rpc/wire.h': 'private: between messages and the bytes of gRPC',
    'server/rpc/write_stream.h': 'private: a callback reactor',
    'proto/contract/grpc_status.h': 'converts to and from grpc::Status; its users hold the network anyway',
}
# (folder, folder): may include the types of the other without linking it.
UNLINKED = {('workers/agent', 'workers/tasks'): 'main.cc hands in the function; the agent tests run without numerics'}
# Of the product: what tests speak to it with is their own matter.
ONE_FILE = {'dnnl': 'workers/kernels/cpu/gemm_onednn.cc', 'httplib': 'server/web/http_server.cc'}
# (from, to): no chain of allowed edges may lead from the first to the second.
NEVER = [
    ('server', 'workers'), ('server', 'client'), ('client', 'server'), ('client', 'workers'),
    ('workers', 'server'), ('workers', 'client'), ('proto', 'workers'), ('proto', 'server'), ('proto', 'client'),
    ('proto/contract', 'proto/grpc'),
]
# Folders of workers/ that may see a network; all others are numerics.
NETWORKED = ('workers', 'workers/agent')
INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')


class Layers:
    def __init__(self, root, path):
        self.path, self.folders, self.libraries, self.line, self.errors = path, {}, {}, {}, []
        for number, text in source_tree.lines(root, path):
            text = text.split('#')[0].strip()
            if not text:
                continue
            if ':' not in text:
                self.errors.append(f'{path}:{number}: expected "FOLDER: ..."')
                continue
            folder, grants = (part.strip() for part in text.split(':', 1))
            edges, _, libraries = grants.partition('|')
            if folder in self.folders:
                self.errors.append(f'{path}:{number}: {folder} has two lines')
            self.folders[folder], self.libraries[folder] = edges.split(), libraries.split()
            self.line[folder] = number

    def of(self, path):
        """The layer of a file or folder: the longest of its ancestors that has a line."""
        while path and path not in self.folders:
            path = os.path.dirname(path)
        # A line for a top-level folder covers its own files; folders below it need lines (tests and proto excepted).
        return path

    def reachable(self, start):
        seen, todo = set(), [start]
        while todo:
            for edge in self.folders.get(todo.pop(), []):
                if edge not in seen:
                    seen.add(edge)
                    todo.append(edge)
        return seen


def layer_of_file(layers, path):
    layer, folder = layers.of(path), os.path.dirname(path)
    if layer in ('workers', 'server', 'client') and folder != layer:
        return ''
    return layer


def target_of_include(layers, name):
    """('layer', folder), ('library', name) or None for what is free."""
    if re.fullmatch(r'(bitwright/v1|google/(rpc|bytestream)|keda|opentelemetry/proto(/\w+)*/v1)/[^/]+\.pb\.h', name):
        return ('layer', 'proto/grpc' if name.endswith('.grpc.pb.h') else 'proto')
    for prefix, library in LIBRARIES.items():
        if name == prefix or name.startswith(prefix + '/'):
            return ('library', library)
    if name.split('/')[0] in ('proto', 'workers', 'server', 'client', 'tests'):
        return ('layer', layers.of(os.path.dirname(name)))
    return None


def check_file(root, layers, path, tree):
    layer, errors = layer_of_file(layers, path), []
    if not layer:
        return [f'{path}:1: its folder has no line in {layers.path}']
    anything = '*' in layers.folders[layer]
    for number, text in source_tree.lines(root, path):
        match = INCLUDE.match(text)
        if not match:
            continue
        quoted, name, at = match.group(1) == '"', match.group(2), f'{path}:{number}'
        if quoted and '/' not in name and name not in LIBRARIES:
            errors.append(f'{at}: "{name}": includes are from the root')
            continue
        kind, target = target_of_include(layers, name) or (None, None)
        if kind == 'layer':
            if target in ('', 'workers', 'server', 'client'):
                errors.append(f'{at}: "{name}" stands in no folder of {layers.path}')
            elif not anything and target != layer and target not in layers.folders[layer]:
                errors.append(f'{at}: {layer} may not include {target} ("{name}")')
            private = HEAVY_HEADERS.get(name, '').startswith('private')
            folder = os.path.dirname(path)
            if private and folder != os.path.dirname(name) and folder not in HEAVY_HEADERS[name] and not anything:
                errors.append(f'{at}: "{name}" is for sources of {os.path.dirname(name)} only')
            if private and path.endswith('.h') and not anything and path not in HEAVY_HEADERS:
                errors.append(f'{at}: "{name}" is heavy and for sources only')
            if name.split('/')[0] in ('workers', 'server', 'client') and name not in tree:
                errors.append(f'{at}: "{name}" does not exist')
        elif kind == 'library':
            if not anything and target not in layers.libraries[layer]:
                errors.append(f'{at}: {layer} may not include {target} (<{name}>)')
            heavy = target in HEAVY and name not in LIGHT_HEADERS and path.endswith('.h')
            if heavy and not anything and path not in HEAVY_HEADERS:
                errors.append(f'{at}: <{name}> is too heavy for a header; keep it in the source (pimpl)')
            if ONE_FILE.get(target, path) != path and not path.startswith('tests/'):
                errors.append(f'{at}: only {ONE_FILE[target]} may include {target}')
    return errors


def check_graph(layers):
    errors = []
    for folder in layers.folders:
        at, reachable = f'{layers.path}:{layers.line[folder]}', layers.reachable(folder)
        if folder in reachable:
            errors.append(f'{at}: {folder} is part of a cycle')
        for edge in layers.folders[folder]:
            if edge != '*' and edge not in layers.folders:
                errors.append(f'{at}: {folder} names {edge}, which has no line')
        for start, end in NEVER:
            inside = folder == start or folder.startswith(start + '/')
            for hit in sorted(reachable):
                if inside and (hit == end or hit.startswith(end + '/')):
                    errors.append(f'{at}: {folder} must never reach {hit}')
        if folder.startswith('workers/') and folder not in NETWORKED:
            for below in sorted({folder} | reachable):
                for library in ('grpc', 'sqlite3', 'prometheus', 'openssl'):
                    if below.startswith('workers') and library in layers.libraries[below]:
                        errors.append(f'{at}: {folder} reaches {library} by {below}; numerics never see a network')
        if folder.startswith('server') and {'dnnl', 'hwy'} & set(layers.libraries[folder]):
            errors.append(f'{at}: {folder} names a numeric library; the server never sees a tensor')
    return errors


def check_grants(root, layers, paths):
    """Lines without files, grants without includes: the table says what is, not what may come."""
    errors, used, filled = [], {folder: set() for folder in layers.folders}, set()
    for path in paths:
        # What becomes code of the folder: sources, and for the contract its messages.
        if path.endswith('.proto'):
            filled |= {'proto', 'proto/grpc'}
        if not path.endswith(source_tree.CXX):
            continue
        layer = layer_of_file(layers, path)
        filled.add(layer)
        for _, text in source_tree.lines(root, path):
            match = INCLUDE.match(text)
            if layer in used and match:
                used[layer].add((target_of_include(layers, match.group(2)) or (None, None))[1])
    for folder in layers.folders:
        at = f'{layers.path}:{layers.line[folder]}'
        if folder not in filled:
            errors.append(f'{at}: {folder} has a line, but no code')
            continue
        for grant in layers.folders[folder] + layers.libraries[folder]:
            if grant != '*' and grant not in used[folder]:
                errors.append(f'{at}: {folder} may include {grant}, but does not: take the grant away')
    return errors


def public_closure(targets, names):
    seen, todo = set(), list(names)
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += targets[name].deps if name in targets else []
    return seen


def check_cmake(root, layers, paths):
    """DEPS of each library against its includes and against the allowed edges."""
    errors, calls = [], cmake_targets.calls(root, paths, 'bw_library')
    targets, at_folder = {target.name: target for target in calls}, {'proto': ['proto'], 'proto/grpc': ['proto_grpc']}
    for target in calls:
        at_folder.setdefault(target.folder, []).append(target.name)
    for target in calls:
        at, layer = f'{target.path}:{target.line}', layers.of(target.folder)
        if layer in ('', 'tests'):
            continue
        for dep in target.deps + target.private_deps:
            folder = layers.of(targets[dep].folder) if dep in targets else None
            if folder and folder != layer and folder not in layers.folders[layer]:
                errors.append(f'{at}: {target.name} links {dep}, which {layer} may not include')
        linked = public_closure(targets, [target.name] + target.private_deps)
        for source in target.sources:
            path = os.path.normpath(os.path.join(target.folder, source))
            if not os.path.isfile(os.path.join(root, path)):
                continue
            header = os.path.splitext(path)[0] + '.h'
            for file in [path] + ([header] if os.path.isfile(os.path.join(root, header)) else []):
                errors += check_linked(root, layers, target, file, at_folder, linked)
    return errors


def check_linked(root, layers, target, file, at_folder, linked):
    errors = []
    for number, text in source_tree.lines(root, file):
        match = INCLUDE.match(text)
        kind, included = (target_of_include(layers, match.group(2)) or (None, None)) if match else (None, None)
        if kind != 'layer' or included == layers.of(file) or (layers.of(file), included) in UNLINKED:
            continue
        if included in at_folder and not linked & set(at_folder[included]):
            errors.append(f'{file}:{number}: {target.name} ({target.path}:{target.line}) does not link {included}')
    return errors


def main():
    root = source_tree.root_from_arguments()
    paths = source_tree.files(root)
    layers = Layers(root, 'tests/lint/layers.txt')
    errors = layers.errors + check_graph(layers)
    if not layers.errors:
        for path in paths:
            if path.endswith(source_tree.CXX):
                errors += check_file(root, layers, path, set(paths))
        errors += check_cmake(root, layers, paths)
        errors += check_grants(root, layers, paths)
    source_tree.finish(errors)


if __name__ == '__main__':
    main()
