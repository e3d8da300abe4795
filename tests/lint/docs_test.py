"""Holds the documentation to the code: nothing in the code undocumented, nothing documented that is not in the code.

Usage: docs_test.py [ROOT]. A table that lists what the code declares begins with a comment on a line of its own:
    <!-- held by docs_test.py: FACT -->
FACT is one of the names of FACTS below; what counts are the code spans of the first column (and, where a fact has
values, the second column). A fact may have several tables. Sources are searched by folder, so that files may be moved.
Fails, too, when README.md is long, a relative link or a file in a code span leads nowhere, a command in a shell block names no program or
script of the project, or the version stands anywhere but in the top CMakeLists.txt and at the head of CHANGELOG.md.
"""

import os
import re

import source_tree

MOST_LINES_OF_README = 150
MARK = re.compile(r'^<!-- held by docs_test\.py: ([a-z -]+) -->$')
# Arguments and environment of programs that others wrote are no part of the tables.
FOREIGN_VARIABLES = {'PATH', 'TERM', 'HOME'}
# A file of the project in a code span, from the root.
NAMED_FILE = re.compile(r'`((?:client|deploy|proto|server|tests|workers)/[\w/-]+\.(?:cc|h|py|sh|txt|proto|md))`')
PROGRAMS = {'bitwright', 'bitwrightd', 'bitwright-worker'}
SHELL = {'sh', 'bash', 'shell'}
UNITS = {'KiB': 1 << 10, 'MiB': 1 << 20, 'GiB': 1 << 30, 'TiB': 1 << 40}


def text_of(root, path):
    return '\n'.join(text for _, text in source_tree.lines(root, path))


def code_of(root, paths, folder, endings=source_tree.CXX):
    """path → text without comments of the sources of a folder."""
    return {path: re.sub(r'(^|\s)//[^\n]*', '', text_of(root, path))
            for path in paths if path.startswith(folder + '/') and path.endswith(endings)}


def declared_options(root, paths, folder):
    """The long options, or the short one where there is no other, of CLI11 declarations."""
    found = {}
    for path, text in code_of(root, paths, folder).items():
        for match in re.finditer(r'(?:add_option|add_flag|set_version_flag|set_help_all_flag)\w*\(\s*"([^"]+)"', text):
            for name in match.group(1).split(','):
                if name.strip().startswith('--'):
                    found[name.strip().split('{')[0]] = (path, None)
    return found


def server_flags(root, paths):
    return declared_options(root, paths, 'server/app')


def worker_flags(root, paths):
    found = declared_options(root, paths, 'workers/agent')
    found.pop('--execute', None)  # between an agent and its child; not for people
    return found


def client_options(root, paths):
    return declared_options(root, paths, 'client/cli')


def client_commands(root, paths):
    """"model upload": names given to CLI11 in one function, under the group that the function adds first."""
    found = {}
    for path, text in code_of(root, paths, 'client/cli').items():
        group = ''
        for match in re.finditer(r'\bvoid (?:\w+::)?Add\w+\([^)]*\) \{|Group\("([a-z]+)"|\bAdd(?:Named|List)?\(\*?(\w+), '
                                 r'"([^"]*)"(?:, Command|, "[^"]*")|\bAdd\(\*?(\w+), "([a-z]+)"', text):
            if match.group(0).startswith('void'):
                group = ''
            elif match.group(1):
                group = match.group(1)
            elif match.group(2) or match.group(4):
                parent = match.group(2) or match.group(4)
                word = 'list' if match.group(0).startswith('AddList') else match.group(3) or match.group(5)
                if re.fullmatch(r'[a-z]+', word or '') and parent not in ('parent',):
                    found[word if parent == 'app_' else f'{group} {word}'] = (path, None)
    return found


def metric_series(root, paths):
    found = {}
    for path, text in code_of(root, paths, 'server').items():
        for name in re.findall(r'"(bitwright_[a-z_]+)"', text):
            found[name] = (path, None)
    return found


