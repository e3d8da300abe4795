"""The Helm chart, rendered by Helm itself, and what is to be known of its manifests."""

import json
import os
import re
import subprocess
import sys

import yaml

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CHART = os.path.join(SOURCE, 'deploy', 'helm', 'bitwright')
HELM = os.path.join(os.path.dirname(sys.executable), 'helm')
NAMESPACE = 'quant'

GPU_POOL = {
    'device': 'cuda', 'computeClass': 'cuda-sm90-132', 'image': {'repository': 'registry.example.org/worker-cuda', 'tag': '1'},
    'threads': 4, 'memoryBytes': 60 << 30, 'cacheBytes': 100 << 30, 'minReplicas': 1, 'maxReplicas': 4, 'tasksPerWorker': 2,
    'countUnpinned': False, 'runtimeClassName': 'nvidia',
    'resources': {'requests': {'cpu': 4, 'memory': '64Gi'}, 'limits': {'nvidia.com/gpu': 1, 'memory': '64Gi'}},
    'nodeSelector': {'nvidia.com/gpu.product': 'H100'}, 'podAnnotations': {'example.org/team': 'ml'},
    'tolerations': [{'key': 'nvidia.com/gpu', 'operator': 'Exists', 'effect': 'NoSchedule'}]}
TWO_POOLS = {'keda': {'enabled': True, 'scaleDown': 'gradual'},
             'workers': {'pools': {'cpu': {'maxReplicas': 10}, 'h100': GPU_POOL}}}
CERTIFICATES = {'tls': {'secretName': 'own-tls', 'clientCaSecretName': 'own-client-ca'}, 'tokens': {'secretName': 'own-tokens'},
                'workers': {'certificateSecretName': 'own-worker', 'tokenSecretName': 'own-worker-token'}}
EVERYTHING = {
    **TWO_POOLS, **CERTIFICATES, 'nameOverride': 'quantizer',
    'keda': {**TWO_POOLS['keda'], 'certificateSecretName': 'own-keda'},
    'workers': {**TWO_POOLS['workers'], **CERTIFICATES['workers'], 'image': {'repository': 'registry.example.org/worker'}},
    'image': {'repository': 'registry.example.org/server', 'tag': '2', 'pullPolicy': 'Always', 'pullSecrets': ['registry']},
    'server': {'localWorkers': 1, 'extraArgs': ['--tenant-queued-jobs=100'], 'nodeSelector': {'disk': 'fast'},
               'podAnnotations': {'a': 'b'}, 'persistence': {'existingClaim': 'old-data'},
               'tolerations': [{'operator': 'Exists'}], 'affinity': {'nodeAffinity': {}}},
    'service': {'type': 'LoadBalancer', 'port': 443, 'annotations': {'example.org/internal': 'true'}},
    'metrics': {'serviceMonitor': {'enabled': True, 'labels': {'release': 'prometheus'}}},
    'networkPolicy': {'clients': [{'ipBlock': {'cidr': '10.0.0.0/8'}}], 'egress': [{'ipBlock': {'cidr': '10.1.0.0/16'}}]}}
VALUE_SETS = {'defaults': {}, 'certificates': CERTIFICATES, 'two pools': TWO_POOLS, 'everything': EVERYTHING,
              'no workers': {'workers': {'pools': {'cpu': None}}, 'networkPolicy': {'enabled': False},
                             'web': {'enabled': False}},
              'idle': {'keda': {'enabled': True}, 'workers': {'pools': {'cpu': {'maxReplicas': 3}}}}}


class ChartError(AssertionError):
    """What Helm said against the values."""


def helm(*arguments, values):
    done = subprocess.run([HELM, *arguments, '--values', '-'], input=json.dumps(values), capture_output=True, text=True,
                          check=False, timeout=60, env={'HOME': '/nonexistent', 'PATH': os.environ['PATH']})
    if done.returncode != 0:
        raise ChartError(done.stdout + done.stderr)
    return done.stdout


def render(values):
    """The manifests, in order."""
    text = helm('template', 'r', CHART, '--namespace', NAMESPACE, values=values)
    return [document for document in yaml.safe_load_all(text) if document]


def of_kind(manifests, kind):
    """By name."""
    return {one['metadata']['name']: one for one in manifests if one['kind'] == kind}


def pods(manifests):
    """(name of the workload, pod template) of all, the server's first."""
    return [(one['metadata']['name'], one['spec']['template']) for kind in ('StatefulSet', 'Deployment')
            for one in manifests if one['kind'] == kind]


def matches(selector, labels):
    return all(labels.get(name) == value for name, value in selector.items())


def read(*path):
    with open(os.path.join(SOURCE, *path), encoding='utf-8') as file:
        return file.read()


def known_flags(program):
    told = subprocess.run([os.path.join(os.environ['BITWRIGHT_BIN'], program), '--help'], capture_output=True, text=True,
                          check=True).stdout
    return set(re.findall(r'--[a-z][a-z-]+', told))
