"""From a folder to an artifact, with a service of its own; says on what."""

import importlib.metadata
import os
import platform
import sys
import tempfile

import bitwright

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'e2e'))
import small_model  # noqa: E402

with tempfile.TemporaryDirectory() as work:
    model = small_model.write(os.path.join(work, 'model'))
    texts = {use: small_model.write_text(os.path.join(work, use), 2048, use) for use in ('calibration', 'evaluation')}
    with bitwright.Client.local(daemon=os.path.join(os.environ['BITWRIGHT_BIN'], 'bitwrightd')) as client:
        job = client.quantize(model, '6bpw', window=64, **texts).wait(progress=False)
        folder = job.artifact.download(os.path.join(work, 'out'))
        assert job.report.best.average_bits <= 6, job.report
        assert sum(file.stat().st_size for file in folder.iterdir()) == job.report.artifact_bytes
versions = [f'{name} {importlib.metadata.version(name)}' for name in ('bitwright', 'grpcio', 'protobuf')]
print(f'ok   Python {platform.python_version()}, {", ".join(versions)}')