def limits(root, paths):
    found, known = {}, {}
    for path, text in code_of(root, paths, 'proto/contract', ('limits.h',)).items():
        for name, expression in re.findall(r'constexpr\s+\w+\s+(k\w+)\s*=\s*([^;]+);', text):
            expression = re.sub(r'\bint64_t\{([^}]*)\}', r'(\1)', expression).replace("'", '')
            if not re.fullmatch(r'[\w\s()<>*+\-]+', expression):
                continue
            known[name] = eval(expression, {'__builtins__': {}}, known)  # digits, shifts and earlier names only
            found[name] = (path, known[name])
    return found


def recipe_fields(root, paths):
    """Dotted paths of the leaves of message Recipe."""
    found = {}
    for path, text in code_of(root, paths, 'proto/bitwright', ('.proto',)).items():
        start = re.search(r'^message Recipe \{', text, re.MULTILINE)
        if not start:
            continue
        stack, fields, nested = [], {}, {}
        for match in re.finditer(r'message (\w+) \{|(?:repeated |optional )?([\w.]+) (\w+) = \d+\s*;|\}',
                                 text[start.start():]):
            if match.group(1):
                stack.append(match.group(1))
            elif match.group(2):
                (fields if len(stack) == 1 else nested.setdefault(stack[-1], {}))[match.group(3)] = match.group(2)
            else:
                stack.pop()
                if not stack:
                    break
        for name, kind in fields.items():
            for leaf in nested.get(kind, [None]):
                found[f'{name}.{leaf}' if leaf else name] = (path, None)
    return found


def exit_codes(root, paths):
    found = {}
    for path, text in code_of(root, paths, 'client/cli', ('.h',)).items():
        body = re.search(r'enum class ExitCode[^{]*\{([^}]*)\}', text)
        for number in re.findall(r'=\s*(\d+)', body.group(1)) if body else []:
            found[number] = (path, None)
    return found


def environment(folders, endings):
    """Names given to getenv, or to a function whose name speaks of the environment, in these folders."""
    def read(root, paths):
        found = {}
        pattern = re.compile(r'''(?:getenv|environ\.get|\w*Environment)\(\s*["']([A-Z][A-Z0-9_]*)["']'''
                             r'|\$\{?([A-Z][A-Z0-9_]*):-')
        for folder in folders:
            for path, text in code_of(root, paths, folder, endings).items():
                for pair in pattern.findall(text):
                    name = pair[0] or pair[1]
                    if name not in FOREIGN_VARIABLES:
                        found[name] = (path, None)
        return found
    return read


# fact → how to read it from the code: name → (file, value or None)
FACTS = {
    'flags of bitwrightd': server_flags,
    'flags of bitwright-worker': worker_flags,
    'options of bitwright': client_options,
    'commands of bitwright': client_commands,
    'metric series': metric_series,
    'limits': limits,
    'recipe fields': recipe_fields,
    'exit codes': exit_codes,
    'environment of bitwright': environment(('client', 'server', 'workers'), source_tree.CXX),
    'environment of the tests': environment(
        ('tests/unit', 'tests/support', 'tests/conformance', 'tests/consumers', 'tests/e2e', 'tests/fuzz'),
        source_tree.CXX + ('.py', '.sh')),
    'environment of the benchmarks': environment(('tests/bench',), source_tree.CXX),
}


def names_of(fact, cell):
    """What a cell of the first column lists."""
    spans = re.findall(r'`([^`]+)`', cell)
    if fact.startswith(('flags', 'options')):
        return re.findall(r'--[a-z][a-z-]*', ' '.join(spans))
    if fact == 'commands of bitwright':
        return [' '.join(re.match(r'((?:[a-z]+ ?)+)', span).group(1).split()) for span in spans]
    if fact == 'exit codes':
        return [cell.strip().strip('`')]
    return [re.sub(r'\{.*\}', '', span) for span in spans]


