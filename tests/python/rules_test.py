"""What the Python client decides by itself is what the C++ client decides: which files are the model, what a text is, what
a budget means; and the numbers that both hold to are the same numbers."""

import functools
import io
import json
import os
import re
import sys
import tempfile
import unittest

import bitwright
from bitwright import access, budgets, contexts, data_kind, job_options, model_folder, models, progress, steps, upload
from bitwright.budget_names import budget_name

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
sys.path.insert(0, os.path.join(ROOT, 'tests', 'field'))
import model_folders  # noqa: E402
import text_files  # noqa: E402

# What the inspection says of a folder, or its tensors; here it may pass.
BY_INSPECTION = {'TENSOR_MISSING', 'CONFIG_CONTRADICTS_CHECKPOINT', 'WEIGHTS_PREFIXED', 'MODEL_ALREADY_QUANTIZED',
                 'MODEL_IS_ENCODER', 'MODEL_IS_ENCODER_DECODER', 'MODEL_IS_MULTIMODAL', 'ARCHITECTURE_UNSUPPORTED'}
# Folders without the files of a model, which the C++ client knows better names for.
WITHOUT_FILES = {'MODEL_IS_ADAPTER', 'MODEL_IS_DIFFUSION', 'WEIGHTS_NOT_SAFETENSORS', 'WEIGHTS_IN_MAKERS_FORM'}
# Beside the files of the sample model, what is the model's in these folders.
MORE_FILES = {
    'own-code': ['tokenization_fast.py', 'words.py'],
    'chat-templates': model_folders.CHAT_FILES,
}
# Beside it, and hidden files are nobody's.
BESIDE = {
    'second-copies': ('checkpoint-500/model.safetensors', 'checkpoint-500/trainer_state.json', 'consolidated.safetensors',
                      'pytorch_model.bin'),
    'side-files': ('README.md', 'flax_model.msgpack', 'onnx/model.onnx', 'tf_model.h5'),
    'own-code': ('configuration_fast.py', 'modeling_fast.py'),
}


def source(*parts):
    with open(os.path.join(ROOT, *parts), encoding='utf-8') as file:
        return file.read()


