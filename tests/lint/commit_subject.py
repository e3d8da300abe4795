"""A commit-msg hook: the subject of a commit is "folder: Imperative", at most 72 characters.

Usage: commit_subject.py FILE. Merges and what git writes itself (fixup!, squash!, Revert) pass.
"""

import re
import sys

MOST = 72
SUBJECT = re.compile(r'[A-Za-z0-9_./-]+(, [A-Za-z0-9_./-]+)*: \S.*')
OF_GIT = re.compile(r'(Merge |Revert "|fixup! |squash! |amend! )')


def fault(subject):
    """What is wrong with a subject, or an empty string."""
    if OF_GIT.match(subject):
        return ''
    if len(subject) > MOST:
        return f'the subject has {len(subject)} characters, at most {MOST} are allowed'
    if not SUBJECT.fullmatch(subject):
        return 'the subject must read "folder: what it does", with the folder or folders that change'
    if subject.endswith('.'):
        return 'the subject ends without a full stop'
    return ''


def main():
    with open(sys.argv[1], encoding='utf-8') as file:
        subject = next((line.rstrip('\n') for line in file if line.strip() and not line.startswith('#')), '')
    what = fault(subject)
    if what:
        print(f'{subject}\n{what}')
        sys.exit(1)


if __name__ == '__main__':
    main()
