"""The Python client of Bitwright: mixed-precision quantization of language models as a service.

    with bitwright.Client.local() as client:
        job = client.quantize('models/llama', '4.25bpw', calibration='sample', evaluation='valid.txt').wait()
        print(job.report.verdict)
        job.artifact.download('out')
"""

from bitwright.access import Tls
from bitwright.aio import AsyncArtifact, AsyncClient, AsyncJob
from bitwright.client import Artifact, Client, Job
from bitwright.errors import (AccessError, BitwrightError, InvalidError, JobCancelledError, JobFailedError, NotFoundError,
                              UnreachableError)
from bitwright.job_options import JobOptions, Text
from bitwright.models import Model
from bitwright.progress import Progress
from bitwright.types import Estimate, JobState, JobStatus, Report

__all__ = ['AccessError', 'Artifact', 'AsyncArtifact', 'AsyncClient', 'AsyncJob', 'BitwrightError', 'Client', 'Estimate',
           'InvalidError', 'Job', 'JobCancelledError', 'JobFailedError', 'JobOptions', 'JobState', 'JobStatus', 'Model',
           'NotFoundError', 'Progress', 'Report', 'Text', 'Tls', 'UnreachableError', '__version__']


def __getattr__(name: str) -> str:
    if name == '__version__':
        import importlib.metadata
        return importlib.metadata.version('bitwright')
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
