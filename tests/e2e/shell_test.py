"""What a person meets at the shell, with the real programs: names, folders, disks, proxies, budgets, progress."""

import json
import os
import re
import shutil
import subprocess
import time
import unittest

import small_model
from service import SAMPLE, Client, CliError, ServiceTest, environment, files_below, program, run_cli

DEAD_PROXY = {name: 'http://127.0.0.1:1' for name in ('http_proxy', 'https_proxy', 'all_proxy', 'HTTP_PROXY')}


class Shell(ServiceTest):
    def setUp(self):
        super().setUp()
        self.model = small_model.write(self.path('model'))
        for folder in ('temporary', 'runtime', 'state'):
            os.makedirs(self.path(folder), 0o700)
        self.variables = {'TMPDIR': self.path('temporary'), 'XDG_RUNTIME_DIR': self.path('runtime'),
                          'XDG_STATE_HOME': self.path('state')}

    def command(self, *more, model=None, budget='4.25bpw', texts=None, out='out'):
        return ['quantize', model or self.model, '--budget', budget, *(texts or self.texts(size_bytes=16384)), '-o',
                self.path(out), *more]

    def refuse(self, reason, code, *arguments):
        with self.assertRaises(CliError) as caught:
            run_cli(*arguments, **self.variables)
        self.assertEqual((caught.exception.reason, caught.exception.code), (reason, code), caught.exception)
        return caught.exception.error['message']

    def text_of(self, *arguments):
        """What a command prints for a person."""
        return subprocess.run([program('bitwright'), *arguments], capture_output=True, text=True, check=True,
                              env=environment(**self.variables)).stdout


class Delivery(Shell):
    def fail_once(self, *arguments):
        """A local job whose result meets a file in the place of OUT."""
        client = Client(*arguments, **self.variables)
        client.wait_line('^tokenize: ')
        with open(self.path('out'), 'w', encoding='ascii') as file:
            file.write('in the way')
        error = client.error()
        self.assertEqual(error.reason, 'OUT_NOT_A_FOLDER', error)
        kept = re.search(r'is kept in (\S+);', error.err)
        self.assertTrue(kept, error.err)
        self.assertTrue(os.path.isdir(kept.group(1)), 'where the message says')
        os.unlink(self.path('out'))
        return kept.group(1)

    def test_a_finished_result_survives_a_failed_delivery(self):
        arguments = self.command('--local')
        kept = self.fail_once(*arguments)
        self.assertTrue(kept.startswith(self.path('state')), 'the same disk: moved to the folder for state')
        self.assertEqual(os.listdir(self.path('temporary')), [])
        lines = Client(*arguments, **self.variables)
        delivered = lines.result()
        self.assertFalse([line for line in lines.lines() if re.match('upload|inspect|tokenize|calibrate', line)],
                         'nothing is sent and nothing runs')
        self.assertEqual(sorted(os.listdir(self.path('out'))), ['model', 'report.html', 'report.json', 'report.txt'])
        self.assertEqual(files_below(self.path('state')), {}, 'cleaned after the delivery')
        self.assertEqual(os.listdir(self.path('temporary')), [])
        shutil.rmtree(self.path('out'))
        self.assertEqual(run_cli(*arguments, **self.variables)['report'], delivered['report'])

    def test_the_sample_is_delivered_within_two_seconds(self):
        texts = ['--calibration', os.path.join(SAMPLE, 'calibration.txt'), '--evaluation',
                 os.path.join(SAMPLE, 'evaluation.txt'), '--window', '128', '--calibration-tokens', '1024',
                 '--evaluation-tokens', '1024']
        arguments = self.command('--local', model=SAMPLE, texts=texts)
        self.fail_once(*arguments)
        begun = time.monotonic()
        run_cli(*arguments, **self.variables)
        seconds = time.monotonic() - begun
        print(f'a repeated quantize after a failed delivery: {seconds:.2f} s')
        self.assertLessEqual(seconds, 2.0)

    def test_another_command_is_another_result(self):
        self.fail_once(*self.command('--local'))
        other = Client(*self.command('--local', budget='3.25bpw'), **self.variables)
        other.result()
        self.assertTrue([line for line in other.lines() if line.startswith('calibrate: ')])
        self.assertNotEqual(files_below(self.path('state')), {}, 'the first one is still kept')

    def test_places_that_cannot_be_written_are_refused_at_once(self):
        with open(self.path('file'), 'w', encoding='ascii') as file:
            file.write('x')
        self.refuse('OUT_NOT_A_FOLDER', 2, *self.command(out='file/below'))
        self.refuse('DISK_FULL', 1, *self.command(budget='8000TB'))
        # A superuser may write everywhere but where there is no room.
        with self.assertRaises(CliError) as caught:
            run_cli(*self.command()[:-1], '/proc/1/out', **self.variables)
        self.assertIn(caught.exception.reason, ('FILE_UNWRITABLE', 'DISK_FULL'))
        self.assertNotIn('upload', caught.exception.err)


