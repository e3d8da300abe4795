"""Proves that the lints see: plants one violation at a time in a small tree and expects it by file and line.

Usage: planted_test.py.
"""

import os
import subprocess
import sys
import tempfile
import unittest

import commit_subject

HERE = os.path.dirname(os.path.abspath(__file__))

CLEAN = {
    'CMakeLists.txt': 'project(x)\n',
    '.clang-format': 'BasedOnStyle: Google\nColumnLimit: 120\n',
    'tests/lint/layers.txt': 'proto:\nproto/grpc:\nproto/contract:\n'
                             'workers/base: proto/contract\n'
                             'workers/tensor: workers/base\n'
                             'server/store: | sqlite3\n'
                             'client/api: proto/contract\n'
                             'tests: *\n',
    'proto/bitwright/v1/jobs.proto': '',
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
    'server/store/store.h': '#pragma once\n',
    'client/api/CMakeLists.txt': 'bw_library(client_api SOURCES api.cc DEPS contract)\n',
    'client/api/api.cc': '#include "proto/contract/errors.h"\n',
    'client/api/api.h': '#pragma once\n\nnamespace grpc {\nclass Channel;\n}\n\n'
                        'namespace bitwright::client {}\n',
    'tests/unit/CMakeLists.txt': 'bw_test(files_test SOURCES files_test.cc DEPS base)\n',
    'tests/unit/files_test.cc': '#include "workers/base/files.h"\n\nTEST(Files, Read) {}\n',
}

