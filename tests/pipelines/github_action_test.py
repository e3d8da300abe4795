"""deploy/pipelines/github-action: its schema, and its step as a runner executes it, against a live server."""

import os
import re
import subprocess
import sys
import unittest

from pipeline import PipelineTest, folder_of, lines_of, program

import ruamel.yaml  # what check-jsonschema reads YAML with

ACTION = os.path.join(folder_of('github-action'), 'action.yml')


def action():
    with open(ACTION, encoding='utf-8') as file:
        return ruamel.yaml.YAML(typ='safe').load(file)


class GithubAction(PipelineTest):
    def test_the_schema(self):
        done = subprocess.run([sys.executable, '-m', 'check_jsonschema', '--builtin-schema', 'vendor.github-actions',
                               ACTION], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def run_action(self, **given):
        """The steps with these inputs; returns exit code, what was printed, outputs and summary."""
        declared = action()
        inputs = {name: one.get('default', '') for name, one in declared['inputs'].items()}
        inputs.update({name.replace('_', '-'): value for name, value in given.items()})
        self.assertEqual(set(inputs), set(declared['inputs']), 'all inputs are declared')
        step, = declared['runs']['steps']
        files = {name: self.path(name.lower()) for name in ('GITHUB_OUTPUT', 'GITHUB_STEP_SUMMARY')}
        for path in files.values():
            open(path, 'w', encoding='utf-8').close()
        variables = {name: re.sub(r'\$\{\{ inputs\.([\w-]+) \}\}', lambda match: inputs[match.group(1)], value)
                     for name, value in step['env'].items()}
        self.assertFalse([value for value in variables.values() if '${{' in value])
        clean = {name: value for name, value in os.environ.items() if not name.startswith('BITWRIGHT')}
        done = subprocess.run(['bash', '-e', '-o', 'pipefail', '-c', step['run']], cwd=self.dir, text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env={**clean, **files, **variables, 'GITHUB_ACTION_PATH': os.path.dirname(ACTION),
                                   'RUNNER_TEMP': self.dir})
        outputs = dict(line.split('=', 1) for line in lines_of(files['GITHUB_OUTPUT']))
        return done.returncode, done.stdout, outputs, '\n'.join(lines_of(files['GITHUB_STEP_SUMMARY']))

    def inputs(self, **changes):
        wanted = self.wanted()
        return {'server': self.server.address, 'model': self.model, 'budget': '4.25bpw', 'program': program('bitwright'),
                'calibration': wanted.calibration[0], 'evaluation': wanted.evaluation[0],
                'options': '\n'.join(wanted.options), **changes}

    def test_a_model_becomes_outputs_and_a_summary(self):
        code, text, outputs, summary = self.run_action(**self.inputs())
        self.assertEqual(code, 0, text)
        self.assert_result(self.path(outputs['out']))
        report = self.server.cli('job', 'report', outputs['job'])
        self.assertEqual(outputs['verdict'], report['verdict'])
        self.assertEqual(outputs['artifact-bytes'], report['artifact_bytes'])
        self.assertIn(report['verdict'], summary)
        named = set(re.findall(r'steps\.quantize\.outputs\.([\w-]+)', str(action()['outputs'])))
        self.assertEqual(named, set(outputs), 'outputs of the action are those of its step')

    def test_what_fails_is_an_annotation(self):
        code, text, outputs, _ = self.run_action(**self.inputs(budget='0.5bpw'))
        self.assertEqual((code, outputs), (1, {}))
        self.assertIn('::error title=BUDGET_BELOW_SMALLEST_PLAN::', text)

    def test_quality_is_a_gate(self):
        code, text, outputs, _ = self.run_action(**self.inputs(fail_above_kld='0.0000001'))
        self.assertEqual(code, 1)
        self.assertIn('::error title=QUALITY::', text)
        self.assertTrue(outputs['kl-divergence'], 'it can be looked at all the same')

    def test_an_input_is_no_command(self):
        code, text, _, _ = self.run_action(**self.inputs(model='$(touch touched); `touch touched`'))
        self.assertEqual(code, 1, text)
        self.assertFalse(os.path.exists(self.path('touched')))


if __name__ == '__main__':
    unittest.main(verbosity=2)
