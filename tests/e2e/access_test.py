"""A server that other machines reach: TLS, tokens, a worker that joined, and those who get in and who do not."""

import json
import os
import socket
import subprocess
import unittest

import small_model
from service import PATIENCE, SAMPLE, CliError, ServiceTest, environment, program, run_cli, wait_until

UNREACHABLE, DENIED = 3, 6


def own_address():
    """An address of this machine that is not of its loopback, where it has one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(('192.0.2.1', 9))  # sends nothing
            return probe.getsockname()[0]
        except OSError:
            return '127.0.0.1'


def openssl(*arguments):
    subprocess.run(['openssl', *arguments], check=True, capture_output=True)


class Authority:
    """Signs certificates with the openssl command."""

    def __init__(self, folder):
        os.makedirs(folder)
        self._folder = folder
        self.pem = self._make('ca')

    def path(self, name):
        return os.path.join(self._folder, name)

    def _make(self, name, *more):
        certificate = self.path(f'{name}.pem')
        openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-days', '1',
                '-keyout', self.path(f'{name}.key'), '-out', certificate, '-subj', f'/CN={name}', *more)
        return certificate

    def issue(self, name, *alternatives):
        """Certificate and key."""
        names = ['-addext', 'subjectAltName=' + ','.join(alternatives)] if alternatives else []
        pem = self._make(name, '-CA', self.pem, '-CAkey', self.path('ca.key'), *names)
        return pem, self.path(f'{name}.key')


class Access(ServiceTest):
    def setUp(self):
        super().setUp()
        self.host = own_address()
        self.authority = Authority(self.path('authority'))
        self.tokens = self.path('tokens')
        self.lines = {}
        for name, role in (('alice', 'submitter'), ('ops', 'operator,submitter'), ('gpu', 'worker')):
            self.new_token(name, role)

    def new_token(self, name, role):
        """Into a file of the caller's, and into that of the server."""
        made = run_cli('token', 'new', '--name', name, '--tenant', 'team', '--role', role)
        with open(self.token(name), 'w', encoding='ascii') as file:
            file.write(made['token'] + '\n')
        self.lines[name] = made['line'] + '\n'
        new = self.tokens + '.new'
        with open(new, 'w', encoding='ascii') as file:
            file.writelines(self.lines.values())
        os.chmod(new, 0o600)
        os.rename(new, self.tokens)

    def token(self, name):
        return self.path(f'{name}.token')

    def start_public(self, *more, workers=0):
        certificate, key = self.authority.issue('server', f'IP:{self.host}', 'DNS:localhost')
        self.service = self.start_service(
            workers=workers, listen='0.0.0.0:0',
            options=['--tls-cert', certificate, '--tls-key', key, '--tokens-file', self.tokens, '--audit-log',
                     self.path('audit'), *more])
        self.address = f'{self.host}:{self.service.address.rpartition(":")[2]}'

    def as_caller(self, name, **more):
        return {'BITWRIGHT_SERVER': self.address, 'BITWRIGHT_TLS_CA': self.authority.pem,
                'BITWRIGHT_TOKEN_FILE': self.token(name), **more}

    def join(self, *more, home='home'):
        """A worker as another host would run it."""
        os.makedirs(self.path(home), exist_ok=True)
        with open(self.path(home, 'log'), 'wb') as log:
            worker = subprocess.Popen(
                [program('bitwright-worker'), '--join', self.address, '--token-file', self.token('gpu'), '--tls-ca',
                 self.authority.pem, '--exit-with-parent', *more], stdout=log, stderr=log,
                env=environment(HOME=self.path(home), XDG_CACHE_HOME=''))
        self.addCleanup(lambda: (worker.terminate(), worker.wait(PATIENCE)))
        return worker

    def refused(self, code, reason, *arguments, **variables):
        with self.assertRaises(CliError) as raised:
            run_cli(*arguments, **variables)
        self.assertEqual((raised.exception.code, raised.exception.reason), (code, reason), raised.exception)

    def audit(self):
        with open(self.path('audit'), encoding='utf-8') as file:
            return [json.loads(line) for line in file]

    def test_a_job_from_its_upload_to_its_report(self):
        self.start_public()
        self.join('--log-format', 'json')
        calibration, evaluation = (os.path.join(SAMPLE, f'{use}.txt') for use in ('calibration', 'evaluation'))
        job = run_cli('quantize', SAMPLE, '--budget', '4.25bpw', '--calibration', calibration, '--evaluation',
                      evaluation, '--window', '64', '--calibration-tokens', '2048', '--evaluation-tokens', '2048', '-o',
                      self.path('out'), seconds=400, **self.as_caller('alice'))
        self.assertTrue(os.path.exists(self.path('out', 'model', 'model.safetensors')))
        # The worker kept what it fetched where a worker of this user keeps it.
        self.assertTrue(os.path.isdir(self.path('home', '.cache', 'bitwright', 'workers', '0', 'cache')))
        lines = self.audit()
        created = next(line for line in lines if line['method'] == 'CreateJob' and line['resource'])
        self.assertEqual((created['principal'], created['tenant'], created['roles'], created['code']),
                         ('alice', 'team', ['submitter'], 'OK'))
        self.assertIn(created['resource'], json.dumps(job))
        self.assertIn('gpu', [line['principal'] for line in lines if line['method'] == 'RegisterWorker'])
        with open(self.path('home', 'log'), encoding='utf-8') as log:
            messages = [json.loads(line)['message'] for line in log]
        self.assertTrue(any(message.startswith('registered as') for message in messages), messages)
        self.check_no_token_is_written()

    def check_no_token_is_written(self):
        with open(self.path('audit'), encoding='utf-8') as file:
            written = self.service.log() + file.read()
        for name in self.lines:
            with open(self.token(name), encoding='ascii') as file:
                self.assertNotIn(file.read().strip(), written)

    def test_who_does_not_get_in(self):
        self.start_public()
        with open(self.token('wrong'), 'w', encoding='ascii') as file:
            file.write('bw_wrong\n')
        self.refused(DENIED, 'CREDENTIALS_INVALID', 'job', 'list', **self.as_caller('wrong'))
        self.refused(DENIED, 'CREDENTIALS_MISSING', 'job', 'list', BITWRIGHT_SERVER=self.address,
                     BITWRIGHT_TLS_CA=self.authority.pem)
        self.refused(DENIED, 'ROLE_MISSING', 'job', 'list', **self.as_caller('gpu'))
        other = Authority(self.path('other'))
        self.refused(UNREACHABLE, 'SERVER_UNREACHABLE', 'job', 'list',
                     **self.as_caller('alice', BITWRIGHT_TLS_CA=other.pem))
        if self.host != '127.0.0.1':
            self.refused(2, 'TOKEN_NEEDS_TLS', 'job', 'list', **self.as_caller('alice', BITWRIGHT_TLS_CA=''))
        self.assertEqual(run_cli('job', 'list', **self.as_caller('alice')).get('jobs', []), [])
        # A worker with a token of no worker gives up and says why.
        os.replace(self.token('alice'), self.token('gpu'))
        worker = self.join(home='mistaken')
        self.assertEqual(worker.wait(PATIENCE), 1)
        with open(self.path('mistaken', 'log'), encoding='utf-8') as log:
            self.assertIn('ROLE_MISSING', log.read())

    def test_a_token_is_replaced(self):
        self.start_public()
        run_cli('job', 'list', **self.as_caller('alice'))
        os.rename(self.token('alice'), self.token('old'))
        self.new_token('alice', 'submitter')
        wait_until(lambda: 'was read again' in self.service.log(), 'the server reads its tokens again')
        run_cli('job', 'list', **self.as_caller('alice'))
        self.refused(DENIED, 'CREDENTIALS_INVALID', 'job', 'list', **self.as_caller('old'))

    def test_clients_with_certificates(self):
        self.start_public('--tls-client-ca', self.authority.pem, workers=1)
        model = small_model.write(self.path('model'))
        arguments = ['quantize', model, '--budget', '4.25bpw', *self.texts(), '-o', self.path('out')]
        self.refused(UNREACHABLE, 'SERVER_UNREACHABLE', 'job', 'list', **self.as_caller('alice'))
        certificate, key = self.authority.issue('alice')
        with_certificate = self.as_caller('alice', BITWRIGHT_TLS_CERT=certificate, BITWRIGHT_TLS_KEY=key)
        run_cli(*arguments, **with_certificate)  # by the local worker, which has no certificate
        other = Authority(self.path('other'))
        certificate, key = other.issue('alice')
        self.refused(UNREACHABLE, 'SERVER_UNREACHABLE', 'job', 'list',
                     **self.as_caller('alice', BITWRIGHT_TLS_CERT=certificate, BITWRIGHT_TLS_KEY=key))

    def test_old_versions_of_tls(self):
        self.start_public()

        def shakes_hands(version):
            done = subprocess.run(['openssl', 's_client', '-connect', self.address, version, '-alpn', 'h2', '-cipher',
                                   'DEFAULT@SECLEVEL=0'], input='', capture_output=True, errors='replace', check=False,
                                  timeout=PATIENCE)
            return done.returncode == 0, done.stderr
        for version in ('-tls1_2', '-tls1_3'):
            self.assertTrue(shakes_hands(version)[0], version)
        shook, said = shakes_hands('-tls1_1')
        self.assertFalse(shook)
        self.assertRegex(said, 'alert protocol version|unexpected eof', 'the server ended it')

    def test_a_public_address_without_protection(self):
        done = subprocess.run([program('bitwrightd'), '--data-dir', self.path('data'), '--listen', '0.0.0.0:0',
                               '--tokens-file', self.tokens], capture_output=True, text=True, check=False,
                              timeout=PATIENCE, env=environment())
        self.assertEqual(done.returncode, 1)
        self.assertIn("which takes --tls-cert FILE --tls-key FILE; give these", done.stderr)
        self.assertFalse(os.path.exists(self.path('data')), 'refused before anything is made')


if __name__ == '__main__':
    unittest.main()
