"""What `cmake --install` puts where.

Usage: install_test.py BUILD. The packages themselves are tried by packages_in_root.sh.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

BUILD = os.path.abspath(sys.argv.pop())
WANTED = {
    'client': {'bin/bitwright', 'share/bash-completion/completions/bitwright', 'share/fish/vendor_completions.d/bitwright.fish',
               'share/man/man1/bitwright.1', 'share/zsh/vendor-completions/_bitwright'},
    'server': {'bin/bitwrightd', 'share/bitwright/bitwrightd.env', 'lib/systemd/system/bitwrightd.service',
               'lib/systemd/system/bitwrightd.service.d/hardening.conf', 'share/man/man8/bitwrightd.8'},
    'worker': {'bin/bitwright-worker', 'share/bitwright/worker.env', 'share/bitwright/nvidia.conf',
               'lib/systemd/system/bitwright-worker.service', 'lib/systemd/system/bitwright-worker@.service',
               'lib/systemd/system/bitwright-worker.service.d/hardening.conf',
               'lib/systemd/system/bitwright-worker@.service.d/hardening.conf',
               'lib/systemd/system/bitwright-worker@.service.d/nvidia.conf', 'lib/sysusers.d/bitwright.conf',
               'share/man/man8/bitwright-worker.8'},
}


def files_below(folder):
    return {os.path.relpath(os.path.join(at, name), folder) for at, _, names in os.walk(folder) for name in names}


class Install(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.dir)

    def install(self, component):
        folder = os.path.join(self.dir, component)
        subprocess.run(['cmake', '--install', BUILD, '--component', component, '--prefix', folder], check=True,
                       capture_output=True)
        return folder

    def test_each_component_has_its_files(self):
        for component, wanted in WANTED.items():
            with self.subTest(component):
                self.assertEqual(files_below(self.install(component)), wanted)

    def test_man_pages_have_every_option(self):
        client = self.install('client')
        with open(os.path.join(client, 'share/man/man1/bitwright.1'), encoding='utf-8') as file:
            page = file.read().replace('\\-', '-')
        program = os.path.join(client, 'bin/bitwright')
        told = subprocess.run([program, '--help-all'], capture_output=True, text=True, check=True).stdout
        options = set(re.findall(r'--[a-z][a-z-]+', told))
        self.assertGreater(len(options), 40)
        self.assertEqual({option for option in options if option not in page}, set())


if __name__ == '__main__':
    unittest.main(verbosity=2)
