"""One job of several goals: what they share is done once, each has its own artifact and report, and the loss that a bound
of quality allows is not exceeded as measured."""

import os
import unittest

import small_model
from service import CliError, ServiceTest, files_below, outcome

TARGETS = ('compressed-tensors', 'gguf')
SHARED = ('tokenize', 'reference', 'calibrate', 'curvature')


def gpt2_tokenizer():
    """With a pre-tokenizer that llama.cpp has a name for."""
    whole = small_model.tokenizer()
    whole['pre_tokenizer'] = {'type': 'ByteLevel', 'add_prefix_space': False, 'trim_offsets': True, 'use_regex': True}
    return whole


def selected(report):
    return next(c for c in report['candidates'] if c['name'] == report['selected'])


def weights_of(out):
    """Bytes of the weights' files of an artifact."""
    return {name: digest for name, digest in outcome(out)[0].items() if name.endswith(('.safetensors', '.gguf'))}


class Goals(ServiceTest):
    def setUp(self):
        super().setUp()
        self.server = self.start_service(workers=1, threads=2)
        self.model = small_model.write(self.path('model'), changed_tokenizer=gpt2_tokenizer())
        self.data = [*self.texts(size_bytes=2048), '--sample-tokens', '4']

    def quantize(self, out, *goals):
        return self.server.cli('quantize', self.model, *goals, *self.data, '-o', self.path(out))

    def test_targets_and_budgets_are_one_job(self):
        alone = self.quantize('alone', '--target', 'gguf', '--budget', '6bpw')
        ran = self.server.tasks_run()
        results = self.quantize('out', '--target', ','.join(TARGETS), '--budget', '5bpw,6bpw')['results']
        names = [f'{target}-{budget}' for target in TARGETS for budget in ('5bpw', '6bpw')]
        self.assertEqual([result['budget'] for result in results], names)
        self.assertEqual(len({result['job'] for result in results}), 1)
        self.assertEqual(len(self.server.cli('job', 'list')['jobs']), 2)
        for kind in SHARED:
            self.assertEqual(self.server.tasks_run()[kind], ran[kind], f'{kind} is what the first job did')
        for name, result in zip(names, results, strict=True):
            self.assertEqual(result['out'], self.path('out', name))
            report = result['report']
            self.assertTrue(name.startswith(report['target']))
            self.assertLessEqual(selected(report)['average_bits'], report['budget']['average_bits'])
            size = sum(os.path.getsize(path) for path in files_below(self.path('out', name, 'model')).values())
            self.assertEqual(size, int(report['artifact_bytes']))
        self.assertEqual(weights_of(self.path('out', 'gguf-6bpw')), weights_of(self.path('alone')),
                         'a goal comes to the same beside others')
        self.assertEqual(results[3]['report']['candidates'], alone['report']['candidates'])

        job = results[0]['job']
        self.assertEqual([report['target'] for report in self.server.cli('job', 'report', job)],
                         [result['report']['target'] for result in results])
        self.assertEqual(self.server.cli('job', 'report', job, '--goal', '4'), results[3]['report'])
        self.server.cli('artifact', 'download', job, '-o', self.path('all'))
        self.server.cli('artifact', 'download', job, '--goal', '3', '-o', self.path('one'))
        for name in names:
            self.assertEqual(outcome(self.path('all', name)), outcome(self.path('out', name)), name)
        self.assertEqual(outcome(self.path('one')), outcome(self.path('out', names[2])))
        with self.assertRaises(CliError) as caught:
            self.server.cli('job', 'report', job, '--goal', '5')
        self.assertEqual((caught.exception.reason, caught.exception.code), ('GOAL_UNKNOWN', 2))

    def test_a_clone_keeps_goals_or_has_others(self):
        job = self.server.cli('job', 'submit', self.model, '--budget', '5bpw,6bpw', *self.data)['name']
        self.server.wait_state(job, 'SUCCEEDED')
        ran = self.server.tasks_run()
        again = self.server.cli('job', 'clone', job)
        self.assertEqual(again['spec']['goals'], self.server.job(job)['spec']['goals'])
        self.server.wait_state(again['name'], 'SUCCEEDED')
        self.assertEqual(self.server.tasks_run(), ran, 'nothing runs again')
        other = self.server.cli('job', 'clone', job, '--budget', '5.5bpw')
        self.assertEqual((other['spec']['goals'], other['spec']['budget']), ([], {'average_bits': 5.5}))
        done = self.server.wait_state(other['name'], 'SUCCEEDED')
        self.assertEqual(len(done['outcomes']), 1)

    def test_a_plan_estimates_each_goal(self):
        plan = self.server.cli('plan', self.model, '--target', ','.join(TARGETS), '--max-kld', '0.1')
        estimate = plan['estimate']
        self.assertEqual([goal['goal']['target'] for goal in estimate['goals']], list(TARGETS))
        self.assertGreaterEqual(int(estimate['artifact_bytes']),
                                max(int(goal['artifact_bytes']) for goal in estimate['goals']))
        self.assertEqual(self.server.cli('job', 'list')['jobs'], [])
        with self.assertRaises(CliError) as caught:
            self.server.cli('plan', self.model, '--budget', ','.join(f'{3 + n / 10}bpw' for n in range(17)))
        self.assertEqual((caught.exception.reason, caught.exception.code), ('GOALS_INVALID', 2))

    def test_bounds_hold_as_measured(self):
        small, large = (selected(result['report']) for result in self.quantize('sizes', '--budget', '3bpw,6bpw')['results'])
        bounds = {'kld': (small['kl_divergence']['mean'] + large['kl_divergence']['mean']) / 2,
                  'ppl': max((small['perplexity_ratio'] + large['perplexity_ratio']) / 2 - 1, 1e-4)}
        arguments = ['--max-kld', repr(bounds['kld']), '--max-ppl-rise', repr(bounds['ppl'])]
        by_kld, by_ppl = (result['report'] for result in self.quantize('bounds', *arguments)['results'])
        self.assertEqual(by_kld['budget'], {'max_kl_divergence': bounds['kld']})
        self.assertLessEqual(selected(by_kld)['kl_divergence']['mean'], bounds['kld'])
        self.assertLessEqual(selected(by_ppl)['perplexity_ratio'] - 1, bounds['ppl'])
        for report in (by_kld, by_ppl):
            front = report['front']
            self.assertGreater(len(front), 2)
            self.assertEqual(front, sorted(front, key=lambda point: int(point['artifact_bytes'])))
            losses = [point['predicted_loss'] for point in front]
            self.assertEqual(losses, sorted(losses, reverse=True))
        # Of the plans that were measured none smaller meets the bound.
        chosen = selected(by_kld)
        smaller = [c for c in by_kld['candidates'] if c['average_bits'] < chosen['average_bits']]
        self.assertFalse([c for c in smaller if c['kl_divergence']['mean'] <= bounds['kld']])
        with open(os.path.join(self.path('bounds'), sorted(os.listdir(self.path('bounds')))[0], 'report.txt'),
                  encoding='utf-8') as file:
            text = file.read()
        self.assertIn('KL divergence at most', text)
        self.assertIn('The Pareto front as predicted', text)


if __name__ == '__main__':
    unittest.main(verbosity=2)
