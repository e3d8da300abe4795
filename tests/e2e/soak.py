"""Jobs on the sample in a loop: memory and open files of server and agent must not grow.

Usage: BITWRIGHT_BIN=build/bin python3 tests/e2e/soak.py [--seconds 7200] [--small]
Every job has data of its own, so that nothing comes from the cache, and is deleted when it has ended. After each one the
resident memory and the open files of both processes are taken. The first third warms up; a straight line is fitted
through the rest. Along the line the memory may grow by ALLOWED_BYTES, which is what an allocator keeps by chance, and by
ALLOWED_BYTES_PER_JOB besides, which a long run tells from a leak; open files by ALLOWED_FILES.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time

import service
import small_model

ALLOWED_BYTES = 12 << 20
ALLOWED_BYTES_PER_JOB = 4 << 10
ALLOWED_FILES = 2.0
LEAST_JOBS = 12
DATA_BYTES = 4096
WINDOW = 64


def resident_bytes(pid):
    with open(f'/proc/{pid}/statm', encoding='ascii') as file:
        return int(file.read().split()[1]) * os.sysconf('SC_PAGESIZE')


def open_files(pid):
    return len(os.listdir(f'/proc/{pid}/fd'))


def growth(values):
    """Of a least-squares line through all but the first third, from its begin to its end."""
    kept = values[len(values) // 3:]
    middle = (len(kept) - 1) / 2
    mean = sum(kept) / len(kept)
    moment = sum((i - middle) * (value - mean) for i, value in enumerate(kept))
    return moment / sum((i - middle) ** 2 for i in range(len(kept))) * (len(kept) - 1)


class Soak:
    def __init__(self, folder, small):
        self._folder = folder
        model = small_model.write(os.path.join(folder, 'model')) if small else service.SAMPLE
        # A short memory, so that collections are part of what is repeated.
        self.service = service.Service(os.path.join(folder, 'service'), workers=1, threads=1,
                                       options=['--unused-blob-seconds', '5', '--cache-bytes', '0'])
        self._model = self.service.cli('model', 'upload', model)['name']
        self.jobs = 0
        self.samples = {'server': [], 'agent': []}  # (resident bytes, open files) after each job

    def one_job(self):
        self.jobs += 1
        texts = []
        for use in ('calibration', 'evaluation'):
            path = small_model.write_text(os.path.join(self._folder, use + '.txt'), DATA_BYTES, f'{use}{self.jobs}')
            texts += ['--' + use, path, f'--{use}-tokens', str(4 * WINDOW)]
        job = self.service.cli('job', 'submit', self._model, '--budget', '4.25bpw', '--recipe', 'uniform-gptq', *texts,
                               '--window', str(WINDOW))['name']
        ended = self.service.wait_ended(job)
        if ended['state'] != 'SUCCEEDED':
            raise AssertionError(f'{job}: {ended}')
        self.service.cli('job', 'delete', job)
        agent, = self.service.agents()
        for name, pid in (('server', self.service.process.pid), ('agent', agent)):
            self.samples[name].append((resident_bytes(pid), open_files(pid)))

    def run(self, seconds):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline or self.jobs < LEAST_JOBS:
            self.one_job()

    def verdicts(self):
        """(what, growth, bound, unit) of each process."""
        bound = ALLOWED_BYTES + ALLOWED_BYTES_PER_JOB * self.jobs
        for name, samples in self.samples.items():
            yield f'resident memory of the {name}', growth([one[0] for one in samples]) / 2**20, bound / 2**20, 'MiB'
            yield f'open files of the {name}', growth([one[1] for one in samples]), ALLOWED_FILES, ''


def run(seconds, small=False):
    """`small`: on the model of the other end-to-end tests, whose jobs are shorter. Returns what grew beyond its bound."""
    folder = tempfile.mkdtemp(prefix='soak-', dir='/tmp')
    soak = None
    try:
        soak = Soak(folder, small)
        soak.run(seconds)
        grown = []
        for what, found, bound, unit in soak.verdicts():
            print(f'{what}: {found:+.2f} {unit} in {soak.jobs} jobs (at most {bound:.2f})', flush=True)
            if found > bound:
                grown.append(what)
        for name, samples in soak.samples.items():
            print(f'{name}: ' + ' '.join(f'{memory / 2**20:.1f}/{files}' for memory, files in
                                        samples[::max(1, len(samples) // 40)]), 'MiB/files')
        return grown
    finally:
        if soak is not None:
            soak.service.stop()
        shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--seconds', type=float, default=600)
    parser.add_argument('--small', action='store_true', help='on a smaller model, for more jobs')
    options = parser.parse_args()
    return 1 if run(options.seconds, options.small) else 0


if __name__ == '__main__':
    sys.exit(main())
