"""Pictures of the dashboards for the READMEs: a service runs jobs for some minutes, scraped by a real Prometheus.

Usage: draw_dashboards.py OUT [MINUTES]. Needs Debian's prometheus, chromium and chromium-driver.
"""

import json
import os
import sys
import time
import unittest

import dashboard_page
import prometheus
from monitoring_test import dashboards

import small_model
from browser import Browser, missing
from service import CliError, ServiceTest, wait_until

BUDGETS = ('4.25bpw', '3.5bpw', '6bpw', '5bpw', '8bpw')
WIDTH = 1280


class Draw(ServiceTest):
    out = ''
    minutes = 5.0

    def test_draw(self):
        server = self.start_service(workers=2, threads=1)
        scraped = prometheus.Prometheus(self.path('prometheus'), server.metrics_address)
        self.addCleanup(scraped.close)
        model = small_model.write(self.path('model'))
        begin = time.time()
        turn = 0
        while time.time() < begin + 60 * self.minutes:
            texts = self.texts(f'turn{turn}', 20_000 + 7_000 * (turn % 5))
            waiting = [server.cli('job', 'submit', model, '--budget', budget, *texts)['name']
                       for budget in BUDGETS[:1 + turn % len(BUDGETS)]]
            for job in waiting:
                wait_until(lambda job=job: server.job(job)['state'] not in ('QUEUED', 'RUNNING'), 'a job ends', 600)
            if turn % 4 == 3:
                try:
                    server.cli('quantize', model, *self.bound_that_fails(), *texts, '-o', self.path(f'failed{turn}'))
                except CliError as error:
                    print(f'refused, as it should: {error.reason}')
            turn += 1
        end = time.time()
        os.makedirs(self.path('downloads'))
        browser = Browser(self.path('downloads'), self.path('browser.log'))
        self.addCleanup(browser.close)
        for name, board in dashboards().items():
            path = self.path(name.replace('.json', '.html'))
            with open(path, 'w', encoding='utf-8') as file:
                file.write(dashboard_page.page(board, scraped, begin, end))
            browser.open('file://' + path)
            height = browser.run('return document.documentElement.scrollHeight')
            browser.screenshot(os.path.join(self.out, name.replace('.json', '.png')), WIDTH, height, False)
        print(json.dumps({'jobs': turn, 'seconds': end - begin}))


if __name__ == '__main__':
    if missing():
        sys.exit(f'{" and ".join(missing())} of Debian are not installed')
    prometheus.skip_without_prometheus()
    Draw.out = os.path.abspath(sys.argv[1])
    Draw.minutes = float(sys.argv[2]) if len(sys.argv) > 2 else Draw.minutes
    os.makedirs(Draw.out, exist_ok=True)
    unittest.main(argv=sys.argv[:1])
