"""deploy/systemd: systemd finds nothing wrong with the units, calls them safe, and they allow what a job does."""

import os
import re
import shutil
import subprocess
import sys
import unittest

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
UNITS = os.path.join(SOURCE, 'deploy', 'systemd')
SERVICES = ('bitwrightd.service', 'bitwright-worker.service')
ON_CARD = 'bitwright-worker@.service'
# Of 100, as `systemd-analyze security` counts; without the drop-in it is 92. What is left is mainly the network, and
# machine code that is written at run time.
MOST_EXPOSED = 20
SKIPPED = 77

sys.path.insert(0, os.path.join(SOURCE, 'tests', 'e2e'))
import small_model  # noqa: E402 (the folder is known only now)
from service import PATIENCE, BIN, ServiceTest, environment  # noqa: E402


def systemd_analyze(*arguments):
    done = subprocess.run(['systemd-analyze', '--no-pager', *arguments], capture_output=True, text=True, check=False,
                          timeout=PATIENCE)
    return done.returncode, done.stdout + done.stderr


class Units(ServiceTest):
    def setUp(self):
        super().setUp()
        self.root = self.path('root')
        system = os.path.join(self.root, 'etc', 'systemd', 'system')
        for name in (*SERVICES, 'bitwright-worker@.service'):
            folder = os.path.join(system, name + '.d')
            os.makedirs(folder)
            shutil.copy(os.path.join(UNITS, name), system)
            for more in ('hardening.conf', 'nvidia.conf') if '@' in name else ('hardening.conf',):
                shutil.copy(os.path.join(UNITS, more), folder)
        programs = os.path.join(self.root, 'usr', 'bin')
        os.makedirs(programs)
        for name in ('bitwrightd', 'bitwright-worker'):
            with open(os.open(os.path.join(programs, name), os.O_WRONLY | os.O_CREAT, 0o755), 'w', encoding='ascii'):
                pass
        # The targets that the units name are systemd's own.
        shutil.copytree('/lib/systemd/system', os.path.join(self.root, 'usr', 'lib', 'systemd', 'system'), symlinks=True)

    def test_systemd_finds_nothing_wrong(self):
        code, text = systemd_analyze('verify', f'--root={self.root}', '--recursive-errors=one', '--man=no', *SERVICES,
                                     ON_CARD)
        self.assertEqual((code, text), (0, ''))

    def test_systemd_calls_them_safe(self):
        for name in (*SERVICES, ON_CARD):
            code, text = systemd_analyze('security', '--offline=true', f'--root={self.root}',
                                         f'--threshold={MOST_EXPOSED}', name)
            self.assertEqual(code, 0, text)
            self.assertIn('Overall exposure level', text)

    def test_a_worker_on_a_card_sees_cards_and_no_other_device(self):
        code, text = systemd_analyze('security', '--offline=true', f'--root={self.root}', ON_CARD)
        self.assertEqual(code, 0, text)
        self.assertRegex(text, r'PrivateDevices=\s.*Service potentially has access')
        self.assertRegex(text, r'DeviceAllow=\s.*char-nvidia')
        self.assertGreater('nvidia.conf', 'hardening.conf', 'drop-ins are read in the order of their names')

    def test_units_of_workers_differ_in_the_device_alone(self):
        def lines(name):
            with open(os.path.join(UNITS, name), encoding='utf-8') as file:
                return {line for line in file.read().splitlines() if '=' in line and line[0] != '#'}
        differ = {line.partition('=')[0] for line in lines('bitwright-worker.service') ^ lines('bitwright-worker@.service')}
        self.assertEqual(differ, {'Description', 'After', 'ExecStart'})

    def test_the_options_files_are_those_that_the_units_read(self):
        for name, file in zip(SERVICES, ('bitwrightd.env', 'worker.env'), strict=True):
            with open(os.path.join(UNITS, name), encoding='utf-8') as unit, \
                    open(os.path.join(UNITS, file), encoding='utf-8') as options:
                text = unit.read()
                variable, = re.findall(r'^(\w+)=', options.read(), re.MULTILINE)
            self.assertIn(f'/etc/bitwright/{file}', text)
            self.assertRegex(text, rf'ExecStart=.* \${variable}\n')


def calls_of_set(name, sets={}):
    """All system calls of a set such as @system-service, those of the sets in it included."""
    if name not in sets:
        code, text = systemd_analyze('syscall-filter', name)
        assert code == 0, text
        members = [line.strip() for line in text.splitlines()[1:] if line.strip() and not line.strip().startswith('#')]
        sets[name] = {call for member in members for call in (calls_of_set(member) if member[0] == '@' else {member})}
    return sets[name]


def allowed_calls():
    """What SystemCallFilter of the drop-in comes to: each line adds, or with ~ removes (systemd.exec(5))."""
    allowed = set()
    with open(os.path.join(UNITS, 'hardening.conf'), encoding='utf-8') as file:
        for line in re.findall(r'^SystemCallFilter=(.*)$', file.read(), re.MULTILINE):
            calls = {call for word in line.lstrip('~').split() for call in (calls_of_set(word) if word[0] == '@' else {word})}
            allowed = allowed - calls if line[0] == '~' else allowed | calls
    return allowed


def can_trace():
    """Some containers have strace and forbid it."""
    return shutil.which('strace') and subprocess.run(['strace', '-qq', '-o', os.devnull, 'true'], check=False,
                                                     capture_output=True).returncode == 0


@unittest.skipUnless(can_trace(), 'strace is not installed (package strace), or may not trace')
class SystemCalls(ServiceTest):
    def test_a_job_makes_no_call_that_is_denied(self):
        small_model.write(self.path('model'))
        trace = self.path('trace')
        # A local service is the server, its worker and its children, below one command.
        done = subprocess.run(['strace', '-f', '-qq', '-e', 'signal=none', '-o', trace, os.path.join(BIN, 'bitwright'),
                               'quantize', self.path('model'), '--budget', '4.25bpw', *self.texts(), '-o',
                               self.path('out')], capture_output=True, text=True, check=False, timeout=300,
                              env=environment())
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(trace, encoding='utf-8', errors='replace') as file:
            made = set(re.findall(r'^\d+ +(?:<\.\.\. )?(\w+)', file.read(), re.MULTILINE))
        self.assertIn('seccomp', made, 'the children of workers are followed, too')
        self.assertEqual(sorted(made - allowed_calls()), [])


if __name__ == '__main__':
    if not shutil.which('systemd-analyze'):
        print('skipped: systemd-analyze is not installed (package systemd)')
        sys.exit(SKIPPED)
    unittest.main(verbosity=2)