class Names(Shell):
    def rename(self, name):
        other = os.fsencode(self.dir) + b'/' + name
        shutil.copytree(os.fsencode(self.model), other)
        return os.fsdecode(other)

    def test_folders_of_any_name(self):
        for name in (('模型' * 30).encode(), 'café'.encode('latin-1'), b'back\\slash', b'line\nbreak', b'sp ace'):
            with self.subTest(name):
                shutil.rmtree(self.path('out'), ignore_errors=True)
                report = run_cli(*self.command(model=self.rename(name)), **self.variables)['report']
                self.assertLessEqual(len(report['model'].encode()), 128)
                self.assertTrue(report['model'])

    def test_names_that_are_given_are_refused_as_they_are(self):
        for bad in (b'caf\xe9', b'x' * 129):
            for option in ('--name', '--model-name'):
                with self.subTest(bad, option=option):
                    message = self.refuse('DISPLAY_NAME_INVALID', 2, *self.command(option, os.fsdecode(bad)))
                    self.assertIn(option, message)

    def test_the_job_and_the_model_have_names_of_their_own(self):
        report = run_cli(*self.command('--name', 'try 7'), **self.variables)['report']
        self.assertEqual(report['model'], 'model')

    def test_what_lies_beside_the_model_is_not_counted(self):
        right = int(run_cli(*self.command(), **self.variables)['report']['model_bytes'])
        shutil.rmtree(self.path('out'))
        weights = os.path.join(self.model, 'model.safetensors')
        os.makedirs(os.path.join(self.model, 'checkpoint-500'))
        os.makedirs(os.path.join(self.model, 'onnx'))
        for copy in ('consolidated.safetensors', 'checkpoint-500/model.safetensors', 'pytorch_model.bin',
                     'onnx/model.onnx', 'tf_model.h5', 'odd\\name'):
            shutil.copy(weights, os.path.join(self.model, copy))
        with open(os.path.join(os.fsencode(self.model), b'not\xffutf8'), 'wb') as file:
            file.write(b'x')
        client = Client(*self.command(), **self.variables)
        result = client.result()
        client_lines = '\n'.join(client.lines())
        self.assertRegex(client_lines, r'ignored: 7 files, ')
        self.assertEqual(int(result['report']['model_bytes']), right)
        self.assertEqual(len(result['ignored_files']), 7)

    def test_a_model_of_the_hub_comes_from_its_cache(self):
        cache = self.path('hub')
        self.variables['HF_HUB_CACHE'] = cache
        message = self.refuse('MODEL_NOT_FOUND', 4, *self.command(model='org/small'))
        self.assertIn('hf download org/small', message)
        snapshots = os.path.join(cache, 'models--org--small', 'snapshots')
        blobs = os.path.join(cache, 'models--org--small', 'blobs')
        os.makedirs(os.path.join(snapshots, 'abc'))
        os.makedirs(blobs)
        for name in os.listdir(self.model):
            shutil.copy(os.path.join(self.model, name), os.path.join(blobs, name))
            os.symlink(os.path.join('..', '..', 'blobs', name), os.path.join(snapshots, 'abc', name))
        self.assertEqual(run_cli(*self.command(model='org/small'), **self.variables)['report']['model'], 'org/small')


class Proxies(Shell):
    def test_nothing_on_this_machine_goes_through_a_proxy(self):
        service = self.start_service(variables=DEAD_PROXY)
        job = service.cli('job', 'submit', self.model, '--budget', '4.25bpw', *self.texts(), **DEAD_PROXY)['name']
        service.wait_state(job, 'SUCCEEDED')

    def test_a_local_job_neither(self):
        self.variables.update(DEAD_PROXY)
        run_cli(*self.command(), **self.variables)


class Budgets(Shell):
    def test_several_in_one_command(self):
        arguments = self.command(budget='3.25bpw,4.25bpw,6bpw')
        results = run_cli(*arguments, **self.variables)['results']
        self.assertEqual([result['budget'] for result in results], ['3.25bpw', '4.25bpw', '6bpw'])
        for result in results:
            self.assertEqual(result['out'], self.path('out', result['budget']))
            self.assertTrue(os.path.exists(os.path.join(result['out'], 'model', 'model.safetensors')))
        sizes = [int(result['report']['artifact_bytes']) for result in results]
        self.assertEqual(sizes, sorted(sizes))
        self.assertEqual(len({stage['kind']: 0 for stage in results[0]['stages']}), len(results[0]['stages']))

    def test_the_bounds_of_a_plan_are_accepted_as_printed(self):
        text = self.text_of('plan', self.model)
        bounds = re.findall(r'([\d.]+bpw) to ([\d.]+bpw)', text) + re.findall(r'(\d+B) to (\d+B)', text)
        self.assertEqual(len(bounds), 2, text)
        for pair in bounds:
            for bound in pair:
                run_cli('plan', self.model, '--budget', bound, **self.variables)
        self.refuse('BUDGET_BELOW_SMALLEST_PLAN', 2, 'plan', self.model, '--budget', '1bpw')


