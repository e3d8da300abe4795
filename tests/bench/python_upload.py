#!/usr/bin/env python3
"""Upload rate of the Python client beside that of the C++ client, against one server, in turn, with new random files.

usage: BITWRIGHT_BIN=build/bin python3 tests/bench/python_upload.py [MiB] [ROUNDS]    (the Python has bitwright installed)

Each client uploads a model folder whose weights are random bytes: read, hashed, sent, made durable, and then rejected
by the inspection. What a folder with hardly any bytes takes the client is subtracted. Prints the rate of each, by its
fastest round, the CPU seconds of the client, and the ratio of the rates.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time

import bitwright

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'e2e'))
import service  # noqa: E402
import small_model  # noqa: E402

SMALL_BYTES = 1 << 12


def random_model(folder, size_bytes):
    os.makedirs(folder)
    with open(os.path.join(folder, 'config.json'), 'w', encoding='utf-8') as file:
        json.dump(small_model.config(), file)
    with open(os.path.join(folder, 'model.safetensors'), 'wb') as file:
        block = os.urandom(1 << 20)
        for offset in range(0, size_bytes, len(block)):
            file.write(os.urandom(16) + block[16:][:size_bytes - offset - 16])
    return folder


def by_program(address, folder):
    done = subprocess.run([service.program('bitwright'), '--server', address, '-q', 'model', 'upload', folder, '--json'],
                          capture_output=True, text=True, check=False, env=service.environment())
    assert json.loads(done.stdout)['error']['reason'] == 'SAFETENSORS_HEADER_TOO_LARGE', done.stdout


def by_package(address, folder):
    with bitwright.Client(address) as client:
        try:
            client.upload_model(folder, progress=False)
        except bitwright.InvalidError as error:
            assert error.reason == 'SAFETENSORS_HEADER_TOO_LARGE', error
            return
    raise AssertionError('random bytes were taken for a model')


def cpu_seconds():
    """Of this program, and of those that it waited for: not of the service, which still runs."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def measure(upload, address, work, size_bytes):
    """Wall and CPU seconds of one upload."""
    with tempfile.TemporaryDirectory(dir=work) as place:
        folder = random_model(os.path.join(place, 'model'), size_bytes)
        began, cpu = time.monotonic(), cpu_seconds()
        upload(address, folder)
        return time.monotonic() - began, cpu_seconds() - cpu


def main():
    mebibytes = int(sys.argv[1]) if len(sys.argv) > 1 else 512
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    clients = {'C++': by_program, 'Python': by_package}
    sizes = {'small': SMALL_BYTES, 'large': mebibytes << 20}
    taken = {(name, size): [] for name in clients for size in sizes}
    with tempfile.TemporaryDirectory(prefix='python-upload-', dir='/var/tmp') as work:
        server = service.Service(os.path.join(work, 'service'))
        try:
            for _ in range(rounds):
                for name, size in taken:
                    taken[name, size].append(measure(clients[name], server.address, work, sizes[size]))
        finally:
            server.close()
    rates = {}
    for name in clients:
        wall, cpu = (min(large) - min(small) for large, small in zip(zip(*taken[name, 'large']), zip(*taken[name, 'small'])))
        rates[name] = sizes['large'] / wall
        print(f'{name}: {rates[name] / 1e6:.0f} MB/s of {mebibytes} MiB, {cpu:.2f} s of the client\'s CPU; rounds of '
              + ', '.join(f'{seconds:.2f} s' for seconds, _ in taken[name, 'large']))
    print(f"Python / C++: {rates['Python'] / rates['C++']:.2f}")


if __name__ == '__main__':
    main()
