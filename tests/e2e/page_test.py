"""The web page as any client of HTTP sees it, under TLS and with tokens: sessions, forms, events, files, audit."""

import hashlib
import html
import http.client
import http.cookiejar
import json
import os
import re
import shutil
import ssl
import unittest
import urllib.error
import urllib.parse
import urllib.request

import small_model
from access_test import Authority
from service import SAMPLE, ServiceTest, free_port, run_cli, wait_until

BOUNDARY = 'a-boundary-of-this-test'


def multipart(fields, files):
    """A form as browsers encode it (RFC 7578). files: (field, name, bytes)."""
    parts = [f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
             for name, value in fields.items()]
    for field, name, data in files:
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'
        parts.append(head.encode() + data + b'\r\n')
    return b''.join(parts) + f'--{BOUNDARY}--\r\n'.encode()


class Visitor:
    """A browser without a screen: it keeps cookies and follows redirections."""

    def __init__(self, url, authority):
        self.url = url
        self.cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=authority)),
            urllib.request.HTTPCookieProcessor(self.cookies))

    def ask(self, path, data=None, headers=None):
        """Status, path that it ended at, and body."""
        request = urllib.request.Request(urllib.parse.urljoin(self.url, path), data, headers or {})
        try:
            with self._opener.open(request, timeout=60) as answer:
                return answer.status, urllib.parse.urlsplit(answer.url).path, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, path, error.read()

    def page(self, path):
        status, at, body = self.ask(path)
        return status, at, html.unescape(body.decode())

    def post(self, path, fields, files=(), page=''):
        """Sends a form with the secret that a page of the session has."""
        secret = re.search(r'name="csrf" value="([0-9a-f]+)"', self.page(page or path)[2])
        data = multipart({'csrf': secret.group(1), **fields}, files)
        status, at, body = self.ask(path, data, {'Content-Type': f'multipart/form-data; boundary={BOUNDARY}'})
        return status, at, html.unescape(body.decode())

    def sign_in(self, token):
        return self.post('/sign-in', {'token': token, 'next': '/models'})


