"""How long after a page was asked for Chromium paints it, beside a file that costs the server nothing.

Usage: BITWRIGHT_BIN=build/bin web_paint.py [LOADS]. Needs Debian's chromium and chromium-driver.
"""

import os
import statistics
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'e2e'))
import small_model  # noqa: E402 (the folder is known only now)
from browser import Browser, missing  # noqa: E402
from service import ServiceTest, free_port, wait_until  # noqa: E402

PAINT = '''const paint = performance.getEntriesByName("first-contentful-paint")[0];
return paint ? paint.startTime : 0;'''  # milliseconds; https://www.w3.org/TR/paint-timing/
STYLE = 'return document.querySelector("link[rel=stylesheet]").href'


class Paint(ServiceTest):
    loads = 15

    def measure(self, browser, name, url):
        paints = []
        for _ in range(self.loads):
            browser.open(url)
            paints.append(wait_until(lambda: browser.run(PAINT), f'{url} is painted'))
        print(f'{name:24} median {statistics.median(paints):6.0f} ms, slowest {max(paints):6.0f} ms', flush=True)

    def test_paint(self):
        port = free_port()
        web = f'http://localhost:{port}'
        server = self.start_service(workers=1, options=('--web-listen', f'localhost:{port}'))
        model = small_model.write(self.path('model'))
        result = server.cli('quantize', model, '--budget', '6bpw', *self.texts(), '-o', self.path('out'))
        job = server.cli('job', 'list')['jobs'][0]['name']
        self.assertTrue(result['report'])
        os.makedirs(self.path('downloads'))
        browser = Browser(self.path('downloads'), self.path('browser.log'))
        self.addCleanup(browser.close)
        browser.open(f'{web}/jobs')
        self.measure(browser, 'a file, as text', browser.run(STYLE))
        self.measure(browser, 'list of jobs', f'{web}/jobs')
        self.measure(browser, 'finished job', f'{web}/{job}')
        self.measure(browser, 'its report', f'{web}/{job}/report')
        self.measure(browser, 'workers', f'{web}/workers')


if __name__ == '__main__':
    if missing():
        sys.exit(f'{" and ".join(missing())} of Debian are not installed')
    if len(sys.argv) > 1:
        Paint.loads = int(sys.argv[1])
    unittest.main(argv=sys.argv[:1])
