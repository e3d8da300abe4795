"""What a report says of a plan: on several texts, token by token, byte by byte, on questions and in a sample."""

import os
import unittest

import page_text
import small_model
from service import CliError, ServiceTest

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'golden', 'choices')
TASKS = {'hellaswag': 2, 'arc': 2, 'piqa': 2, 'winogrande': 1, 'boolq': 1}  # metrics of each


class Evaluation(ServiceTest):
    def setUp(self):
        super().setUp()
        self.server = self.start_service(workers=1, threads=2)
        self.model = small_model.write(self.path('model'))

    def text(self, name, size_bytes=4096):
        small_model.write_text(self.path(name), size_bytes, name)
        return self.path(name)

    def quantize(self, out, *more):
        return self.server.cli('quantize', self.model, '--budget', '4.25bpw', '--window', '64', '--calibration-tokens', '4096',
                               '--evaluation-tokens', '2048', *more, '-o', self.path(out))

    def test_several_texts(self):
        calibration = ['--calibration', self.text('a.txt'), '--calibration', self.text('b.txt')]
        evaluation = ['--evaluation', self.text('c.txt'), '--evaluation', self.text('d.txt', 3000)]
        one = self.quantize('one', *calibration, *evaluation[:2])
        ran = self.server.tasks_run()
        result = self.quantize('two', *calibration, *evaluation)
        report = result['report']
        self.assertEqual(report['calibration_names'], ['a.txt', 'b.txt'])
        self.assertEqual(report['evaluation_names'], ['c.txt', 'd.txt'])
        self.assertEqual(len(set(report['provenance']['evaluation_data'])), 2)
        tokens = [int(text['scored_tokens']) for text in report['texts']]
        self.assertEqual(sum(tokens), int(report['scored_tokens']))
        for candidate in report['candidates']:
            parts = candidate['texts']
            mean = sum(n * part['kl_divergence']['mean'] for n, part in zip(tokens, parts, strict=True)) / sum(tokens)
            self.assertAlmostEqual(mean, candidate['kl_divergence']['mean'], places=12)
            loss = sum(n * part['mean_nll'] for n, part in zip(tokens, parts)) / sum(tokens)
            self.assertAlmostEqual(loss, candidate['mean_nll'], places=12)
        # A text more changes nothing of the other, and what was done on it is not done again.
        self.assertEqual(report['selected'], one['report']['selected'])
        self.assertEqual(report['texts'][0], one['report']['texts'][0])
        self.assertEqual(report['candidates'][0]['texts'][0], one['report']['candidates'][0]['texts'][0])
        now = self.server.tasks_run()
        self.assertEqual(now['calibrate'], ran['calibrate'])
        self.assertEqual(now['tokenize'], ran['tokenize'] + 1)
        with open(self.path('two', 'report.txt'), encoding='utf-8') as file:
            self.assertIn('The selected plan on each evaluation text', file.read())

    def test_tables_and_questions(self):
        texts = ['--calibration', self.text('a.txt'), '--evaluation', self.text('c.txt')]
        choices = [word for task in TASKS for word in ('--choices', os.path.join(GOLDEN, task + '.jsonl'))]
        result = self.quantize('out', *texts, *choices, '--sample', 'the old house', '--sample-tokens', '12')
        report = result['report']
        selected = next(c for c in report['candidates'] if c['name'] == report['selected'])
        self.assertEqual(sum(int(part['bytes']) for part in selected['size']), int(report['artifact_bytes']))
        for table in (selected['kl_divergence'], selected['probability_change']):
            order = ['min', 'p01', 'p05', 'p10', 'median', 'p90', 'p95', 'p99', 'p999', 'max']
            self.assertEqual([table[name] for name in order], sorted(table[name] for name in order))
        self.assertGreaterEqual(selected['probability_change']['rms'], abs(selected['probability_change']['mean']))
        self.assertEqual([(c['task'].lower(), len(c['base']), len(c['quantized'])) for c in report['choices']],
                         [(task, metrics, metrics) for task, metrics in TASKS.items()])
        sample = report['sample']
        self.assertEqual(len(sample['base_ids']), 12)
        parting = sample['first_divergence']
        same = parting if parting >= 0 else 12
        self.assertEqual(sample['base_ids'][:same], sample['quantized_ids'][:same])
        with open(self.path('out', 'report.txt'), encoding='utf-8') as file:
            text = file.read()
        for title in ('token by token', 'Multiple-choice questions', 'A sample of 12 tokens', 'bytes of the artifact are for'):
            self.assertIn(title, text)
        self.check_page(report)

    def check_page(self, report):
        """The report's numbers, as a person reads them in report.html."""
        text, links = page_text.read(self.path('out', 'report.html'))
        self.assertTrue(all(link.startswith('#') for link in links), links)
        wanted = [report['verdict'], f"{int(report['artifact_bytes']):,} bytes"]
        for candidate in report['candidates']:
            divergence = candidate['kl_divergence']
            wanted += [f"{divergence['mean']:.6f} ± {divergence['standard_error']:.6f}", f"{divergence['median']:.6f}",
                       f"{candidate['perplexity']:.3f} ± {candidate['perplexity_standard_error']:.3f}",
                       f"{candidate['predicted_loss']:.6f}", f"{int(candidate['artifact_bytes']):,}"]
        for unit in report['units']:
            chosen = [option for option in unit['options'] if option['format'] == unit['format']]
            self.assertEqual([option['loss'] for option in chosen], [unit['sensitivity']])
            wanted += [unit['name'], *(f"{option['loss']:.1e}" for option in unit['options'])]
        for result in report['choices']:
            wanted += [f"{metric['value']:.4f} ± {metric['standard_error']:.4f}" for metric in result['quantized']]
        wanted += [task['task_digest'] for task in report['provenance']['tasks']]
        self.assertEqual([number for number in wanted if number not in text], [])
        self.assertIn('How the time was spent', text)

    def test_a_bad_question_names_its_line(self):
        with open(self.path('bad.jsonl'), 'w', encoding='utf-8') as file:
            file.write('{"goal": "g", "sol1": "a", "sol2": "b", "label": 0}\n{"goal": "g", "hint": 1}\n')
        with self.assertRaises(CliError) as refused:
            self.quantize('out', '--calibration', self.text('a.txt'), '--evaluation', self.text('c.txt'), '--choices',
                          self.path('bad.jsonl'))
        self.assertEqual(refused.exception.reason, 'QUESTION_INVALID')
        self.assertIn('line 2 of the questions', refused.exception.error['message'])


if __name__ == '__main__':
    unittest.main(verbosity=2)