TABLE = '<!-- held by docs_test.py: {} -->\n| a | b |\n|---|---|\n| {} | |\n\n'
DOCS = {
    'CMakeLists.txt': 'project(bitwright VERSION 7.1.0 LANGUAGES CXX)\nbw_fuzz(a_fuzz)\n',
    'CMakePresets.json': '{"configurePresets": [{"name": "release"}]}',
    'CHANGELOG.md': '# Changelog\n\n## [7.1.0] - Unreleased\n',
    'README.md': '# x\n\n[deploy](deploy/README.md#flags) `[a](b)`\n\n```sh\ncmake --preset release\n'
                 'build/fuzz/a_fuzz deploy/README.md\nbuild/bin/bitwright --help\n```\n',
    'deploy/README.md': ''.join([
        TABLE.format('flags of bitwrightd', '`--data-dir`'),
        TABLE.format('flags of bitwright-worker', '`--server`'), '## Flags\n\n',
        TABLE.format('metric series', '`bitwright_jobs{state}`'), '\n']),
    'proto/README.md': TABLE.format('limits', '`kMaxBlobBytes` | 1 TiB')
                       + TABLE.format('recipe fields', '`a.b`'),
    'client/README.md': TABLE.format('options of bitwright', '`-o`, `--out OUT`')
                        + TABLE.format('commands of bitwright', '`quantize MODEL`') + TABLE.format('exit codes', '0')
                        + TABLE.format('environment of bitwright', '`BITWRIGHT_SERVER`'),
    'tests/README.md': TABLE.format('environment of the tests', '`BITWRIGHT_SHARED`')
                       + TABLE.format('environment of the benchmarks', '`RECIPE`'),
    'server/app/flags.cc': 'app.add_option("--data-dir", x);  // add_flag("--gone")\n',
    'server/observe/series.cc': '"bitwright_jobs"\n',
    'workers/agent/main.cc': 'app.add_option("--server,-s", x);\n',
    'client/cli/line.cc': 'app.add_option("-o,--out", x);\nAdd(app_, "quantize", "");\n',
    'client/cli/codes.h': 'enum class ExitCode : int { kOk = 0 };\n',
    'client/cli/main.cc': 'FromEnvironment("BITWRIGHT_SERVER");\n',
    'proto/contract/limits.h': 'inline constexpr int64_t kMaxBlobBytes = int64_t{1} << 40;\n',
    'proto/bitwright/v1/recipes.proto': 'message Recipe {\n  message A {\n    int32 b = 1;\n  }\n  A a = 2;\n}\n',
    'tests/support/shared.cc': 'std::getenv("BITWRIGHT_SHARED");\n',
    'tests/bench/table.cc': 'std::getenv("RECIPE");\n',
}
# A build folder for the lints that compile: two sources, a precompiled header; @ROOT@ becomes the tree's folder.
COMPILED = {
    **CLEAN,
    '.clang-tidy': '# -bugprone-easily-swappable-parameters: taste.\n'
                   'Checks: >\n  -*,\n  bugprone-*,\n  -bugprone-easily-swappable-parameters\nWarningsAsErrors: "*"\n',
    'build/compile_commands.json': '[' + ', '.join(
        f'{{"directory": "@ROOT@", "file": "@ROOT@/{source}", "command": "c++ -std=c++20 -I@ROOT@ -Wno-restrict '
        f'-include @ROOT@/build/pch.h -o a.o -c @ROOT@/{source}"}}'
        for source in ('proto/contract/errors.cc', 'workers/base/files.cc')) + ']',
    'build/pch.h': '#include <string>\n',
}
LOCKED = """struct __attribute__((capability("mutex"))) Mutex {
  void Lock() __attribute__((acquire_capability()));
  void Unlock() __attribute__((release_capability()));
};
static Mutex lock;
static int x __attribute__((guarded_by(lock)));
void Set() {
  lock.Lock();

  x = 1;
  lock.Unlock();
}
"""
BASES = {'docs': DOCS, 'tidy': COMPILED, 'thread_safety': COMPILED}
# Lints that end with 77 where their program is not installed, and those that read a build folder.
MAY_SKIP = ('format', 'tidy', 'thread_safety')
NEEDS_BUILD = ('tidy', 'thread_safety')

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
    ('layers', {'workers/kernels/gemm.cc': '#include <dnnl.hpp>\n',
                'tests/lint/layers.txt': 'workers/kernels: | dnnl\n'},
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
    ('layers', {'tests/lint/layers.txt': CLEAN['tests/lint/layers.txt'] + 'workers/gone:\n'},
     'workers/gone has a line, but no code'),
    ('layers', {'client/api/api.cc': ''}, 'client/api may include proto/contract, but does not'),
    ('layers', {'server/store/store.cc': ''}, 'server/store may include sqlite3, but does not'),
    ('names', {'workers/base/base_errors.h': '#pragma once\nabsl::Status FileGone(int64_t a,\n'
                                             '                      int64_t b);\n'},
     'workers/base/base_errors.h:2: FileGone makes an error; name it FileGoneError'),
    ('names', {'workers/base/files.cc': '\nreturn MakeError(absl::StatusCode::kInternal, "A", "b");\n'},
     'workers/base/files.cc:2: an error without a name'),
    ('names', {'workers/base/files.h': '#pragma once\nnamespace bitwright::worker::deeper {\nint x();\n}\n'},
     'workers/base/files.h:2: namespace bitwright::worker::deeper; in this folder it is bitwright::worker'),
    ('names', {'client/api/api.h': '#pragma once\nnamespace grpc {\nclass Channel;\nint x();\n}\n'},
     'client/api/api.h:2: namespace grpc; in this folder it is bitwright::client'),
    ('names', {'workers/base/alone.cc': ''}, 'workers/base/alone.cc:1: has no header of its name'),
    ('names', {'server/store/store.cc': 'auto now = absl::Now();\n'}, 'server/store/store.cc:1: absl::Now'),
    ('names', {'client/api/api.cc': '\nstd::chrono::steady_clock::now();\n'},
     'client/api/api.cc:2: std::chrono::steady_clock'),
    ('names', {'client/api/api.cc': '\nconst int process = fork();\n'},
     'client/api/api.cc:2: fork(: use what proto/base/process.cc has'),
    ('names', {'workers/base/files.h': '#pragma once\nclass LinearBackoff {};\n'},
     'workers/base/files.h:2: class LinearBackoff: use what proto/transfer/retry_policy.h has'),
    ('names', {'workers/base/file_util.cc': ''}, 'workers/base/file_util.cc:1: "file_util.cc" says nothing'),
    ('names', {'workers/common/a.cc': ''}, 'workers/common/a.cc:1: "common" says nothing'),
    ('names', {'notes.txt': ''}, 'notes.txt:1: notes.txt does not belong at the top'),
    ('names', {'workers/base/files.cc': '\n// TO' 'DO: later\n'}, 'workers/base/files.cc:2: an open end'),
    ('registered', {'tests/unit/other_test.cc': 'TEST(A, B) {}\n'}, 'tests/unit/other_test.cc:1: stands in no bw_test'),
    ('registered', {'tests/unit/files_test.cc': 'int x;\n'}, 'tests/unit/files_test.cc:1: holds no TEST'),
    ('registered', {'tests/e2e/whole_test.sh': ''}, 'tests/e2e/whole_test.sh:1: is named in no CMakeLists.txt'),
    ('registered', {'workers/base/threads.cc': ''}, 'workers/base/threads.cc:1: is named in no CMakeLists.txt'),
    ('format', {'workers/base/files.cc': '\nint   x;\n'}, 'workers/base/files.cc:2:4: run clang-format-14'),
    ('docs', {'server/app/flags.cc': 'app.add_option("--data-dir", x);\napp.add_flag("--new", y);\n'},
     'server/app/flags.cc:1: --new is missing in the table of flags of bitwrightd in deploy/README.md'),
    ('docs', {'server/app/flags.cc': 'app.add_flag("--other", y);\n'},
     'deploy/README.md:4: --data-dir is not among the flags of bitwrightd'),
    ('docs', {'server/app/flags.cc': ''}, 'finds no flags of bitwrightd in the code'),
    ('docs', {'workers/agent/main.cc': 'app.add_option("--server,-s", x);\napp.add_option("--more", x);\n'},
     'workers/agent/main.cc:1: --more is missing'),
    ('docs', {'client/cli/line.cc': 'app.add_option("-o,--out", x);\napp.add_flag("--json", y);\n'
                                    'Add(app_, "quantize", "");\n'},
     'client/cli/line.cc:1: --json is missing'),
    ('docs', {'client/cli/line.cc': 'app.add_option("-o,--out", x);\nAdd(app_, "quantize", "");\n'
                                    'Add(app_, "plan", "");\n'},
     'client/cli/line.cc:1: plan is missing'),
    ('docs', {'server/observe/series.cc': '"bitwright_jobs" "bitwright_new_total"'},
     'server/observe/series.cc:1: bitwright_new_total is missing'),
    ('docs', {'proto/contract/limits.h': 'inline constexpr int64_t kMaxBlobBytes = int64_t{1} << 41;\n'},
     'proto/README.md:4: kMaxBlobBytes is 2199023255552 in proto/contract/limits.h, not 1 TiB'),
    ('docs', {'proto/bitwright/v1/recipes.proto': 'message Recipe {\n  message A {\n    int32 b = 1;\n    int32 c = 2;\n'
                                                  '  }\n  A a = 2;\n}\n'},
     'proto/bitwright/v1/recipes.proto:1: a.c is missing'),
    ('docs', {'client/cli/codes.h': 'enum class ExitCode : int { kOk = 0, kFailed = 1 };\n'},
     'client/cli/codes.h:1: 1 is missing'),
    ('docs', {'client/cli/main.cc': 'FromEnvironment("BITWRIGHT_SERVER"); FromEnvironment("NO_COLOR");\n'},
     'client/cli/main.cc:1: NO_COLOR is missing'),
    ('docs', {'README.md': '\n' * 151}, 'README.md:151: more than 150 lines'),
    ('docs', {'README.md': '[x](gone.md)\n'}, 'README.md:1: the link gone.md leads nowhere'),
    ('docs', {'README.md': '[x](deploy/README.md#gone)\n'}, 'README.md:1: deploy/README.md has no heading #gone'),
    ('docs', {'README.md': 'in `server/gone.cc`\n'}, 'README.md:1: server/gone.cc does not exist'),
    ('docs', {'README.md': '```sh\ntests/gone.sh\n```\n'}, 'README.md:2: tests/gone.sh does not exist'),
    ('docs', {'README.md': '```sh\nbuild/bin/gone --help\n```\n'}, 'README.md:2: nothing builds build/bin/gone'),
    ('docs', {'README.md': '```sh\ncmake --preset gone\n```\n'}, 'README.md:2: there is no preset gone'),
    ('docs', {'CHANGELOG.md': '# Changelog\n\n## [7.2.0]\n'}, 'CHANGELOG.md:1: has no heading "## [7.1.0]"'),
    ('docs', {'client/cli/version.cc': '"bitwright 7.1.0"\n'}, 'client/cli/version.cc:1: repeats the version 7.1.0'),
    ('tidy', {'.clang-tidy': "Checks: >\n  bugprone-*,\n  -bugprone-use-after-move\n"},
     '.clang-tidy:1: bugprone-use-after-move is off without a reason'),
    ('tidy', {'workers/base/files.cc': '#include <string>\n#include <utility>\nstd::string A(std::string b) {\n'
                                       '  std::string c = std::move(b);\n  return b + c;\n}\n'},
     "workers/base/files.cc:5: 'b' used after it was moved"),
    ('tidy', {'.clang-tidy': 'Checks: "-*,misc-unused-alias-decls"\nWarningsAsErrors: "*"\n',  # of the main file only
              'workers/base/files.cc': 'namespace a {}\nnamespace b = a;\n'},
     "workers/base/files.cc:2: namespace alias decl 'b' is unused"),
    ('tidy', {'.clang-tidy': 'Checks: "-*,cppcoreguidelines-interfaces-global-init"\nWarningsAsErrors: "*"\n',
              'proto/contract/errors.h': '#pragma once\nextern int a;\nint One();\n',
              'proto/contract/errors.cc': '#include "proto/contract/errors.h"\nint a = One();\n',
              'workers/base/files.cc': '#include "proto/contract/errors.h"\nint b = a;\n'},
     'workers/base/files.cc:2: initializing non-local variable'),
    ('tidy', {'proto/contract/errors.cc': '#include <string>\nstd::string A();\n',
              'workers/base/files.cc': 'std::string B();\n'},
     "workers/base/files.cc:1: use of undeclared identifier 'std'"),
    ('thread_safety', {'workers/base/files.h': '#pragma once\n#include <mutex>\nextern std::mutex lock;\n'},
     'workers/base/files.h:3: std::mutex is invisible to the analysis'),
    ('thread_safety', {'workers/base/files.cc': LOCKED.replace('  lock.Lock();\n', '')},
     'workers/base/files.cc:9: writing variable \'x\' requires holding'),
]


