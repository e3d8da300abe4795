"""deploy/compose: a file that Compose reads, of things that are there; its server and worker on this machine."""

import os
import re
import shutil
import ssl
import subprocess
import unittest
import urllib.request

import compose_spec
import yaml
from chart import known_flags, read
from launch import SOURCE, LaunchTest, make_secrets, run_cli, wait_until

FOLDER = os.path.join(SOURCE, 'deploy', 'compose')
OURS = {'server': 'bitwrightd', 'worker': 'bitwright-worker'}


def shipped(name):
    return read('deploy', 'compose', name)


def command_of(service, name):
    return [OURS[name], *service['command']]


class Compose(unittest.TestCase):
    def setUp(self):
        self.compose = yaml.safe_load(shipped('compose.yaml'))
        self.services = self.compose['services']

    def test_it_is_to_the_specification(self):
        parsed = compose_spec.PyOptions(apply_merge=True).from_yaml(shipped('compose.yaml'))
        parsed.validate()
        self.assertEqual(set(parsed.service_names()), {'server', 'worker', 'worker-cuda', 'prometheus', 'grafana'})

    def test_what_it_names_is_there(self):
        stages = set(re.findall(r'^FROM \S+ AS ([\w-]+)$', read('Dockerfile'), re.MULTILINE))
        for name, service in self.services.items():
            for volume in service.get('volumes', ()):
                source = volume.split(':')[0]
                there = os.path.exists(os.path.join(FOLDER, source)) if source.startswith('.') else (
                    source in self.compose['volumes'])
                self.assertTrue(there, f'{name}: {volume}')
            self.assertLessEqual(set(service.get('secrets', ())), set(self.compose['secrets']), name)
            for other in service.get('depends_on', {}):
                self.assertIn('healthcheck', self.services[other], f'{name} waits for {other} to be healthy')
            if 'build' in service:
                self.assertTrue(os.path.exists(os.path.join(FOLDER, service['build']['context'], 'Dockerfile')))
                self.assertIn(service['build']['target'], stages)
            else:
                self.assertRegex(service['image'], r'^[a-z/]+:v?\d+\.\d+\.\d+$', 'of a version')
        for name, service in self.services.items():
            for path in re.findall(r'/run/secrets/(\w+)', str(service)):
                self.assertIn(path, service['secrets'], name)

    def test_secrets_are_those_that_the_script_makes(self):
        folder = os.path.join('/tmp', f'compose-{os.getpid()}')
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        make_secrets(folder)
        made = {name: (os.path.getmtime(os.path.join(folder, name))) for name in os.listdir(folder)}
        for secret in self.compose['secrets'].values():
            self.assertIn(secret['file'].removeprefix('secrets/'), made)
        self.assertEqual(os.stat(folder).st_mode & 0o777, 0o700)
        make_secrets(folder)
        again = {name: (os.path.getmtime(os.path.join(folder, name))) for name in os.listdir(folder)}
        self.assertEqual(again, made, 'what is there is kept')

    def test_only_loopback_is_published(self):
        published = {name: service['ports'] for name, service in self.services.items() if 'ports' in service}
        self.assertEqual(published, {'server': ['127.0.0.1:7071:7071', '127.0.0.1:7073:7073'], 'grafana': ['127.0.0.1:3000:3000']})

    def test_containers_have_no_rights(self):
        for name, service in self.services.items():
            with self.subTest(name):
                self.assertTrue(service['read_only'])
                self.assertEqual(service['cap_drop'], ['ALL'])
                self.assertEqual(service['security_opt'], ['no-new-privileges:true'])

    def test_the_programs_know_the_flags(self):
        for name, started in OURS.items():
            self.assertIn(started, read('Dockerfile'))
            flags = {argument.partition('=')[0] for argument in self.services[name]['command']}
            self.assertLessEqual(flags, known_flags(started))

    def test_a_worker_with_a_card_is_a_worker_with_a_card(self):
        compose = {name: dict(service) for name, service in self.services.items()}
        plain, card = compose['worker'], compose['worker-cuda']
        self.assertEqual(card.pop('profiles'), ['cuda'], 'it starts only where it is asked for')
        device, = card.pop('deploy')['resources']['reservations']['devices']
        self.assertEqual((device['driver'], device['capabilities']), ('nvidia', ['gpu']))
        self.assertEqual(len(device['device_ids']), 1)
        self.assertEqual(card['build'].pop('args'), {'CUDA': 'ON'})
        self.assertEqual((card.pop('image'), card['build'].pop('target')), ('bitwright-worker-cuda', 'worker-cuda'))
        for service in (plain, card):
            for name in ('image', 'build'):
                service.pop(name, None)
        self.assertEqual(card, plain)

    def test_prometheus_and_grafana_are_set_up_as_shipped(self):
        own = yaml.safe_load(shipped('prometheus.yml'))
        self.assertEqual(own['scrape_configs'][0]['static_configs'], [{'targets': ['server:7072']}])
        own['scrape_configs'][0]['static_configs'] = [{'targets': ['127.0.0.1:7072']}]
        self.assertEqual(own, yaml.safe_load(read('deploy', 'prometheus', 'prometheus.yml')))
        source = yaml.safe_load(shipped('datasource.yml'))
        self.assertEqual(source['datasources'][0].pop('url'), 'http://prometheus:9090')
        wanted = yaml.safe_load(read('deploy', 'grafana', 'provisioning', 'datasources', 'prometheus.yml'))
        wanted['datasources'][0].pop('url')
        self.assertEqual(source, wanted)
        provider, = yaml.safe_load(read('deploy', 'grafana', 'provisioning', 'dashboards', 'bitwright.yml'))['providers']
        self.assertIn(f'../grafana/dashboards:{provider["options"]["path"]}:ro', self.services['grafana']['volumes'])


class Live(LaunchTest):
    def test_a_worker_joins_the_server(self):
        compose = yaml.safe_load(shipped('compose.yaml'))
        files = {f'/run/secrets/{name}': self.secret(os.path.basename(secret['file']))
                 for name, secret in compose['secrets'].items()}
        files['/data'] = self.path('data')
        os.mkdir(self.path('data'))
        for name, service in compose['services'].items():
            if name in OURS:
                self.launch(name, [self.here(argument, files) for argument in command_of(service, name)],
                            XDG_CACHE_HOME=self.path('cache'))
        worker, = wait_until(self.workers, 'the worker joins')
        self.assertEqual(worker['capacity']['device'], 'cpu')
        run_cli('doctor', **self.as_user())  # ends with another code than 0 where something is at fault
        page = ssl.create_default_context(cafile=self.secret('ca.pem'))
        with urllib.request.urlopen(f'https://localhost:{self.ports[7073]}/', context=page, timeout=60) as answer:
            self.assertTrue(answer.url.endswith('/sign-in?next=%2F'), answer.url)
        test = compose['services']['server']['healthcheck']['test']
        self.assertEqual(test, ['CMD', 'server-health', '7072'])
        subprocess.run([os.path.join(SOURCE, 'deploy', 'containers', test[1]), str(self.ports[7072])], check=True)
        self.assertTrue(os.path.exists(self.path('data', 'audit.jsonl')))


if __name__ == '__main__':
    unittest.main(verbosity=2)