class Folders(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        work = tempfile.TemporaryDirectory(prefix='python-rules-')
        cls.addClassCleanup(work.cleanup)
        cls.out = os.path.join(work.name, 'models')
        model_folders.make(cls.out, os.path.join(ROOT, 'deploy', 'sample'))

    def test_each(self):
        for name, (_, expected) in model_folders.FOLDERS.items():
            with self.subTest(name):
                reason = expected.get('reason')
                try:
                    found = model_folder.scan(os.path.join(self.out, name))
                except bitwright.InvalidError as error:
                    self.assertTrue(error.reason == reason or (error.reason == 'MODEL_FILE_MISSING' and reason in WITHOUT_FILES),
                                    error)
                    self.assertTrue(error.remedy)
                    continue
                self.assertIn(reason, BY_INSPECTION | {None})
                if reason is None:
                    self.check_files(name, found)

    def check_files(self, name, found):
        shards = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors', 'model.safetensors.index.json']
        weights = shards if os.path.exists(os.path.join(self.out, name, shards[2])) else ['model.safetensors']
        files = [*model_folders.SMALL_FILES, *weights, *MORE_FILES.get(name, [])]
        self.assertEqual([file.path for file in found.files], sorted(files))
        self.assertEqual(found.ignored, BESIDE.get(name, ()))

    def test_a_link_to_nowhere(self):
        folder = model_folders.Folder(os.path.join(self.out, 'link'), model_folders.Sample(os.path.join(ROOT, 'deploy', 'sample')))
        folder.write()
        os.symlink('nowhere', os.path.join(folder.path, 'merges.txt'))
        os.symlink('nowhere', os.path.join(folder.path, 'notes.txt'))
        with self.assertRaises(bitwright.InvalidError) as caught:
            model_folder.scan(folder.path)
        self.assertEqual((caught.exception.reason, caught.exception.field), ('MODEL_LINK_BROKEN', 'file'))

    def test_ggufs_by_name_and_in_parts(self):
        with tempfile.TemporaryDirectory() as work:
            parts = [f'x-{n:05}-of-00003.gguf' for n in (1, 2, 3)]
            for name in (*parts, 'y.gguf', 'mmproj-y.gguf'):
                with open(os.path.join(work, name), 'wb') as file:
                    file.write(b'GGUF')
            scanned = model_folder.scan(os.path.join(work, parts[1]))
            self.assertEqual([file.path for file in scanned.files], parts)
            with self.assertRaises(bitwright.InvalidError) as caught:
                model_folder.scan(work)
            self.assertEqual(caught.exception.reason, 'GGUF_AMBIGUOUS')
            for name in parts:
                os.unlink(os.path.join(work, name))
            self.assertEqual([file.path for file in model_folder.scan(work).files], ['y.gguf'])

    def test_the_names_are_those_of_the_contract(self):
        carried = re.search(r'IsCarriedFile.*?kNames\[\] = \{(.*?)\};(.*?)\n\}', source('proto/inputs/model_folder.cc'), re.DOTALL)
        self.assertEqual(set(re.findall(r'"([^"]+)"', carried[1])), model_folder.CARRIED)
        legal = re.search(r'legal : \{(.*?)\}', carried[2])
        self.assertEqual(tuple(re.findall(r'"([^"]+)"', legal[1])), model_folder.LEGAL)

    def test_hub_names(self):
        with tempfile.TemporaryDirectory() as home:
            snapshot = os.path.join(home, 'hub', 'models--org--a-b', 'snapshots', 'abc')
            os.makedirs(snapshot)
            os.makedirs(os.path.join(home, 'hub', 'models--org--a-b', 'refs'))
            with open(os.path.join(home, 'hub', 'models--org--a-b', 'refs', 'main'), 'w', encoding='ascii') as file:
                file.write('abc')
            self.assertEqual(models.local_path('org/a-b', {'HF_HOME': home}), snapshot)
            self.assertEqual(models.name_of_folder(snapshot), 'org/a-b')
            self.assertIsNone(models.local_path('org/other', {'HF_HOME': home}))
            self.assertIsNone(models.local_path('models/a-b', {'HF_HOME': home}))


class Texts(unittest.TestCase):
    def test_each(self):
        kinds = {kind: word for word, kind in data_kind.KINDS.items()}
        for name, (content, expected) in text_files.TEXTS.items():
            data = content.encode() if isinstance(content, str) else content
            with self.subTest(name):
                try:
                    kind = kinds[data_kind.recognize(name, data[:data_kind.HEAD_BYTES])]
                except bitwright.InvalidError as error:
                    self.assertEqual(error.reason, expected.get('reason'), error)
                    for part in expected['names']:
                        self.assertIn(part.replace('--data-kind text', "kind='text'"), error.message)
                    self.assertEqual((error.field, error.metadata['file']), ('file', name))
                else:
                    self.assertEqual(kind, expected.get('kind'))


class Budgets(unittest.TestCase):
    def test_forms(self):
        for text, field, value, name in (
                (4.25, 'average_bits', 4.25, '4.25bpw'), (4, 'average_bits', 4.0, '4bpw'), ('4.250BPW', 'average_bits', 4.25, '4.25bpw'),
                ('12MB', 'artifact_bytes', 12_000_000, '12MB'), ('1.5 GiB', 'artifact_bytes', 3 << 29, '1.5GiB'),
                ('12000001B', 'artifact_bytes', 12_000_001, '12000001B'), ('kld=0.05', 'max_kl_divergence', 0.05, 'kld=0.05'),
                ('PPL=1%', 'max_perplexity_rise', 0.01, 'ppl=1%'), ('ppl=0.01', 'max_perplexity_rise', 0.01, 'ppl=1%')):
            budget = budgets.parse_budget(text)
            self.assertEqual((budget.WhichOneof('kind'), getattr(budget, field)), (field, value), text)
            self.assertEqual(budget_name(budget), name)

    def test_what_is_none(self):
        for text in ('', '4', 'bpw', '-4bpw', '0bpw', '33bpw', 'nan', 'infMB', '1e400bpw', '0.5B', '9000TiB', '4bits', 'kld=', 'kld=0',
                     'kld=x', 'ppl=-1%', 'ppl=1001%', 'kld=0.1%', '1_0MB', 'kld=1_0', 0, -1, float('nan'), 1e9):
            with self.assertRaises(bitwright.InvalidError, msg=repr(text)) as caught:
                budgets.parse_budget(text)
            self.assertEqual((caught.exception.reason, caught.exception.field), ('BUDGET_INVALID', 'budget'))

    def test_goals(self):
        goals = budgets.choose_goals('4bpw, 5bpw', ['compressed-tensors', 'gguf'])
        self.assertEqual(goals.names, ('compressed-tensors-4bpw', 'compressed-tensors-5bpw', 'gguf-4bpw', 'gguf-5bpw'))
        loaded_by = {'compressed-tensors': ('vllm',), 'gguf': ('llama.cpp',)}
        self.assertEqual([goal.consumer for goal in goals.for_consumer('vllm', loaded_by).goals], ['vllm', 'vllm', '', ''])
        for budget, target, reason in ((['4bpw', 4], 'gguf', 'BUDGET_INVALID'), (4, 'gguf,gguf', 'TARGETS_INVALID'),
                                       ([n / 2 for n in range(4, 21)], 'gguf', 'GOALS_INVALID')):
            with self.assertRaises(bitwright.InvalidError) as caught:
                budgets.choose_goals(budget, target)
            self.assertEqual(caught.exception.reason, reason)

    def test_the_units_are_those_of_the_contract(self):
        text = re.search(r'kUnits\[\] = \{(.*?)\};', source('proto/inputs/budget.cc'), re.DOTALL)[1]
        units = {name: float.fromhex(number) if 'x' in number else float(number)
                 for name, number in re.findall(r'\{"(\w+)", ([^}]+)\}', text)}
        self.assertEqual(units, budgets.UNITS)


class Numbers(unittest.TestCase):
    def test_limits_are_those_of_the_contract(self):
        text = source('proto/contract/limits.h')
        for name, ours in (('kMaxGoals', budgets.MOST_GOALS), ('kMaxTexts', job_options.MOST_TEXTS),
                           ('kMaxManifestFiles', model_folder.MOST_FILES), ('kMaxPathBytes', model_folder.MOST_PATH_BYTES),
                           ('kMaxDisplayNameBytes', models.MOST_NAME_BYTES), ('kStreamChunkBytes', upload.CHUNK_BYTES),
                           ('kMaxFindMissingDigests', upload.MOST_DIGESTS), ('kMaxInlineProtoBytes', access.MOST_RECEIVE_BYTES),
                           ('kDefaultWindow', job_options.DEFAULT_WINDOW),
                           ('kDefaultCalibrationTokens', job_options.DEFAULT_CALIBRATION_TOKENS),
                           ('kDefaultEvaluationTokens', job_options.DEFAULT_EVALUATION_TOKENS)):
            expression = re.search(name + r' = ([\d <]+);', text)[1]
            self.assertEqual(eval(expression), ours, name)  # digits and shifts only
        head = re.search(r'kDataHeadBytes = (\d+) << (\d+)', source('proto/inputs/data_kind.h'))
        self.assertEqual(int(head[1]) << int(head[2]), data_kind.HEAD_BYTES)

    def test_addresses(self):
        for address, here in (('127.0.0.1:1', True), ('127.9.9.9:1', True), ('localhost:1', True), ('[::1]:1', True), ('::1', True),
                              ('unix:/tmp/x', True), ('dns:///localhost:1', True), ('10.0.0.1:1', False),
                              ('127.evil.example:1', False), ('lab.example:7071', False), ('[fe80::1]:1', False)):
            self.assertEqual(access.is_on_this_machine(address), here, address)


class Services(unittest.TestCase):
    def test_which_one_is_meant(self):
        with tempfile.TemporaryDirectory() as home:
            os.makedirs(os.path.join(home, 'bitwright'))
            lab = {'server': 'lab:1', 'token_file': 'lab.token', 'tls_ca': 'system'}
            with open(os.path.join(home, 'bitwright', 'contexts.json'), 'w', encoding='utf-8') as file:
                json.dump({'current': 'lab', 'contexts': {'lab': lab, 'other': {'server': 'other:1'}}}, file)
            config = {'XDG_CONFIG_HOME': home}
            named = {**config, 'BITWRIGHT_SERVER': 'named:1'}
            for server, context, environment, expected in (
                    ('given:1', '', config, 'given:1'), ('', 'other', named, 'other:1'), ('', '', named, 'named:1'),
                    ('', '', config, 'lab:1'), ('', '', {**config, 'BITWRIGHT_CONTEXT': 'other'}, 'other:1'),
                    ('', '', {'XDG_CONFIG_HOME': home + '/nowhere'}, '')):
                settings = contexts.service_settings(server, context, environment)
                self.assertEqual(settings['server'], expected)
                self.assertEqual(settings['token_file'], 'lab.token' if expected == 'lab:1' else '')
            above = contexts.service_settings('', '', {**config, 'BITWRIGHT_TOKEN_FILE': 'mine'})
            self.assertEqual((above['token_file'], above['tls_ca']), ('mine', 'system'))


class Bars(unittest.TestCase):
    def test_one_for_each_phase(self):
        import tqdm
        drawn = io.StringIO()
        bars = progress.Bars(functools.partial(tqdm.tqdm, file=drawn, mininterval=0))
        for phase, total in ((progress.HASH, 10), (progress.UPLOAD, 10), (progress.INSPECT, 0), (progress.JOB, 1), (progress.DOWNLOAD, 4)):
            for part in (0, 0.5, 1):
                bars(progress.Progress(phase, part * total, total, 'curvature' if phase == progress.JOB else ''))
        for word in ('reading: 100%', 'uploading: 100%', 'quantizing:  50 %', 'quantizing: 100 %', 'curvature', 'downloading: 100%'):
            self.assertIn(word, drawn.getvalue())

    def test_none_where_nobody_looks(self):
        self.assertIsNone(progress.listener(None)(progress.Progress(progress.JOB, 0, 1)))


class Steps(unittest.TestCase):
    def test_what_is_emitted_is_taken_and_all_else_passes(self):
        def inner():
            yield steps.Emit(1)
            try:
                yield 'a'
            except KeyError:
                yield steps.Emit(2)
            return (yield 'b')
        taken = []
        outer = steps.taking(inner(), taken.append)
        self.assertEqual(next(outer), 'a')
        self.assertEqual(outer.throw(KeyError()), 'b')
        with self.assertRaises(StopIteration) as end:
            outer.send(3)
        self.assertEqual((end.exception.value, taken), (3, [1, 2]))


if __name__ == '__main__':
    unittest.main(verbosity=2)
