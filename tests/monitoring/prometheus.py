"""The Prometheus of Debian: its server as a process, and its checker."""

import json
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RULES = os.path.join(SOURCE, 'deploy', 'prometheus')
SKIPPED = 77

sys.path.insert(0, os.path.join(SOURCE, 'tests', 'e2e'))
from service import PATIENCE, free_port, wait_until  # noqa: E402 (the folder is known only now)


def skip_without_prometheus():
    if not (shutil.which('prometheus') and shutil.which('promtool')):
        print('skipped: prometheus is not installed (package prometheus)')
        sys.exit(SKIPPED)


def promtool(*arguments):
    """Runs it; returns the exit code and all that it printed."""
    done = subprocess.run(['promtool', *arguments], capture_output=True, text=True, check=False, timeout=PATIENCE)
    return done.returncode, done.stdout + done.stderr


def read(name):
    with open(os.path.join(RULES, name), encoding='utf-8') as file:
        return file.read()


def text_of_config(target, seconds=1):
    """The shipped configuration with another target, and with short intervals."""
    text = read('prometheus.yml')
    for old, new in (('127.0.0.1:7072', target), ('15s', f'{seconds}s'), ('- rules.yml', f'- {RULES}/rules.yml'),
                     ('- alerts.yml', f'- {RULES}/alerts.yml')):
        assert old in text, f'prometheus.yml has no {old}'
        text = text.replace(old, new)
    return text


class Prometheus:
    """Scrapes one target every second, with the shipped rules."""

    def __init__(self, folder, target):
        os.makedirs(folder)
        config = os.path.join(folder, 'prometheus.yml')
        with open(config, 'w', encoding='utf-8') as file:
            file.write(text_of_config(target))
        address = f'127.0.0.1:{free_port()}'
        self._url = f'http://{address}/api/v1/'
        self._log = os.path.join(folder, 'log')
        with open(self._log, 'wb') as log:
            self._process = subprocess.Popen(
                ['prometheus', f'--config.file={config}', f'--storage.tsdb.path={folder}/data',
                 f'--web.listen-address={address}', '--log.level=warn'], stdout=log, stderr=log)
        wait_until(self._answers, 'prometheus answers')

    def _answers(self):
        if self._process.poll() is not None:
            raise AssertionError('prometheus ended at its start: ' + self.log())
        try:
            with urllib.request.urlopen(self._url.replace('/api/v1/', '/-/ready'), timeout=20):
                return True
        except urllib.error.URLError:  # it does not listen, or is not ready
            return False

    def log(self):
        with open(self._log, encoding='utf-8') as file:
            return file.read()

    def close(self):
        self._process.terminate()
        self._process.wait(PATIENCE)

    def _get(self, call, **parameters):
        try:
            with urllib.request.urlopen(self._url + call + '?' + urllib.parse.urlencode(parameters), timeout=20) as page:
                return json.load(page)['data']
        except urllib.error.HTTPError as error:
            raise AssertionError(f'{parameters}: {error.read().decode()}') from error

    def query(self, expression):
        """The numbers of an instant query, one for each series."""
        data = self._get('query', query=expression)
        samples = data['result'] if data['resultType'] == 'vector' else [{'value': data['result']}]
        return [float(sample['value'][1]) for sample in samples]

    def series(self, expression, begin, end, step):
        """Labels and (time, number) pairs of each series of a range query; times in seconds of the epoch."""
        data = self._get('query_range', query=expression, start=begin, end=end, step=step)
        return [(one['metric'], [(float(at), float(number)) for at, number in one['values']]) for one in data['result']]

    def value(self, expression):
        """That of a query that has one; nothing where it has none."""
        return next(iter(self.query(expression)), None)

    def rules(self):
        """All rules, as Prometheus has them: name, type, query, health, lastError."""
        return [rule for group in self._get('rules')['groups'] for rule in group['rules']]
