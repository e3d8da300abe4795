"""Headless Chromium by the WebDriver protocol (https://www.w3.org/TR/webdriver2/), with Debian's chromium and
chromium-driver and nothing else."""

import base64
import json
import re
import shutil
import subprocess
import urllib.error
import urllib.request

from service import wait_until

ELEMENT = 'element-6066-11e4-a52e-4f735466cecf'  # the protocol's name of a reference to an element


def missing():
    """What this machine lacks for a browser; empty: nothing."""
    return [name for name in ('chromium', 'chromedriver') if not shutil.which(name)]


class Browser:
    """downloads: the folder where files go that a page offers."""

    def __init__(self, downloads, log):
        with open(log, 'ab') as file:
            self.driver = subprocess.Popen(['chromedriver', '--port=0', f'--log-path={log}'], stdout=subprocess.PIPE,
                                           stderr=file, text=True)
        line = ''
        while not (port := re.search(r'started successfully on port (\d+)', line)):
            line = self.driver.stdout.readline()
            if not line:
                raise AssertionError('chromedriver does not start')
        self._base = f'http://127.0.0.1:{port.group(1)}/session'
        options = {'args': ['--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage',
                            '--window-size=1280,900'],
                   'prefs': {'download.default_directory': downloads, 'download.prompt_for_download': False}}
        made = self._call('POST', '', {'capabilities': {'alwaysMatch': {
            'browserName': 'chrome', 'goog:chromeOptions': options, 'goog:loggingPrefs': {'browser': 'ALL'}}}})
        self._base += '/' + made['sessionId']

    def _call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._base + path, data, {'Content-Type': 'application/json'}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)['value']
        except urllib.error.HTTPError as error:
            raise AssertionError(f'{path}: {json.load(error)["value"]["message"]}') from None

    def close(self):
        try:
            self._call('DELETE', '')
        finally:
            self.driver.terminate()
            self.driver.wait(20)
            self.driver.stdout.close()

    def open(self, url):
        self._call('POST', '/url', {'url': url})

    def run(self, script, *arguments):
        return self._call('POST', '/execute/sync', {'script': script, 'args': list(arguments)})

    def find(self, selector):
        """The first element of a CSS selector, once there is one."""
        def found():
            elements = self._call('POST', '/elements', {'using': 'css selector', 'value': selector})
            return elements and elements[0][ELEMENT]
        return wait_until(found, f'{selector} is on the page')

    def click(self, selector):
        self._call('POST', f'/element/{self.find(selector)}/click', {})

    def type(self, selector, text):
        self._call('POST', f'/element/{self.find(selector)}/value', {'text': text})

    def text(self, selector='body'):
        return self.run('const found = document.querySelector(arguments[0]); return found ? found.textContent : "";',
                        selector)

    def path(self):
        return self.run('return location.pathname')

    def command(self, name, **parameters):
        """A command of the DevTools protocol."""
        return self._call('POST', '/goog/cdp/execute', {'cmd': name, 'params': parameters})

    def complaints(self):
        """What the console says of errors, such as what the policy of a page forbids."""
        return [entry['message'] for entry in self._call('POST', '/se/log', {'type': 'browser'})
                if entry['level'] == 'SEVERE']

    def color_scheme(self, dark):
        self.command('Emulation.setEmulatedMedia',
                     features=[{'name': 'prefers-color-scheme', 'value': 'dark' if dark else 'light'}])

    def screenshot(self, path, width, height, dark):
        self.command('Emulation.setDeviceMetricsOverride', width=width, height=height, deviceScaleFactor=1, mobile=False)
        self.color_scheme(dark)
        with open(path, 'wb') as file:
            file.write(base64.b64decode(self._call('GET', '/screenshot')))