def value_of(cell):
    """The number that a cell states: "1 TiB", "10,000", "2^28", "±10", "255 bytes"; None where it states none."""
    match = re.match(r'[±]?\s*(\d[\d,]*)(?:\^(\d+))?(?:\s*([KMGT]iB))?', cell.strip())
    if not match:
        return None
    number = int(match.group(1).replace(',', ''))
    return (number ** int(match.group(2)) if match.group(2) else number) * UNITS.get(match.group(3), 1)


def tables(root, paths):
    """(fact, path, line, cells) of every row of a marked table, and the errors of marks."""
    rows, errors = [], []
    for path in paths:
        if not path.endswith('.md'):
            continue
        fact, seen, fenced = None, 0, False
        for number, text in source_tree.lines(root, path):
            fenced ^= text.lstrip().startswith('```')
            mark = MARK.match(text.strip()) if not fenced else None
            if mark:
                fact, seen = mark.group(1), 0
                if fact not in FACTS:
                    errors.append(f'{path}:{number}: docs_test.py knows no "{fact}"')
            elif fact and text.startswith('|'):
                seen += 1
                if seen > 2:
                    # A bar inside a code span is no border.
                    rows.append((fact, path, number, [c.strip() for c in re.split(r'(?<!\\)\|', text)[1:-1]]))
            elif fact and (seen or text.strip()):
                if not seen:
                    errors.append(f'{path}:{number}: no table follows the mark of "{fact}"')
                fact = None
    return rows, errors


def check_tables(root, paths):
    rows, errors = tables(root, paths)
    for fact, read in FACTS.items():
        declared = read(root, paths)
        documented = {}
        for _, path, number, cells in (row for row in rows if row[0] == fact):
            for name in names_of(fact, cells[0]):
                documented[name] = (path, number, cells)
        if not declared:
            errors.append(f'tests/lint/docs_test.py:1: finds no {fact} in the code')
            continue
        if not documented:
            errors.append(f'README.md:1: no table of the {fact} in any .md file ({len(declared)} in the code)')
            continue
        home = next(iter(documented.values()))[0]
        for name, (source, _) in sorted(declared.items()):
            if name not in documented:
                errors.append(f'{source}:1: {name} is missing in the table of {fact} in {home}')
        for name, (path, number, cells) in sorted(documented.items()):
            if name not in declared:
                errors.append(f'{path}:{number}: {name} is not among the {fact} in the code')
            elif declared[name][1] is not None and value_of(cells[1]) != declared[name][1]:
                errors.append(f'{path}:{number}: {name} is {declared[name][1]} in {declared[name][0]}, not {cells[1]}')
    return errors


def anchors_of(root, path):
    found, fenced = set(), False
    for _, text in source_tree.lines(root, path):
        if text.lstrip().startswith('```'):
            fenced = not fenced
        if not fenced and text.startswith('#'):
            words = re.sub(r'[^\w\s-]', '', text.lstrip('#').strip().lower().replace('`', ''))
            found.add(re.sub(r'\s', '-', words))
    return found


def check_links(root, path):
    errors, fenced = [], False
    for number, text in source_tree.lines(root, path):
        if text.lstrip().startswith('```'):
            fenced = not fenced
        if fenced:
            continue
        for target in re.findall(r'\]\(([^)\s]+)\)', re.sub(r'`[^`]*`', '', text)):
            if re.match(r'[a-z]+:', target):
                continue
            file, _, anchor = target.partition('#')
            full = os.path.normpath(os.path.join(os.path.dirname(path), file)) if file else path
            if not os.path.exists(os.path.join(root, full)):
                errors.append(f'{path}:{number}: the link {target} leads nowhere')
            elif anchor and full.endswith('.md') and anchor not in anchors_of(root, full):
                errors.append(f'{path}:{number}: {full} has no heading #{anchor}')
        for named in NAMED_FILE.findall(text):
            if not os.path.exists(os.path.join(root, named)):
                errors.append(f'{path}:{number}: {named} does not exist')
    return errors


def presets_of(root):
    path = os.path.join(root, 'CMakePresets.json')
    if not os.path.isfile(path):
        return set()
    with open(path, encoding='utf-8') as file:
        return set(re.findall(r'"name":\s*"([\w-]+)"', file.read()))


