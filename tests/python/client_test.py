"""The Python client against a real service: what it uploads, plans, makes, reports and downloads is what the C++ client
does; and what goes wrong has its reason, its field and its remedy."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import unittest

import bitwright
import bitwright.v1.recipes_pb2
import live
import service
from live import LiveTest, read_json

SENDER = '''
import os, sys
import bitwright
def stop(now):
    if now.phase == 'upload' and now.done > now.total / 2: os._exit(9)
with bitwright.Client(sys.argv[1]) as client:
    client.upload_model(sys.argv[2], progress=stop)
'''


class Uploads(LiveTest):
    def setUp(self):
        self.client = bitwright.Client(self.address)
        self.addCleanup(self.client.close)

    def sent_bytes(self):
        return self.server.metrics()['bitwright_upload_bytes_total']

    def test_a_second_upload_sends_nothing(self):
        folder = live.small_model.write(self.path('second'), changed_config={**live.small_model.config(), 'eos_token_id': 7})
        shutil.copy(os.path.join(folder, 'model.safetensors'), os.path.join(folder, 'pytorch_model.bin'))
        phases = []
        first = self.client.upload_model(folder, name='two', progress=lambda now: phases.append(now))
        self.assertEqual((first.state, first.family, first.display_name), ('READY', 'llama', 'two'))
        self.assertEqual(first.ignored, ('pytorch_model.bin',))
        self.assertGreater(first.sent_bytes, 0)
        self.assertEqual(list(dict.fromkeys(now.phase for now in phases)), ['hash', 'upload', 'inspect'])
        uploads = [now for now in phases if now.phase == 'upload']
        self.assertEqual((uploads[0].done, max(now.done for now in uploads)), (0, uploads[0].total))
        before = self.sent_bytes()
        second = self.client.upload_model(folder)
        self.assertEqual((second.sent_bytes, second.name), (0, first.name))
        self.assertEqual(self.sent_bytes(), before)

    def test_the_same_folder_is_the_same_model(self):
        by_program = self.server.cli('model', 'upload', self.model_dir)
        mine = self.client.upload_model(self.model_dir)
        self.assertEqual((mine.name, mine.sent_bytes), (by_program['name'], 0))
        self.assert_like_json(mine.files, by_program['manifest']['files'], 'files')
        self.assertEqual(self.client.model(mine.display_name).name, mine.name)
        self.assertIn(mine.name, [model.name for model in self.client.models('family = "llama"')])

    def test_a_broken_upload_goes_on(self):
        folder = live.small_model.write(self.path('broken'))
        with open(os.path.join(folder, 'tokenizer.model'), 'wb') as file:
            file.write(os.urandom(16 << 20))  # a file of some size that the inspection need not read
        before = self.sent_bytes()
        done = subprocess.run([sys.executable, '-B', '-c', SENDER, self.address, folder], check=False,
                              env=service.environment())
        self.assertEqual(done.returncode, 9)
        again = self.client.upload_model(folder)
        size = again.size_bytes
        self.assertLess(self.sent_bytes() - before, 1.4 * size, 'the first half was not sent twice')
        self.assertEqual(again.state, 'READY')

    def test_a_rejected_model_has_the_reason_of_its_inspection(self):
        folder = live.small_model.write(self.path('rejected'), checkpoint=b'no weights at all')
        with self.assertRaises(bitwright.InvalidError) as caught:
            self.client.upload_model(folder)
        self.assertTrue(caught.exception.reason.startswith('SAFETENSORS_'), caught.exception)
        self.assertEqual(caught.exception.field, 'file')
        other = live.small_model.write(self.path('bert'), changed_config={'architectures': ['BertForMaskedLM']})
        before = self.sent_bytes()
        with self.assertRaises(bitwright.InvalidError) as caught:
            self.client.upload_model(other)
        self.assertEqual(caught.exception.reason, 'ARCHITECTURE_UNSUPPORTED')
        self.assertEqual(self.sent_bytes(), before, 'it was refused before anything was sent')


class Jobs(LiveTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.client = bitwright.Client(cls.address)
        cls.addClassCleanup(cls.client.close)

    def test_one_goal(self):
        phases = []
        job = self.client.quantize(self.model_dir, '6bpw', **self.texts, labels={'team': 'a'}, name='one')
        states = [status for status in job.watch()]
        self.assertEqual(states[-1].state, bitwright.JobState.SUCCEEDED)
        self.assertEqual(sorted(status.revision for status in states), [status.revision for status in states])
        self.assertIs(job.wait(progress=phases.append), job)
        self.assertEqual((phases[-1].phase, phases[-1].done), ('job', 1.0))
        self.assertEqual((job.display_name, job.status.spec.labels), ('one', {'team': 'a'}))
        self.assertIn(job.name, [other.name for other in self.client.jobs('labels.team = "a"')])

        out = self.path('by-program')
        self.server.cli('artifact', 'download', job.name, '-o', out)
        shown = read_json(os.path.join(out, 'report.json'))
        report = job.report
        self.assert_like_json(report, shown)
        self.assertEqual(report.best.name, report.selected)
        self.assertEqual(json.loads(report.to_json()), shown)
        mine = job.artifact.download(self.path('by-package'))
        self.assertEqual({name: service.digest(path) for name, path in service.files_below(mine).items()},
                         {name: service.digest(path) for name, path in service.files_below(os.path.join(out, 'model')).items()})
        self.assertEqual(job.artifact.size_bytes, sum(os.path.getsize(path) for path in service.files_below(mine).values()))
        self.check_repairs(job.artifact, mine)
        self.check_tables(report)

    def check_repairs(self, artifact, folder):
        """A part that is there continues, a damaged file is written anew, and what is right is not touched."""
        weights = os.path.join(folder, 'model.safetensors')
        with open(weights, 'rb') as file:
            whole = file.read()
        kept = os.stat(os.path.join(folder, 'config.json')).st_mtime_ns
        for left in (whole[:len(whole) // 2], b'of something else', whole + b'too long'):
            os.unlink(weights)
            with open(weights + '.part', 'wb') as file:
                file.write(left)
            artifact.download(folder, progress=False)
            with open(weights, 'rb') as file:
                self.assertEqual(file.read(), whole)
            self.assertFalse(os.path.exists(weights + '.part'))
        self.assertEqual(os.stat(os.path.join(folder, 'config.json')).st_mtime_ns, kept)

    def check_tables(self, report):
        candidates = report.to_pandas()
        self.assertEqual(list(candidates['name']), [candidate.name for candidate in report.candidates])
        self.assertEqual(list(candidates['kl_divergence.mean']), [one.kl_divergence.mean for one in report.candidates])
        self.assertEqual(list(report.to_pandas('units')['format']), [unit.format for unit in report.units])
        self.assertEqual(len(report.to_pandas('front')), len(report.front))
        with self.assertRaises(bitwright.InvalidError):
            report.to_pandas('verdict')

    def test_several_goals_are_one_job(self):
        job = self.client.quantize(self.model_dir, ['5bpw', 'kld=0.2'], targets=['compressed-tensors', 'gptq'], **self.texts)
        job.wait(timeout=service.PATIENCE)
        names = ['compressed-tensors-5bpw', 'compressed-tensors-kld=0.2', 'gptq-5bpw', 'gptq-kld=0.2']
        self.assertEqual([artifact.name for artifact in job.artifacts], names)
        shown = self.server.cli('job', 'report', job.name)
        for report, theirs in zip(job.reports, shown, strict=True):
            self.assert_like_json(report, theirs)
        self.assertEqual(job.artifacts[2].report.target, 'gptq')
        downloaded = job.artifacts[3].download(self.path('goal'))
        self.server.cli('artifact', 'download', job.name, '--goal', '4', '-o', self.path('goal-by-program'))
        self.assertEqual(service.outcome(self.path('goal-by-program'))[0],
                         {name: service.digest(path) for name, path in service.files_below(downloaded).items()})

    def test_a_plan_is_that_of_the_program(self):
        estimate = self.client.plan(self.model_dir, ['5bpw', '300kB'], targets='compressed-tensors', **self.texts)
        shown = self.server.cli('plan', self.model_dir, '--budget', '5bpw,300kB', *self.options())
        self.assert_like_json(estimate, shown['estimate'])
        bounds = self.client.plan(self.model_dir)
        self.assertLess(bounds.smallest_average_bits, 3)
        self.assertGreater(bounds.largest_artifact_bytes, bounds.smallest_artifact_bytes)

    def test_the_sample_text_and_a_recipe_of_ones_own(self):
        recipe = self.path('own.textproto')
        with open(recipe, 'w', encoding='utf-8') as file:
            file.write('name: "own" rounding { method: ROUNDING_METHOD_RTN } formats { bits: 4 bits: 8 }')
        job = self.client.quantize(self.model_dir, 8, **{**self.texts, 'calibration': 'sample'}, recipe=recipe).wait()
        report = job.report
        self.assertEqual((report.recipe, report.calibration_names), ('own', ('sample (ships with Bitwright)',)))
        shown = self.server.cli('job', 'clone', job.name, '--calibration', 'sample')
        self.assertEqual(shown['spec']['calibration'][0]['blob']['sha256'], job.status.spec.calibration[0].blob.sha256)

    def test_cancel_and_retry(self):
        job = self.client.quantize(self.model_dir, '4bpw', **self.write_texts('cancelled'))
        self.assertEqual(job.cancel().state, bitwright.JobState.CANCELLED)
        with self.assertRaises(bitwright.JobCancelledError) as caught:
            job.wait()
        self.assertEqual((caught.exception.reason, caught.exception.metadata), ('JOB_CANCELLED', {'job': job.name}))
        again = job.retry()
        with self.assertRaises(TimeoutError):
            again.wait(timeout=0.01)
        self.assertEqual(again.wait().state, bitwright.JobState.SUCCEEDED)
        again.delete()
        with self.assertRaises(bitwright.NotFoundError) as caught:
            again.refresh()
        self.assertEqual(caught.exception.reason, 'JOB_NOT_FOUND')

    def test_a_job_that_fails_says_why(self):
        """A bound that no plan meets is known only when it was measured."""
        recipe = bitwright.v1.recipes_pb2.Recipe(name='two-bits', formats={'bits': [2]}, candidates={'mixed': True})
        with self.assertRaises(bitwright.JobFailedError) as caught:
            self.client.quantize(self.model_dir, 'kld=1e-9', recipe=recipe, **self.texts).wait()
        self.assertEqual(caught.exception.reason, 'BOUND_NOT_MET')
        self.assertTrue(caught.exception.remedy.startswith('loosen the bound'))


class Errors(LiveTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.client = bitwright.Client(cls.address)
        cls.addClassCleanup(cls.client.close)
        cls.model = cls.client.upload_model(cls.model_dir)

    def fails(self, kind, reason, field, call):
        with self.assertRaises(kind) as caught:
            call()
        error = caught.exception
        self.assertEqual((error.reason, error.field), (reason, field), error)
        self.assertTrue(error.remedy, error)
        self.assertTrue(str(error).endswith(f' [{reason}]'))

    def test_arguments(self):
        quantize = self.client.quantize
        invalid = bitwright.InvalidError
        texts = self.texts
        for budget in ('4', 'kld=-1', '4 boxes', 33, 'ppl=2000%', ['4bpw', 4.0]):
            self.fails(invalid, 'BUDGET_INVALID', 'budget', lambda b=budget: quantize(self.model, b, **texts))
        self.fails(invalid, 'BUDGET_BELOW_SMALLEST_PLAN', 'budget', lambda: quantize(self.model, 1.0, **texts))
        self.fails(bitwright.NotFoundError, 'RECIPE_NOT_FOUND', 'recipe', lambda: quantize(self.model, 4, recipe='none', **texts))
        self.fails(invalid, 'TARGET_UNKNOWN', 'target', lambda: quantize(self.model, 4, targets='zip', **texts))
        self.fails(invalid, 'CONSUMER_UNKNOWN', 'target', lambda: quantize(self.model, 4, consumer='none', **texts))
        self.fails(invalid, 'DATA_MISSING', 'use', lambda: quantize(self.model, 4))
        self.fails(invalid, 'DATA_TOO_SHORT', 'calibration', lambda: quantize(self.model, 4, **{**texts, 'window': 4096}))
        self.fails(bitwright.NotFoundError, 'MODEL_NOT_FOUND', 'model', lambda: quantize('no-such-model', 4, **texts))
        self.fails(bitwright.NotFoundError, 'FILE_UNREADABLE', 'file',
                   lambda: quantize(self.model, 4, **{**texts, 'evaluation': self.path('nowhere.txt')}))
        with self.assertRaises(TypeError):
            quantize(self.model, 4, calibratoin='x')

    def test_results_before_their_time(self):
        job = self.client.quantize(self.model, 4.5, **self.write_texts('early'))
        self.fails(bitwright.BitwrightError, 'JOB_UNFINISHED', 'job', lambda: job.artifact)
        with self.assertRaises(bitwright.BitwrightError) as caught:
            job.report
        self.assertEqual(caught.exception.reason, 'JOB_UNFINISHED')
        job.cancel()

    def test_a_server_that_is_away(self):
        with bitwright.Client(f'127.0.0.1:{service.free_port()}', patience=0.2) as client:
            self.fails(bitwright.UnreachableError, 'SERVER_UNREACHABLE', 'address', client.recipes)

    def test_a_server_that_comes_back(self):
        """Watching goes on where the server went."""
        own = service.Service(self.path('restarted'), workers=1, threads=1)
        self.addCleanup(own.close)
        with bitwright.Client(own.address) as client:
            job = client.quantize(self.model_dir, 5, **self.write_texts('restart'))
            own.kill()
            back = threading.Thread(target=own.start)
            back.start()
            self.assertEqual(job.wait().state, bitwright.JobState.SUCCEEDED)
            back.join()


class Tokens(LiveTest):
    def test_who_is_calling(self):
        made = subprocess.run([service.program('bitwright'), 'token', 'new', '--name', 'alice', '--tenant', 'a', '--role',
                               'submitter'], capture_output=True, text=True, check=True).stdout.splitlines()
        token, line = made[0], made[1]
        tokens = self.path('tokens')
        with open(tokens, 'w', encoding='ascii') as file:
            file.write(line + '\n')
        os.chmod(tokens, 0o600)
        server = service.Service(self.path('guarded'), options=['--tokens-file', tokens])
        self.addCleanup(server.close)
        with bitwright.Client(server.address, token=token) as client:
            self.assertTrue(client.recipes())
        for wrong, reason in (('wrong', 'CREDENTIALS_INVALID'), ('', 'CREDENTIALS_MISSING')):
            with bitwright.Client(server.address, token=wrong) as client, self.assertRaises(bitwright.AccessError) as caught:
                client.recipes()
            self.assertEqual(caught.exception.reason, reason)
        self.check_renewed(server, token)

    def check_renewed(self, server, token):
        """A token file is read again when the server refuses what it held."""
        path = self.path('token')
        with open(path, 'w', encoding='ascii') as file:
            file.write('old\n')
        with bitwright.Client(server.address, token=pathlib.Path(path)) as client:
            with open(path, 'w', encoding='ascii') as file:
                file.write(token + '\n')
            self.assertTrue(client.recipes())

    def test_contexts_are_those_of_the_program(self):
        os.environ['XDG_CONFIG_HOME'] = self.path('config')
        self.addCleanup(os.environ.pop, 'XDG_CONFIG_HOME')
        for name, address in (('here', self.address), ('lab', 'lab.example:7071')):
            service.run_cli('context', 'set', name, '--server', address, XDG_CONFIG_HOME=self.path('config'))
        with bitwright.Client(context='here') as client:
            self.assertTrue(client.recipes())
        with self.assertRaises(bitwright.NotFoundError) as caught:
            bitwright.Client(context='nowhere')
        self.assertEqual((caught.exception.reason, caught.exception.field), ('CONTEXT_NOT_FOUND', 'context'))
        self.assertIn('here, lab', caught.exception.message)

    def test_a_token_is_never_sent_in_clear(self):
        with self.assertRaises(bitwright.InvalidError) as caught:
            bitwright.Client('quantize.example:7071', token='secret')
        self.assertEqual((caught.exception.reason, caught.exception.field), ('TOKEN_NEEDS_TLS', 'tls'))


class Local(LiveTest):
    def test_a_service_of_ones_own(self):
        daemon = service.program('bitwrightd')
        with bitwright.Client.local(daemon=daemon, data_dir=self.path('kept')) as client:
            process = client._local._process
            job = client.quantize(self.model_dir, '4.25bpw', **self.texts).wait()
            job.artifact.download(self.path('out'))
            workers = service.descendants_of(process.pid)
            self.assertTrue(workers)
        self.assertIsNotNone(process.returncode)
        service.wait_until(lambda: all(map(service.is_gone, workers)), 'the workers are gone')
        self.assertTrue(os.path.isdir(self.path('kept')))

    def test_it_is_found_beside_the_program(self):
        os.environ['PATH'] = os.path.abspath(service.BIN) + os.pathsep + (before := os.environ['PATH'])
        self.addCleanup(os.environ.__setitem__, 'PATH', before)
        with bitwright.Client.local() as client:
            self.assertIn('mixed-gptq', [recipe.name.rpartition('/')[2] for recipe in client.recipes()])
            folder = os.path.dirname(client._local.address.removeprefix('unix:'))
            client._local._process.kill()
            client._local._process.wait()
            with self.assertRaises(bitwright.BitwrightError) as caught:
                client.recipes()
            self.assertEqual(caught.exception.reason, 'DAEMON_FAILED')
        self.assertFalse(os.path.exists(folder))

    def test_what_cannot_start(self):
        for daemon, reason in ((self.path('nowhere'), 'DAEMON_NOT_FOUND'), (shutil.which('false'), 'DAEMON_FAILED')):
            with self.assertRaises(bitwright.BitwrightError) as caught:
                bitwright.Client.local(daemon=daemon)
            self.assertEqual(caught.exception.reason, reason)

    def test_it_ends_with_the_program(self):
        """Even one that is killed, and whose client was made in a thread that ended."""
        code = ('import sys, threading, bitwright\nmade = []\n'
                'thread = threading.Thread(target=lambda: made.append(bitwright.Client.local(daemon=sys.argv[1])))\n'
                'thread.start(); thread.join()\nmade[0].recipes()\nprint(made[0]._local._process.pid, flush=True)\n'
                'sys.stdin.read()\n')
        child = subprocess.Popen([sys.executable, '-B', '-c', code, service.program('bitwrightd')], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, text=True)
        daemon = service.identify(int(child.stdout.readline()))
        self.assertFalse(service.is_gone(daemon))
        child.kill()
        child.communicate()
        service.wait_until(lambda: service.is_gone(daemon), 'the service is gone')


if __name__ == '__main__':
    unittest.main(verbosity=2)