def run(lint, tree):
    with tempfile.TemporaryDirectory() as root:
        for path, content in tree.items():
            full = os.path.join(root, path)
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, 'w', encoding='utf-8') as file:
                file.write(content.replace('@ROOT@', root))
        build = [os.path.join(root, 'build')] if lint in NEEDS_BUILD else []
        done = subprocess.run([sys.executable, os.path.join(HERE, lint + '_test.py'), root, *build],
                              capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr


class Planted(unittest.TestCase):
    def test_a_clean_tree_passes(self):
        for lint in ('layers', 'names', 'registered', 'format', 'docs', 'tidy', 'thread_safety'):
            with self.subTest(lint):
                code, output = run(lint, BASES.get(lint, CLEAN))
                self.assertIn(code, (0, 77) if lint in MAY_SKIP else (0,), output)

    def test_sources_whose_names_collide_pass(self):
        for twice in ('int Twice() {', 'int\nTwice() {'):
            text = 'namespace {\n' + twice + '\n  return 2;\n}\n}\nstatic const int two = Twice();\n'
            code, output = run('tidy', {**COMPILED, 'proto/contract/errors.cc': text, 'workers/base/files.cc': text})
            self.assertIn(code, (0, 77), output)

    def test_every_planted_violation_is_named(self):
        for lint, changes, expected in PLANTED:
            with self.subTest(expected):
                code, output = run(lint, {**BASES.get(lint, CLEAN), **changes})
                if lint in MAY_SKIP and code == 77:
                    continue
                self.assertEqual(code, 1, output)
                self.assertIn(expected, output)


class Subjects(unittest.TestCase):
    def test_the_subject_of_a_commit(self):
        self.assertEqual(commit_subject.fault('scheduler: Fence late results'), '')
        self.assertEqual(commit_subject.fault('jobs, tasks: cut by rows'), '')
        self.assertEqual(commit_subject.fault('Merge branch a'), '')
        self.assertIn('at most 72', commit_subject.fault('scheduler: ' + 'x' * 62))
        self.assertIn('folder', commit_subject.fault('Fence late results'))
        self.assertIn('full stop', commit_subject.fault('scheduler: Fence late results.'))


if __name__ == '__main__':
    unittest.main()
