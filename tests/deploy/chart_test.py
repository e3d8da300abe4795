"""deploy/helm: what it renders is what Kubernetes takes, what the programs understand, and fits together."""

import functools
import json
import re
import unittest

import kubernetes_validate
import yaml
from chart import (CHART, NAMESPACE, TWO_POOLS, VALUE_SETS, ChartError, helm, known_flags, matches, of_kind, pods, read,
                   render)

OLDEST, NEWEST = '1.25', kubernetes_validate.latest_version()
# Kinds that a cluster learns of others, and the fields of their specs that we use (KEDA 2: keda.sh/docs/latest/reference;
# Prometheus operator: api-reference/api.md).
FOREIGN = {
    ('keda.sh/v1alpha1', 'ScaledObject'): {'scaleTargetRef', 'minReplicaCount', 'maxReplicaCount', 'pollingInterval',
                                           'cooldownPeriod', 'advanced', 'triggers'},
    ('keda.sh/v1alpha1', 'TriggerAuthentication'): {'secretTargetRef'},
    ('monitoring.coreos.com/v1', 'ServiceMonitor'): {'jobLabel', 'selector', 'endpoints'},
}
REFUSED = [
    ({'server': {'listen': '0.0.0.0:1'}}, 'property listen is not allowed'),
    ({'server': {'extraArgs': ['--listen=0.0.0.0:1']}}, 'server.extraArgs.0'),
    ({'tls': {'secretName': ''}}, 'tls.secretName'),
    ({'workers': {'pools': {'cpu': {'device': 'cpu-avx2'}}}}, 'workers.pools.cpu.device'),
    ({'workers': {'pools': {'gpu': {'device': 'cuda', 'threads': 1, 'resources': {}}}}}, 'image is required'),
    ({'workers': {'pools': {'gpu': {'device': 'cuda', 'threads': 1, 'image': {'repository': 'w'}, 'resources': {}}}}},
     'workers.pools.gpu.resources.limits names no card'),
    ({'workers': {'pools': {'cpu': {'tasksPerWorker': 1001}}}}, 'workers.pools.cpu.tasksPerWorker'),
    ({'workers': {'pools': {'CPU': {'device': 'cpu', 'threads': 1, 'resources': {}}}}}, 'property CPU is not allowed'),
    ({'keda': {'enabled': True}, 'workers': {'pools': {'cpu': {'minReplicas': 1, 'maxReplicas': 2}}}},
     'set keda.scaleDown to "gradual"'),
    ({'tls': {'clientCaSecretName': 'ca'}}, 'workers.certificateSecretName is empty'),
    ({'tls': {'clientCaSecretName': 'ca'}, 'keda': {'enabled': True}, 'workers': {'certificateSecretName': 'w'}},
     'keda.certificateSecretName is empty'),
]


def leaves(values, path=''):
    """(dotted path, value) of all that a person may set: empty maps and lists are leaves, and pools are of their own."""
    for name, value in values.items():
        here = f'{path}{name}'
        if isinstance(value, dict) and value and here != 'workers.pools' and not here.startswith('networkPolicy.'):
            yield from leaves(value, here + '.')
        else:
            yield here, value


def of_every_set(check):
    """A test of the manifests that each of VALUE_SETS gives."""
    @functools.wraps(check)
    def run(self):
        for name, manifests in self.rendered.items():
            with self.subTest(name):
                check(self, manifests)
    return run


