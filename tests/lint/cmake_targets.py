"""The bw_library and bw_test calls of a checkout, as far as the lints need them. Reads no other CMake."""

import os
import re

import source_tree

KEYWORDS = ('SOURCES', 'DEPS', 'PRIVATE_DEPS', 'TIMEOUT')


class Target:
    def __init__(self, name, folder, path, line, parts):
        self.name, self.folder, self.path, self.line = name, folder, path, line
        self.sources = parts.get('SOURCES', [])
        self.deps = parts.get('DEPS', [])
        self.private_deps = parts.get('PRIVATE_DEPS', [])


def calls(root, paths, function):
    """Every call of `function` with literal arguments, as Targets."""
    found = []
    for path in paths:
        if os.path.basename(path) != 'CMakeLists.txt':
            continue
        with open(os.path.join(root, path), encoding='utf-8') as file:
            text = re.sub(r'#.*', '', file.read())
        for match in re.finditer(r'(?<!\w)' + function + r'\s*\(([^)]*)\)', text):
            words = match.group(1).split()
            if not words or '${' in words[0]:
                continue
            parts, keyword = {}, None
            for word in words[1:]:
                if word in KEYWORDS:
                    keyword = word
                else:
                    parts.setdefault(keyword, []).append(word.strip('"'))
            line = text.count('\n', 0, match.start()) + 1
            found.append(Target(words[0], os.path.dirname(path), path, line, parts))
    return found


def paths_of(root):
    return [path for path in source_tree.files(root) if os.path.basename(path) == 'CMakeLists.txt']
