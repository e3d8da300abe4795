"""What a build of the wheel adds to src: modules generated from the contract (proto/), and the sample text.

Nothing generated is kept in the repository; a wheel cannot disagree with the .proto files that it was built beside.
"""

import os
import re
import runpy
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
# Of a checkout its top; of an unpacked source distribution the copy of what is needed of it.
ROOT = next(root for root in (os.path.join(HERE, 'contract'), os.path.join(HERE, '..', '..'))
            if os.path.isdir(os.path.join(root, 'proto', 'bitwright')))
SAMPLE_TEXT = os.path.join(ROOT, 'deploy', 'sample', 'mixed.txt')


def project_version():
    """The version, which the top CMakeLists.txt alone states."""
    with open(os.path.join(ROOT, 'CMakeLists.txt'), encoding='utf-8') as file:
        return re.search(r'project\(bitwright VERSION ([\d.]+)', file.read()).group(1)


def copy_protos(folder):
    """The contract as Python sees it. google.rpc comes from googleapis-common-protos, as every other package takes it.
    No package has google.bytestream: to keep clear of copies in other programs, its messages get a name of ours, and
    only the name of the service, which servers know, stays theirs."""
    v1 = os.path.join(folder, 'bitwright', 'v1')
    os.makedirs(v1)
    sources = os.path.join(ROOT, 'proto', 'bitwright', 'v1')
    found = [os.path.join(sources, name) for name in sorted(os.listdir(sources)) if name.endswith('.proto')]
    for path in [*found, os.path.join(ROOT, 'proto', 'google', 'bytestream', 'bytestream.proto')]:
        with open(path, encoding='utf-8') as file:
            text = file.read().replace('package google.bytestream;', 'package bitwright.bytestream;')
        with open(os.path.join(v1, os.path.basename(path)), 'w', encoding='utf-8') as file:
            file.write(text)
    return [f'bitwright/v1/{name}' for name in sorted(os.listdir(v1))]


def files_with_stubs(folder, files):
    """Those with a service; not that of google.bytestream, which goes by its own name on the wire."""
    def has_service(path):
        with open(os.path.join(folder, path), encoding='utf-8') as file:
            text = file.read()
        return '\nservice ' in text and 'package bitwright.v1;' in text
    return [path for path in files if has_service(path)]


def generate(out):
    """Writes the modules into `out`. Returns path below `out` → path in the wheel."""
    import grpc_tools
    from grpc_tools import protoc
    wanted = os.path.join(out, 'protos')
    files = copy_protos(wanted)
    includes = [wanted, os.path.join(ROOT, 'proto'), os.path.join(os.path.dirname(grpc_tools.__file__), '_proto')]
    descriptors = os.path.join(out, 'descriptors')
    run = ['protoc', *(f'-I{folder}' for folder in includes)]
    messages = [f'--python_out={out}', f'--pyi_out={out}', f'--descriptor_set_out={descriptors}', '--include_source_info']
    if protoc.main([*run, *messages, *files]) or protoc.main([*run, f'--grpc_python_out={out}', *files_with_stubs(wanted, files)]):
        raise RuntimeError('protoc failed; its message is above')
    types = runpy.run_path(os.path.join(HERE, 'contract_types.py'))
    with open(os.path.join(out, 'bitwright', 'types.py'), 'w', encoding='utf-8') as file:
        file.write(types['dataclasses_of'](descriptors))
    with open(os.path.join(out, 'bitwright', 'v1', '__init__.py'), 'w', encoding='utf-8') as file:
        file.write('"""The messages and stubs of the contract, as protoc generates them."""\n')
    made = ['bitwright/types.py', *(f'bitwright/v1/{name}' for name in os.listdir(os.path.join(out, 'bitwright', 'v1')))]
    return {os.path.join(out, path): path for path in made}


try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # who asks for the version alone needs no hatchling
    BuildHookInterface = object


class ContractModules(BuildHookInterface):
    """Adds to a wheel what is generated. To a source distribution nothing: it has what to generate from."""

    def initialize(self, version, build_data):
        if self.target_name != 'wheel':
            return
        self._out = tempfile.TemporaryDirectory(prefix='bitwright-wheel-')
        build_data['force_include'].update(generate(self._out.name))
        build_data['force_include'][SAMPLE_TEXT] = 'bitwright/sample.txt'

    def finalize(self, version, build_data, artifact_path):
        if self.target_name == 'wheel':
            self._out.cleanup()
