"""The web page in a real browser: a job is submitted, followed, its report read, a file of its artifact downloaded.

Usage: web_test.py [--screenshots DIR]: with it, also pictures of the pages, of a job on the sample model.
"""

import os
import subprocess
import sys
import unittest

import small_model
from browser import Browser, missing
from service import BIN, SAMPLE, ServiceTest, digest, free_port, wait_until

SKIPPED = 77
WIDTHS = {'wide': (1280, 900), 'narrow': (400, 860)}
SHOTS = ''  # folder


def token_line(name):
    """A token, and its line of a tokens file."""
    made = subprocess.run([os.path.join(BIN, 'bitwright'), 'token', 'new', '--name', name, '--tenant', 'default', '--role',
                           'submitter'], capture_output=True, text=True, check=True)
    return made.stdout.splitlines()[:2]


class Web(ServiceTest):
    def begin(self, *options):
        self.web = f'http://localhost:{free_port()}'
        self.server = self.start_service(workers=1, threads=2,
                                         options=('--web-listen', self.web.removeprefix('http://'), *options))
        os.makedirs(self.path('downloads'))
        self.browser = Browser(self.path('downloads'), self.path('browser.log'))
        self.addCleanup(self.browser.close)

    def shoot(self, name):
        if SHOTS:
            self.browser.run('window.scrollTo(0, 0)')
            for width, size in WIDTHS.items():
                for dark in (False, True):
                    self.browser.screenshot(os.path.join(SHOTS, f'{name}-{width}-{"dark" if dark else "light"}.png'),
                                            *size, dark)
            self.browser.color_scheme(dark=False)

    def submit(self, model, evaluation, budget):
        browser = self.browser
        browser.open(f'{self.web}/{model}')
        browser.run('document.querySelector("[name=calibration]").value = "sample"')
        browser.type('[name=budget]', budget)
        browser.type('[name=evaluation_file]', os.path.realpath(evaluation))
        wait_until(lambda: 'bits per weight' in browser.text('#estimate h4'), 'the form is checked')
        self.shoot('model')
        browser.click('#job button')
        wait_until(lambda: browser.path().startswith('/jobs/'), 'the job was queued')
        return browser.path().removeprefix('/')

    def test_a_job_from_the_form_to_its_files(self):
        self.begin()
        browser = self.browser
        folder = SAMPLE if SHOTS else small_model.write(self.path('model'))
        model = self.server.cli('model', 'upload', folder)['name']
        job = self.submit(model, os.path.join(SAMPLE, 'evaluation.txt'), '4.25bpw' if SHOTS else '6bpw')
        verdict = wait_until(lambda: browser.text('.verdict'), 'the page shows the end by itself', 600)
        self.assertIn('succeeded', browser.text('#live'))
        report = self.server.cli('job', 'report', job)
        self.assertEqual(verdict, report['verdict'])
        selected = next(c for c in report['candidates'] if c['name'] == report['selected'])
        self.assertIn(f'{selected["average_bits"]:.3f}', browser.text('tr.selected'))
        self.assertIn(f'{selected["kl_divergence"]["mean"]:.5f}', browser.text('tr.selected'))
        browser.click('details.front summary')
        wait_until(lambda: browser.run('return !!document.querySelector(".chart canvas")'), 'the front is drawn')
        self.shoot('job')

        weights = next(f for f in report['artifact']['files'] if f['path'] == 'model.safetensors')
        browser.click('a[download][href$="model.safetensors"]')
        file = self.path('downloads', 'model.safetensors')
        wait_until(lambda: os.path.exists(file), 'the file is there')
        self.assertEqual(digest(file), weights['digest']['sha256'])

        browser.click('.outcome .button')
        wait_until(lambda: browser.path().endswith('/report'), 'the report is shown')
        self.assertIn(report['verdict'], browser.text())
        self.assertNotEqual(browser.run('return getComputedStyle(document.body).margin'), '8px',
                            'the policy lets its own style through')
        self.shoot('report')
        for page in ('jobs', 'models', 'workers', 'recipes', model, f'{job}/tasks'):
            browser.open(f'{self.web}/{page}')
            self.assertNotEqual(browser.text('h1'), 'This did not work', page)
            self.shoot(page.split('/')[0] + ('-tasks' if page.endswith('tasks') else '-list'))
        self.assertEqual(browser.complaints(), [])

        browser.open(f'{self.web}/jobs')
        browser.type('body', '\ue004')  # Tab
        self.assertEqual(browser.run('return document.activeElement.className'), 'skip')

    def test_a_job_that_waits_is_cancelled_and_run_again(self):
        self.begin()
        browser = self.browser
        model = self.server.cli('model', 'upload', small_model.write(self.path('model')))['name']
        worker = self.server.cli('worker', 'list')['workers'][0]['name']
        self.server.cli('worker', 'cordon', worker)
        job = self.submit(model, os.path.join(SAMPLE, 'evaluation.txt'), '6bpw')
        wait_until(lambda: 'WORKERS_CORDONED' in browser.text('#live'), 'the page says what the job waits for')
        browser.click('button.danger')
        wait_until(lambda: 'cancelled' in browser.text('#live'), 'the job is cancelled')
        browser.click('form[action$="/retry"] button')
        wait_until(lambda: browser.path() != '/' + job and browser.text('#live'), 'another job')
        self.assertIn(self.server.job(browser.path().removeprefix('/'))['state'], ('QUEUED', 'RUNNING'))

    def test_a_token_is_asked_for(self):
        token, line = token_line('alice')
        tokens = self.path('tokens')
        with open(tokens, 'w', encoding='ascii') as file:
            file.write(line + '\n')
        self.begin('--tokens-file', tokens)
        browser = self.browser
        browser.open(f'{self.web}/workers')
        self.assertEqual(browser.path(), '/sign-in')
        browser.type('[name=token]', 'wrong\ue007')
        wait_until(lambda: browser.text('.error'), 'it is refused')
        browser.type('[name=token]', token + '\ue007')
        wait_until(lambda: browser.path() == '/workers', 'the page that was asked for')
        browser.click('.sign-out button')
        wait_until(lambda: browser.path() == '/sign-in', 'signed out')


if __name__ == '__main__':
    if missing():
        print(f'skipped: {" and ".join(missing())} of Debian are not installed')
        sys.exit(SKIPPED)
    if '--screenshots' in sys.argv:
        SHOTS = os.path.abspath(sys.argv.pop(sys.argv.index('--screenshots') + 1))
        sys.argv.remove('--screenshots')
        os.makedirs(SHOTS, exist_ok=True)
    unittest.main()