class Progress(Shell):
    def test_watch_streams_one_object_per_change(self):
        service = self.start_service()
        job = service.cli('job', 'submit', self.model, '--budget', '4.25bpw', *self.texts(size_bytes=16384))['name']
        done = subprocess.run([program('bitwright'), '--server', service.address, 'job', 'watch', job, '--json'],
                              capture_output=True, text=True, check=True, env=environment())
        states = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(states[-1]['state'], 'SUCCEEDED')
        revisions = [int(state['revision']) for state in states]
        self.assertEqual(revisions, sorted(set(revisions)))
        progress = [state['progress'] for state in states]
        self.assertEqual(progress, sorted(progress), 'never falls')
        listed = service.cli('job', 'list')['jobs'][0]
        self.assertEqual(listed['name'], job)

    def test_interrupted_watching_says_that_the_job_goes_on(self):
        service = self.start_service(stepping=True)
        service.cli('model', 'upload', self.model)
        submit = service.begin('job', 'submit', self.model, '--budget', '4.25bpw', *self.texts(size_bytes=16384))
        job = submit.result()['name']
        service.freeze(job, 'calibrate')
        watch = service.client('job', 'watch', job)
        watch.wait_line(f'^{job}: ')
        watch.process.send_signal(2)
        error = watch.error()
        self.assertEqual(error.code, 130)
        self.assertIn(f'{job} goes on at the server', error.err)
        self.assertIn(f'bitwright job cancel {job}', error.err)
        service.go_on()
        service.wait_state(job, 'SUCCEEDED')

    def test_a_failed_job_is_not_done(self):
        service = self.start_service()
        short = small_model.write_text(self.path('short.txt'), 63, 1)
        with self.assertRaises(CliError) as caught:
            service.cli('quantize', self.model, '--budget', '4.25bpw', '--calibration', short, '--evaluation', short,
                        '--window', '64', '-o', self.path('out'))
        self.assertEqual((caught.exception.reason, caught.exception.code), ('DATA_TOO_SHORT', 2))
        table = subprocess.run([program('bitwright'), '--server', service.address, 'job', 'list'], capture_output=True,
                               text=True, check=True, env=environment()).stdout
        self.assertNotIn('100 %', table)


class Arguments(Shell):
    def test_errors_have_one_code_for_one_kind(self):
        self.refuse('ARGUMENT_INVALID', 2, 'quantise', self.model)
        self.assertIn("'--budget'", self.refuse('ARGUMENT_INVALID', 2, 'plan', self.model, '--budegt', '3bpw'))
        texts = self.texts()
        missing = [*texts]
        missing[1] = self.path('none.txt')
        self.refuse('FILE_UNREADABLE', 2, *self.command(texts=missing))
        folder = [*texts]
        folder[1] = self.dir
        self.refuse('FILE_UNREADABLE', 2, *self.command(texts=folder))
        self.refuse('DATA_MISSING', 2, 'quantize', self.model, '--budget', '3bpw', '-o', self.path('out'))
        self.assertIn('mixed-gptq', self.refuse('RECIPE_NOT_FOUND', 4, *self.command('--recipe', 'mixed-gtpq')))

    def test_resources_have_many_names(self):
        service = self.start_service()
        name = service.cli('model', 'upload', self.model, '--name', 'my model')['name']
        texts = self.texts()
        for word in (name, name.removeprefix('models/'), name.removeprefix('models/')[:6], 'my model'):
            with self.subTest(word):
                self.assertEqual(service.cli('model', 'show', word)['name'], name)
                job = service.cli('job', 'submit', word, '--budget', '4.25bpw', *texts)
                self.assertEqual(job['spec']['model'], name)

    def test_the_text_that_ships(self):
        texts = self.texts(size_bytes=16384)
        texts[1] = 'sample'
        shown = run_cli(*self.command(texts=texts), **self.variables)
        self.assertTrue(shown['report']['provenance']['calibration_data'])
        small_model.write_text(self.path('e.txt'), 4096, 1)
        self.refuse('DATA_MISSING', 2, 'quantize', self.model, '--budget', '3bpw', '--evaluation', self.path('e.txt'), '-o',
                    self.path('other'))


if __name__ == '__main__':
    unittest.main(verbosity=2)
