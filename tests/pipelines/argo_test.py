"""deploy/pipelines/argo: its template is one to Argo's own model of them, and its containers' commands do what they say."""

import os
import re
import subprocess
import unittest

from pipeline import PipelineTest, folder_of, program, wait_until

import ruamel.yaml
from hera.workflows.models import WorkflowTemplate

TEMPLATE = os.path.join(folder_of('argo'), 'workflow-template.yaml')


def template():
    with open(TEMPLATE, encoding='utf-8') as file:
        return ruamel.yaml.YAML(typ='safe').load(file)


def unknown_fields(given, understood, path=''):
    """Fields of a document that a model dropped: it takes unknown ones without a word."""
    if isinstance(given, dict):
        return [f'{path}.{name}' for name in given if not isinstance(understood, dict) or name not in understood] + [
            field for name in given if isinstance(understood, dict) and name in understood
            for field in unknown_fields(given[name], understood[name], f'{path}.{name}')]
    if isinstance(given, list):
        return [field for index, pair in enumerate(zip(given, understood, strict=True))
                for field in unknown_fields(*pair, f'{path}[{index}]')]
    return []


class Argo(PipelineTest):
    def test_argo_knows_every_field(self):
        document = template()
        model = WorkflowTemplate.model_validate(document)
        understood = model.model_dump(by_alias=True, exclude_none=True)
        self.assertEqual(unknown_fields(document, understood), [])

    def test_every_name_leads_somewhere(self):
        spec = template()['spec']
        names = {one['name'] for one in spec['templates']}
        used = {spec['entrypoint'], spec['onExit']}
        parameters = {one['name'] for one in spec['arguments']['parameters']}
        for one in spec['templates']:
            used |= {step['template'] for group in one.get('steps', ()) for step in group}
            inputs = {given['name'] for given in one.get('inputs', {}).get('parameters', ())}
            self.assertLessEqual(set(re.findall(r'\{\{inputs\.parameters\.([\w-]+)\}\}', str(one))), inputs)
            mounted = {mount['name'] for mount in one.get('container', {}).get('volumeMounts', ())}
            self.assertEqual(mounted, {volume['name'] for volume in one.get('volumes', ())})
        self.assertEqual(used, names)
        self.assertLessEqual(set(re.findall(r'\{\{workflow\.parameters\.([\w-]+)\}\}', str(spec))), parameters)

    def start(self, step, parameters):
        """The command of a container on this machine: with parameters filled in, and its files in a folder of the test."""
        container, = (one['container'] for one in template()['spec']['templates'] if one['name'] == step)
        self.assertEqual(container['command'], ['bitwright'])

        def filled(text):
            for prefix in ('workflow.parameters', 'inputs.parameters', 'workflow'):
                text = re.sub(r'\{\{' + re.escape(prefix) + r'\.([\w-]+)\}\}', lambda m: parameters[m.group(1)], text)
            self.assertNotIn('{{', text)
            return text.replace('/work', self.path('work'))
        # The server of the test takes everybody, in clear text.
        server = filled(next(one['value'] for one in container['env'] if one['name'] == 'BITWRIGHT_SERVER'))
        return subprocess.Popen([program('bitwright'), *map(filled, container['args'])], stderr=subprocess.PIPE, text=True,
                                stdout=subprocess.DEVNULL, env={**os.environ, 'BITWRIGHT_SERVER': server})

    def prepare(self, wanted):
        os.makedirs(self.path('work', 'in'))
        for use, (path,) in (('calibration', wanted.calibration), ('evaluation', wanted.evaluation)):
            os.rename(path, self.path('work', 'in', use))
        return {'server': self.server.address, 'model': self.model, 'budget': '4.25bpw', 'target': 'compressed-tensors',
                'name': 'small-x7k2p'}

    def test_the_step_fills_what_its_artifacts_name(self):
        step = self.start('quantize', self.prepare(self.wanted(size_bytes=20_000)))
        _, text = step.communicate()
        self.assertEqual(step.returncode, 0, text)
        outputs, = (one['outputs']['artifacts'] for one in template()['spec']['templates'] if 'outputs' in one)
        for artifact in outputs:
            self.assertTrue(os.path.exists(artifact['path'].replace('/work', self.path('work'))), artifact)

    def test_a_workflow_that_ends_takes_its_job_along(self):
        parameters = self.prepare(self.wanted('long', 500_000))
        step = self.start('quantize', parameters)
        wait_until(lambda: self.server.cli('job', 'list')['jobs'], 'the job is queued')
        step.terminate()
        step.communicate()
        self.assertIn(self.only_job()['state'], ('QUEUED', 'RUNNING'))
        end = self.start('cancel', parameters)
        _, text = end.communicate()
        self.assertEqual(end.returncode, 0, text)
        self.assertEqual(self.only_job()['state'], 'CANCELLED')


if __name__ == '__main__':
    unittest.main(verbosity=2)