class Chart(unittest.TestCase):
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        cls.rendered = {name: render(values) for name, values in VALUE_SETS.items()}

    @of_every_set
    def test_kubernetes_takes_every_manifest(self, manifests):
        for manifest in manifests:
            kind = manifest['apiVersion'], manifest['kind']
            if kind in FOREIGN:
                self.assertLessEqual(set(manifest['spec']), FOREIGN[kind])
                continue
            for version in (OLDEST, NEWEST):
                try:
                    kubernetes_validate.validate(manifest, version, strict=True)
                except kubernetes_validate.ValidationError as error:
                    self.fail(f'{kind} under {version}: {list(error.path)}: {error.message}')

    def test_helm_finds_nothing_to_say(self):
        for name, values in VALUE_SETS.items():
            with self.subTest(name):
                helm('lint', '--strict', '--quiet', CHART, values=values)

    def test_other_values_are_refused_by_name(self):
        for values, message in REFUSED:
            with self.subTest(message), self.assertRaisesRegex(ChartError, re.escape(message)):
                render(values)

    @of_every_set
    def test_the_programs_know_the_flags(self, manifests):
        known = {program: known_flags(program) for program in ('bitwrightd', 'bitwright-worker')}
        for _, pod in pods(manifests):
            container, = pod['spec']['containers']
            program, = container['command']
            flags = [argument.partition('=')[0] for argument in container['args']]
            self.assertLessEqual(set(flags), known[program])
            self.assertEqual(len(set(flags)), len(flags))

    @of_every_set
    def test_pods_have_no_rights(self, manifests):
        for _, pod in pods(manifests):
            spec = pod['spec']
            self.assertFalse(spec['automountServiceAccountToken'])
            self.assertTrue(spec['securityContext']['runAsNonRoot'])
            self.assertEqual(spec['securityContext']['seccompProfile'], {'type': 'RuntimeDefault'})
            for container in spec['containers']:
                rights = container['securityContext']
                self.assertTrue(rights['readOnlyRootFilesystem'])
                self.assertFalse(rights['allowPrivilegeEscalation'])
                self.assertEqual(rights['capabilities'], {'drop': ['ALL']})

    def test_the_images_user_is_the_pods(self):
        user, = set(re.findall(r'^USER (\d+):\1$', read('Dockerfile'), re.MULTILINE))
        _, pod = pods(self.rendered['defaults'])[0]
        self.assertEqual({pod['spec']['securityContext'][name] for name in ('runAsUser', 'runAsGroup', 'fsGroup')}, {int(user)})

    @of_every_set
    def test_every_file_that_is_named_is_mounted(self, manifests):
        for name, pod in pods(manifests):
            container, = pod['spec']['containers']
            mounts = {mount['name']: mount['mountPath'] for mount in container['volumeMounts']}
            claims = {claim['metadata']['name'] for one in manifests if one['metadata']['name'] == name
                      for claim in one['spec'].get('volumeClaimTemplates', ())}
            volumes = {volume['name']: volume for volume in pod['spec']['volumes']}
            self.assertEqual(set(mounts), set(volumes) | claims)
            files = {f'{mounts[volume]}/{item["path"]}' for volume, given in volumes.items()
                     for item in given.get('secret', {}).get('items', ())}
            named = {path for argument in container['args'] for path in re.findall(r'=(/etc/\S+)', argument)}
            self.assertEqual(files, named)

    @of_every_set
    def test_secrets_are_never_made(self, manifests):
        self.assertEqual(of_kind(manifests, 'Secret'), {})
    def test_a_worker_is_not_given_the_servers_key(self):
        named = set(re.findall(r'own-[a-z-]+', json.dumps(self.rendered['everything'])))
        self.assertEqual(named, {'own-tls', 'own-client-ca', 'own-tokens', 'own-worker', 'own-worker-token', 'own-keda'})
        _, worker = pods(self.rendered['everything'])[1]
        items = [item['key'] for volume in worker['spec']['volumes'] for item in volume.get('secret', {}).get('items', ())
                 if volume['secret']['secretName'] == 'own-tls']
        self.assertEqual(items, ['ca.crt'])

    @of_every_set
    def test_selectors_select_what_they_are_for(self, manifests):
        labels = {name: pod['metadata']['labels'] for name, pod in pods(manifests)}
        server, = of_kind(manifests, 'StatefulSet')
        for name, one in of_kind(manifests, 'Service').items():
            self.assertEqual([pod for pod in labels if matches(one['spec']['selector'], labels[pod])], [server], name)
        budgets = of_kind(manifests, 'PodDisruptionBudget')
        self.assertEqual(set(budgets), set(labels))
        for name, one in budgets.items():
            wanted = one['spec']['selector']['matchLabels']
            self.assertEqual([pod for pod in labels if matches(wanted, labels[pod])], [name])
        for name, one in of_kind(manifests, 'NetworkPolicy').items():
            wanted = one['spec']['podSelector']['matchLabels']
            chosen = {pod for pod in labels if matches(wanted, labels[pod])}
            self.assertEqual(chosen, {server} if name == server else set(labels) - {server})

    @of_every_set
    def test_ports_lead_to_the_server(self, manifests):
        server, = of_kind(manifests, 'StatefulSet').values()
        container, = server['spec']['template']['spec']['containers']
        ports = {port['name']: port['containerPort'] for port in container['ports']}
        listens = {argument.partition('=')[0]: int(argument.rpartition(':')[2]) for argument in container['args']
                   if 'listen=' in argument and not argument.endswith('=off')}
        self.assertEqual(sorted(listens.values()), sorted(ports.values()))
        addresses = {f'{name}.{NAMESPACE}.svc:{port["port"]}': port['targetPort']
                     for name, one in of_kind(manifests, 'Service').items() for port in one['spec']['ports']}
        self.assertLessEqual(set(addresses.values()), set(ports))
        for _, pod in pods(manifests)[1:]:
            join, = [argument for argument in pod['spec']['containers'][0]['args'] if argument.startswith('--join=')]
            self.assertEqual(addresses[join.removeprefix('--join=')], 'grpc')
        for one in of_kind(manifests, 'ScaledObject').values():
            trigger, = one['spec']['triggers']
            self.assertEqual(addresses[trigger['metadata']['scalerAddress']], 'scaler')
        for one in of_kind(manifests, 'NetworkPolicy').values():
            for rule in one['spec']['ingress']:
                self.assertLessEqual({port['port'] for port in rule['ports']}, set(ports))

    def test_keda_scales_pools_that_have_a_limit(self):
        scaled = of_kind(self.rendered['two pools'], 'ScaledObject')
        deployments = of_kind(self.rendered['two pools'], 'Deployment')
        for name, one in scaled.items():
            self.assertEqual(one['spec']['scaleTargetRef'], {'name': name})
            self.assertNotIn('replicas', deployments[name]['spec'], 'KEDA sets them')
            self.assertNotIn('advanced', one['spec'])
        self.assertEqual([(one['spec']['minReplicaCount'], one['spec']['maxReplicaCount']) for one in scaled.values()],
                         [(0, 10), (1, 4)])
        gpu = deployments['r-bitwright-worker-h100']['spec']['template']['spec']
        self.assertEqual(gpu['containers'][0]['resources']['limits']['nvidia.com/gpu'], 1)
        self.assertEqual(gpu['containers'][0]['image'], 'registry.example.org/worker-cuda:1')
        self.assertIn('--device=cuda', gpu['containers'][0]['args'])
        self.assertIn('--compute-class=cuda-sm90-132', gpu['containers'][0]['args'])
        cpu = deployments['r-bitwright-worker-cpu']['spec']['template']['spec']
        self.assertIn('--device=cpu', cpu['containers'][0]['args'])
        metadata = scaled['r-bitwright-worker-h100']['spec']['triggers'][0]['metadata']
        self.assertEqual({name: metadata[name] for name in metadata if name != 'scalerAddress'},
                         {'device': 'cuda', 'computeClass': 'cuda-sm90-132', 'countUnpinned': 'false', 'tasksPerWorker': '2'})
        idle, = of_kind(self.rendered['idle'], 'ScaledObject').values()
        behavior = idle['spec']['advanced']['horizontalPodAutoscalerConfig']['behavior']
        self.assertEqual(behavior, {'scaleDown': {'selectPolicy': 'Disabled'}})
        without = render({'workers': TWO_POOLS['workers']})
        self.assertEqual(of_kind(without, 'ScaledObject'), {})
        self.assertEqual({one['spec']['replicas'] for one in of_kind(without, 'Deployment').values()}, {1})

    def test_no_replicas_are_none(self):
        worker, = of_kind(render({'workers': {'pools': {'cpu': {'replicas': 0}}}}), 'Deployment').values()
        self.assertEqual(worker['spec']['replicas'], 0)

    def test_the_version_is_the_projects(self):
        chart = yaml.safe_load(read('deploy/helm/bitwright/Chart.yaml'))
        version, = re.findall(r'project\(bitwright VERSION (\S+)', read('CMakeLists.txt'))
        self.assertEqual((chart['version'], chart['appVersion']), (version, version))

    def test_the_readme_has_every_value(self):
        readme = read('deploy/helm/bitwright/README.md')
        cells = [[cell.strip() for cell in line.split('|')[1:3]] for line in readme.splitlines() if line.startswith('| `')]
        rows = {name.strip('`'): default for name, default in cells if re.fullmatch(r'`[\w.]+`', name)}
        values = dict(leaves(yaml.safe_load(read('deploy/helm/bitwright/values.yaml'))))
        pool = json.loads(read('deploy/helm/bitwright/values.schema.json'))['definitions']['pool']['properties']
        self.assertEqual(set(rows), set(values) | {f'pool.{name}' for name in pool})
        for path, value in values.items():
            told = rows[path].strip('`')
            if path == 'workers.pools' or path.startswith('networkPolicy.') and isinstance(value, list) and value:
                continue  # said in words
            wanted = {True: 'true', False: 'false'}.get(value) if isinstance(value, bool) else str(value)
            self.assertEqual(told, '' if value in ('', {}, []) else wanted, path)


if __name__ == '__main__':
    unittest.main(verbosity=2)