class Page(ServiceTest):
    def setUp(self):
        super().setUp()
        self.authority = Authority(self.path('authority'))
        self.tokens = {}
        lines = []
        for name, tenant in (('alice', 'team'), ('bob', 'others')):
            made = run_cli('token', 'new', '--name', name, '--tenant', tenant, '--role', 'submitter')
            self.tokens[name] = made['token']
            lines.append(made['line'] + '\n')
        for name, text in (('tokens', ''.join(lines)), ('alice.token', self.tokens['alice'] + '\n')):
            with open(self.path(name), 'w', encoding='ascii') as file:
                file.write(text)
            os.chmod(self.path(name), 0o600)
        port = free_port()
        self.host = ('localhost', port)
        self.certificate, self.key = self.authority.issue('server', 'DNS:localhost', 'IP:127.0.0.1')
        self.service = self.start_service(options=[
            '--tls-cert', self.certificate, '--tls-key', self.key, '--tokens-file', self.path('tokens'), '--audit-log',
            self.path('audit'), '--web-listen', f'localhost:{port}'])
        self.url = f'https://localhost:{port}'

    def visitor(self, name=''):
        visitor = Visitor(self.url, self.authority.pem)
        if name:
            self.assertEqual(visitor.sign_in(self.tokens[name])[:2], (200, '/models'))
        return visitor

    def cli(self, *arguments):
        return self.service.cli(*arguments, BITWRIGHT_TLS_CA=self.authority.pem,
                                BITWRIGHT_TOKEN_FILE=self.path('alice.token'))

    def submit(self, alice, model):
        with open(os.path.join(SAMPLE, 'evaluation.txt'), 'rb') as file:
            text = file.read(4096)
        fields = {'model': model.removeprefix('models/'), 'target': 'compressed-tensors', 'budget': '6bpw',
                  'recipe': 'mixed-gptq', 'calibration': 'sample', 'evaluation': '', 'request_id': 'once'}
        status, at, body = alice.post('/jobs', fields, [('evaluation_file', 'märchen.txt', text)], page='/' + model)
        self.assertEqual(status, 200, body)
        self.assertTrue(at.startswith('/jobs/'), at)
        return at

    def follow(self, alice, job):
        """The events of a job until they end."""
        status, _, body = alice.ask(job + '/events')
        self.assertEqual(status, 200)
        return re.findall(r'^event: (\w+)$', body.decode(), re.MULTILINE)

    def test_a_job_from_the_form_to_its_files(self):
        model = self.cli('model', 'upload', small_model.write(self.path('model')))['name']
        alice = self.visitor('alice')
        self.assertIn(model.removeprefix('models/'), alice.page('/models')[2])
        job = self.submit(alice, model)
        events = self.follow(alice, job)
        self.assertEqual(events[-1], 'end')
        self.assertIn('progress', events)
        page = alice.page(job)[2]
        report = self.cli('job', 'report', job.removeprefix('/'))
        self.assertIn(report['verdict'], page)
        selected = next(c for c in report['candidates'] if c['name'] == report['selected'])
        self.assertIn(f'{selected["kl_divergence"]["mean"]:.5f}', page)
        self.assertIn('märchen.txt', page)
        self.assertIn(report['verdict'], alice.page(job + '/report')[2])
        for file in report['artifact']['files']:
            status, _, data = alice.ask(f'{job}/files/0/{urllib.parse.quote(file["path"])}')
            self.assertEqual((status, hashlib.sha256(data).hexdigest()), (200, file['digest']['sha256']), file['path'])
        # Another tenant has nothing there.
        bob = self.visitor('bob')
        self.assertNotIn(model.removeprefix('models/'), bob.page('/models')[2])
        for path in (job, job + '/report', job + '/events', '/' + model):
            self.assertEqual(bob.ask(path)[0], 404, path)
        self.assertEqual(bob.post(job + '/cancel', {}, page='/models')[0], 404)
        created = [line for line in self.audit() if line['method'] == 'CreateJob' and line['code'] == 'OK']
        self.assertEqual({(line['principal'], line['tenant']) for line in created}, {('alice', 'team')})
        self.assertTrue(all(line['peer'].startswith('web:127.0.0.1:') for line in created), created)

    def audit(self):
        with open(self.path('audit'), encoding='utf-8') as file:
            return [json.loads(line) for line in file]

    def test_who_does_not_get_in(self):
        stranger = self.visitor()
        for path in ('/jobs', '/models', '/workers', '/recipes/mixed-gptq'):
            self.assertEqual(stranger.page(path)[1], '/sign-in', path)
        status, _, body = stranger.sign_in('wrong')
        self.assertEqual(status, 401)
        self.assertIn('none of this service', body)
        self.assertEqual([cookie.name for cookie in stranger.cookies], [])

        alice = self.visitor('alice')
        cookie = next(iter(alice.cookies))
        self.assertEqual(cookie.name, f'__Host-bitwright-{self.host[1]}')
        self.assertTrue(cookie.secure and cookie.has_nonstandard_attr('HttpOnly'), cookie)
        self.assertEqual(cookie.get_nonstandard_attr('SameSite'), 'Strict')
        self.assertNotIn(self.tokens['alice'], cookie.value)
        headers = {'Content-Type': f'multipart/form-data; boundary={BOUNDARY}'}
        self.assertEqual(alice.ask('/sign-out', multipart({'csrf': 'wrong'}, ()), headers)[0], 403)
        self.assertEqual(alice.post('/sign-out', {}, page='/jobs')[:2], (200, '/sign-in'))
        self.assertEqual(alice.page('/jobs')[1], '/sign-in')

        # A token that is taken back ends its session.
        alice = self.visitor('alice')
        with open(self.path('tokens'), encoding='ascii') as file:
            bob = [line for line in file if 'bob' in line]
        with open(self.path('tokens.new'), 'w', encoding='ascii') as file:
            file.writelines(bob)
        os.chmod(self.path('tokens.new'), 0o600)
        os.rename(self.path('tokens.new'), self.path('tokens'))
        wait_until(lambda: alice.page('/jobs')[1] == '/sign-in', 'the session is over')

        # Nothing is said in the clear.
        plain = http.client.HTTPConnection(*self.host, timeout=60)
        self.addCleanup(plain.close)
        with self.assertRaises((http.client.HTTPException, OSError)):
            plain.request('GET', '/sign-in')
            plain.getresponse()

    def test_a_renewed_certificate_is_taken_up(self):
        before = ssl.get_server_certificate(self.host)
        certificate, key = self.authority.issue('renewed', 'DNS:localhost', 'IP:127.0.0.1')
        shutil.copy(key, self.key)
        shutil.copy(certificate, self.certificate)
        with open(certificate, encoding='ascii') as file:
            renewed = file.read()
        self.assertNotEqual(before, renewed)
        wait_until(lambda: ssl.get_server_certificate(self.host) == renewed, 'the page has the new certificate')
        self.visitor('alice')


if __name__ == '__main__':
    unittest.main()
