"""The command lines of containers, run by this machine's programs: their folders, secrets and ports are the test's."""

import os
import re
import subprocess
import sys

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(SOURCE, 'tests', 'e2e'))
from service import PATIENCE, ServiceTest, environment, free_port, program, run_cli, wait_until  # noqa: E402, F401


def make_secrets(folder):
    subprocess.run([os.path.join(SOURCE, 'deploy', 'compose', 'secrets.sh'), folder], check=True, capture_output=True,
                   env=environment(BITWRIGHT=program('bitwright')))


class LaunchTest(ServiceTest):
    """secrets: by name, files that secrets.sh of deploy/compose made."""

    def setUp(self):
        super().setUp()
        make_secrets(self.path('secrets'))
        self.ports = {}

    def secret(self, name):
        return self.path('secrets', name)

    def here(self, argument, files):
        """An argument as it is on this machine. files: path in the container → path here; servers listen on loopback."""
        for inside, outside in files.items():
            argument = re.sub(f'={re.escape(inside)}(?=$|/)', f'={outside}', argument)

        def port(match):
            number = int(match.group(2))
            return '=localhost:' + str(self.ports.setdefault(number, free_port()))
        return re.sub(r'=([\w.-]+):(\d+)$', port, argument)

    def launch(self, name, arguments, **variables):
        """Runs a program with a log of its own until the end of the test."""
        log = open(self.path(f'{name}.log'), 'ab')
        process = subprocess.Popen([program(arguments[0]), *arguments[1:], '--exit-with-parent'], stdout=log, stderr=log,
                                   env=environment(HOME=self.dir, **variables))
        log.close()
        self.addCleanup(lambda: (process.terminate(), process.wait(PATIENCE)))
        return process

    def as_user(self):
        """Environment of the command line for the user that secrets.sh made."""
        return {'BITWRIGHT_SERVER': f'localhost:{self.ports[7071]}', 'BITWRIGHT_TLS_CA': self.secret('ca.pem'),
                'BITWRIGHT_TOKEN_FILE': self.secret('user.token')}

    def workers(self):
        """Those that the server knows; [] as long as it does not answer."""
        try:
            return run_cli('worker', 'list', **self.as_user())['workers']
        except (AssertionError, KeyError):
            return []