def cmake_names(root, paths):
    """Names of programs and targets that CMake files define."""
    found = set()
    for path in paths:
        if os.path.basename(path) == 'CMakeLists.txt':
            found |= set(re.findall(r'(?:add_executable|add_custom_target|bw_\w+)\(\s*([\w-]+)', text_of(root, path)))
            found |= set(re.findall(r'OUTPUT_NAME\s+([\w-]+)', text_of(root, path)))
    return found


def check_commands(root, path, paths, programs, presets):
    """Each command of a shell block: scripts exist, programs are built by some CMake file, presets are defined."""
    errors, shell, tree = [], False, set(paths)
    for number, text in source_tree.lines(root, path):
        fence = re.match(r'\s*```(\w*)', text)
        if fence:
            shell = not shell and fence.group(1) in SHELL
            continue
        if not shell:
            continue
        command = re.split(r'\s#', ' ' + text)[0]
        for word in re.findall(r"""[^\s'"&;|()<>]+""", command):
            word = word.split('=')[-1]
            built = re.fullmatch(r'build[\w-]*/(?:bin|bench|fuzz|tests)/([\w-]+)', word)
            if built and built.group(1) not in programs:
                errors.append(f'{path}:{number}: nothing builds {word}')
            if (re.fullmatch(r'(deploy|tests|proto|server|client|workers)/[\w./-]+', word)
                    and word not in tree and not os.path.isdir(os.path.join(root, word))):
                errors.append(f'{path}:{number}: {word} does not exist')
        for preset in re.findall(r'--preset[ =]([\w-]+)', command):
            if preset not in presets:
                errors.append(f'{path}:{number}: there is no preset {preset}')
        first = re.match(r'\s*(bitwright[\w-]*)\s', command)
        if first and first.group(1) not in PROGRAMS:
            errors.append(f'{path}:{number}: there is no program {first.group(1)}')
    return errors


def check_version(root, paths):
    match = re.search(r'project\(bitwright VERSION (\d+\.\d+\.\d+)', text_of(root, 'CMakeLists.txt'))
    if not match:
        return ['CMakeLists.txt:1: project() gives no VERSION']
    version, errors = match.group(1), []
    if 'CHANGELOG.md' not in paths or not re.search(r'^## \[' + re.escape(version) + r'\]',
                                                    text_of(root, 'CHANGELOG.md'), re.MULTILINE):
        errors.append(f'CHANGELOG.md:1: has no heading "## [{version}]", the version of CMakeLists.txt')
    for path in paths:
        if not path.endswith(source_tree.CXX + ('.py', '.sh', '.txt', '.json')) or path == 'CMakeLists.txt':
            continue
        if path.startswith(('tests/golden/', 'tests/fuzz/corpus/', 'tests/unit/', 'deploy/sample/')):
            continue
        for number, text in source_tree.lines(root, path):
            if re.search(r'(?<![\d.])' + re.escape(version) + r'(?![\d.])', re.sub(r'(^|\s)(//|#).*', '', text)):
                errors.append(f'{path}:{number}: repeats the version {version}; take it from CMake (PROJECT_VERSION)')
    return errors


def main():
    root = source_tree.root_from_arguments()
    paths = source_tree.files(root)
    errors = check_tables(root, paths) + check_version(root, paths)
    programs, presets = cmake_names(root, paths) | PROGRAMS, presets_of(root)
    for path in paths:
        if path.endswith('.md') and not path.startswith('tests/golden/'):
            errors += check_links(root, path) + check_commands(root, path, paths, programs, presets)
    if 'README.md' in paths and len(source_tree.lines(root, 'README.md')) > MOST_LINES_OF_README:
        errors.append(f'README.md:{MOST_LINES_OF_README + 1}: more than {MOST_LINES_OF_README} lines; '
                      'what governs one folder belongs into its README')
    source_tree.finish(errors)


if __name__ == '__main__':
    main()
