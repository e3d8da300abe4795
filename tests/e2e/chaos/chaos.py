"""Runs jobs while everything breaks, by a schedule that is drawn from a seed, and checks what must hold all the same.

Usage: BITWRIGHT_BIN=build/bin python3 tests/e2e/chaos/chaos.py [--seeds FIRST-LAST] [--keep]
The README beside it says what is drawn and what is checked.
"""

import argparse
import os
import shutil
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))

from cluster import AGENTS, Cluster  # noqa: E402  (beside and above this file)
from schedule import Schedule, all_points, draw  # noqa: E402
from user import User, Violation, check_disk  # noqa: E402

SECONDS = 120  # that one run may take
QUIET = Schedule([], [[] for _ in range(AGENTS)], [])


class Run:
    """One run in a folder of its own."""

    def __init__(self, schedule, expected):
        self._schedule = schedule
        self._expected = expected
        self.folder = tempfile.mkdtemp(prefix='chaos-', dir='/tmp')
        self._cluster = None
        self._over = threading.Event()
        self.reached = {}

    def _strike(self):
        start = time.monotonic()
        for second, what, whom, agent in self._schedule.blows:
            if self._over.wait(max(0, start + second - time.monotonic())):
                return
            self._cluster.strike(what, whom, agent)

    def run(self):
        """Returns the outcome by budget, or raises Violation."""
        self._cluster = Cluster(os.path.join(self.folder, 'cluster'), self._schedule)
        striker = threading.Thread(target=self._strike)
        striker.start()
        try:
            found = self._use()
        finally:
            self._over.set()
            striker.join()
            code = self._cluster.stop()
            self.reached = self._cluster.reached()
        if code != 0:
            raise Violation(f'the undisturbed server ended with {code}')
        check_disk(self._cluster.data)
        return found

    def _use(self):
        user = User(self.folder, self._cluster.address, SECONDS)
        user.upload()
        user.submit()
        start = time.monotonic()
        last = self._schedule.blows[-1][0] if self._schedule.blows else 0
        while not user.look() and time.monotonic() - start < last + 3:
            time.sleep(0.1)
        self._over.set()
        if self._schedule is not QUIET:
            self._cluster.calm()
        user.wait_for_end()
        user.retry_failed()
        user.wait_for_end()
        return user.check(self._expected)

    def logs(self):
        return self._cluster.logs()

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def undisturbed():
    run = Run(QUIET, None)
    try:
        return run.run()
    finally:
        run.remove()


def disturbed(seed, expected, keep=False):
    """Returns (violation or None, points that acted, seconds, logs if it was violated)."""
    run = Run(draw(seed, AGENTS), expected)
    start = time.monotonic()
    violation, logs = None, ''
    try:
        run.run()
    except AssertionError as error:
        violation, logs = error, run.logs()
    if violation is None or not keep:
        run.remove()
    else:
        print(f'kept: {run.folder}')
    return violation, run.reached, time.monotonic() - start, logs


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--seeds', default='1-100', help='FIRST-LAST, or one')
    parser.add_argument('--keep', action='store_true', help='keep the folder of a run that violated something')
    options = parser.parse_args()
    first, _, last = options.seeds.partition('-')
    expected = undisturbed()
    failed, reached = [], {}
    for seed in range(int(first), int(last or first) + 1):
        violation, acted, seconds, logs = disturbed(seed, expected, options.keep)
        for name, count in acted.items():
            reached[name] = reached.get(name, 0) + count
        print(f'seed {seed}: {"ok" if violation is None else "VIOLATED"}, {seconds:.1f} s, '
              f'{", ".join(sorted(acted)) or "no failpoint"}', flush=True)
        if violation is not None:
            failed.append(seed)
            print(f'{draw(seed, AGENTS)}\n  {violation}\n{logs}', flush=True)
    print(f'points that acted: {dict(sorted(reached.items()))}')
    print(f'points that did not: {sorted(all_points() - reached.keys())}')
    print(f'violated: {failed}' if failed else 'nothing violated')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
