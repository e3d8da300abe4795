"""Proves that the lints see: plants one violation at a time in a small tree and expects it by file and line.

Usage: planted_test.py.
"""

import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))

CLEAN = {
    'CMakeLists.txt': 'project(x)\n',
    '.clang-format': 'BasedOnStyle: Google\nColumnLimit: 120\n',
    'tests/lint/layers.txt': 'proto:\nproto/grpc:\nproto/contract: proto | grpc\n'
                             'workers/base: proto/contract\n'
                             'workers/tensor: workers/base proto/contract\n'
                             'workers/kernels: workers/tensor | dnnl\n'
                             'server/store: proto/contract | sqlite3\n'
                             'client/api: proto/contract\n'
                             'tests: *\n',
    'proto/contract/CMakeLists.txt': 'bw_library(contract SOURCES errors.cc)\n',
    'proto/contract/errors.cc': '#include "proto/contract/errors.h"\n',
    'proto/contract/errors.h': '#pragma once\n',
    'workers/base/CMakeLists.txt': 'bw_library(base SOURCES files.cc DEPS contract)\n',
    'workers/base/files.cc': '#include "workers/base/files.h"\n\n#include "proto/contract/errors.h"\n',
    'workers/base/files.h': '#pragma once\n',
    'workers/tensor/CMakeLists.txt': 'bw_library(tensor SOURCES tensor.cc DEPS base)\n',
    'workers/tensor/tensor.cc': '#include "workers/base/files.h"\n',
    'workers/tensor/tensor.h': '#pragma once\n',
    'server/store/CMakeLists.txt': 'bw_library(store SOURCES store.cc)\n',
    'server/store/store.cc': '#include <sqlite3.h>\n',
    'client/api/CMakeLists.txt': 'bw_library(client_api SOURCES api.cc DEPS contract)\n',
    'client/api/api.cc': '#include "proto/contract/errors.h"\n',
    'tests/unit/CMakeLists.txt': 'bw_test(files_test SOURCES files_test.cc DEPS base)\n',
    'tests/unit/files_test.cc': '#include "workers/base/files.h"\n\nTEST(Files, Read) {}\n',
}

# lint, file → content, what the lint must say
PLANTED = [
    ('layers', {'workers/base/files.h': '#pragma once\n\n#include "workers/tensor/tensor.h"\n'},
     'workers/base/files.h:3: workers/base may not include workers/tensor'),
    ('layers', {'workers/base/files.cc': '#include "server/store/store.h"\n'},
     'workers/base/files.cc:1: workers/base may not include server/store'),
    ('layers', {'server/store/store.cc': '#include "workers/tensor/tensor.h"\n'},
     'server/store/store.cc:1: server/store may not include workers/tensor'),
    ('layers', {'client/api/api.cc': '#include "server/store/store.h"\n'},
     'client/api/api.cc:1: client/api may not include server/store'),
    ('layers', {'workers/tensor/tensor.cc': '\n#include <grpcpp/grpcpp.h>\n'},
     'workers/tensor/tensor.cc:2: workers/tensor may not include grpc'),
    ('layers', {'workers/tensor/tensor.cc': '#include "bitwright/v1/jobs.pb.h"\n'},
     'workers/tensor/tensor.cc:1: workers/tensor may not include proto'),
    ('layers', {'server/store/store.h': '#pragma once\n#include <sqlite3.h>\n'},
     'server/store/store.h:2: <sqlite3.h> is too heavy for a header'),
    ('layers', {'workers/kernels/gemm.cc': '#include <dnnl.hpp>\n'},
     'workers/kernels/gemm.cc:1: only workers/kernels/cpu/gemm_onednn.cc may include dnnl'),
    ('layers', {'workers/odd/odd.cc': ''}, 'workers/odd/odd.cc:1: its folder has no line'),
    ('layers', {'workers/base/files.cc': '#include "files.h"\n'}, 'includes are from the root'),
    ('layers', {'workers/base/files.cc': '#include "workers/base/gone.h"\n'}, '"workers/base/gone.h" does not exist'),
    ('layers', {'tests/lint/layers.txt': 'a: b\nb: a\n'}, 'tests/lint/layers.txt:1: a is part of a cycle'),
    ('layers', {'tests/lint/layers.txt': 'server/a: proto/b\nproto/b: workers/c\nworkers/c:\n'},
     'tests/lint/layers.txt:1: server/a must never reach workers/c'),
    ('layers', {'tests/lint/layers.txt': 'workers/a: workers/b\nworkers/b: | grpc\n'},
     'tests/lint/layers.txt:1: workers/a reaches grpc by workers/b'),
    ('layers', {'workers/tensor/CMakeLists.txt': 'bw_library(tensor SOURCES tensor.cc)\n'},
     'workers/tensor/tensor.cc:1: tensor (workers/tensor/CMakeLists.txt:1) does not link workers/base'),
    ('layers', {'workers/base/CMakeLists.txt': '\nbw_library(base SOURCES files.cc DEPS contract tensor)\n'},
     'workers/base/CMakeLists.txt:2: base links tensor, which workers/base may not include'),
    ('names', {'workers/base/file_util.cc': ''}, 'workers/base/file_util.cc:1: "file_util.cc" says nothing'),
    ('names', {'workers/common/a.cc': ''}, 'workers/common/a.cc:1: "common" says nothing'),
    ('names', {'notes.txt': ''}, 'notes.txt:1: notes.txt does not belong at the top'),
    ('names', {'workers/base/files.cc': '\n// TO' 'DO: later\n'}, 'workers/base/files.cc:2: an open end'),
    ('registered', {'tests/unit/other_test.cc': 'TEST(A, B) {}\n'}, 'tests/unit/other_test.cc:1: stands in no bw_test'),
    ('registered', {'tests/unit/files_test.cc': 'int x;\n'}, 'tests/unit/files_test.cc:1: holds no TEST'),
    ('registered', {'tests/e2e/whole_test.sh': ''}, 'tests/e2e/whole_test.sh:1: is named in no CMakeLists.txt'),
    ('registered', {'workers/base/threads.cc': ''}, 'workers/base/threads.cc:1: is named in no CMakeLists.txt'),
    ('format', {'workers/base/files.cc': '\nint   x;\n'}, 'workers/base/files.cc:2:4: run clang-format-14'),
]


def run(lint, tree):
    with tempfile.TemporaryDirectory() as root:
        for path, content in tree.items():
            full = os.path.join(root, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, 'w', encoding='utf-8') as file:
                file.write(content)
        done = subprocess.run([sys.executable, os.path.join(HERE, lint + '_test.py'), root], capture_output=True,
                              text=True, check=False)
        return done.returncode, done.stdout + done.stderr


class Planted(unittest.TestCase):
    def test_a_clean_tree_passes(self):
        for lint in ('layers', 'names', 'registered', 'format'):
            with self.subTest(lint):
                code, output = run(lint, CLEAN)
                self.assertIn(code, (0, 77) if lint == 'format' else (0,), output)

    def test_every_planted_violation_is_named(self):
        for lint, changes, expected in PLANTED:
            with self.subTest(expected):
                code, output = run(lint, {**CLEAN, **changes})
                if lint == 'format' and code == 77:
                    continue
                self.assertEqual(code, 1, output)
                self.assertIn(expected, output)


if __name__ == '__main__':
    unittest.main()
