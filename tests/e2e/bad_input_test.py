"""Bad input to the real service: each is refused with its exact reason, while a good job that runs meanwhile succeeds."""

import json
import os
import struct
import unittest

import small_model
from service import CliError, RemoteWorker, ServiceTest, outcome, run_cli

QUERY = 'model.layers.0.self_attn.q_proj.weight'
DOWN = 'model.layers.1.mlp.down_proj.weight'


def changed_header(change):
    """A checkpoint whose header a function has changed."""
    tensors = small_model.tensors()
    header = small_model.header_of(tensors)
    change(header)
    return small_model.safetensors(tensors, header)


def changed_tensors(change):
    tensors = small_model.tensors()
    change(tensors)
    return small_model.safetensors(tensors)


def changed_config(**fields):
    return {**small_model.config(), **fields}


def past_the_end():
    def change(header):
        last = max(header, key=lambda name: header[name]['data_offsets'][1])
        header[last]['shape'] = [header[last]['shape'][0] * 1000, *header[last]['shape'][1:]]
        begin, end = header[last]['data_offsets']
        header[last]['data_offsets'] = [begin, begin + (end - begin) * 1000]
    return changed_header(change)


def overlapping():
    def change(header):
        size = header[QUERY]['data_offsets'][1] - header[QUERY]['data_offsets'][0]
        header[QUERY]['data_offsets'] = [0, size]
    return changed_header(change)


def with_a_hole():
    tensors = small_model.tensors()
    header = small_model.header_of(tensors)
    del header[QUERY]
    return small_model.safetensors(tensors, header)


def duplicate_key():
    tensors = small_model.tensors()
    text = json.dumps(small_model.header_of(tensors))
    entry = json.dumps({QUERY: small_model.header_of(tensors)[QUERY]})[1:-1]
    return small_model.safetensors(tensors, text[:-1] + ', ' + entry + '}')


def unknown_dtype(header):
    header[QUERY]['dtype'] = 'F7'


def overflowing(header):
    header[QUERY]['shape'] = [1 << 40, 1 << 40]


def wrong_shape(tensors):
    dtype, shape, data = tensors[QUERY]
    tensors[QUERY] = (dtype, [shape[0] // 2, shape[1] * 2], data)


def with_number(bits):
    """A function that puts a bfloat16 into the middle of a tensor."""
    def change(tensors):
        dtype, shape, data = tensors[QUERY]
        tensors[QUERY] = (dtype, shape, data[:5000] + struct.pack('<H', bits) + data[5002:])
    return change


def without(name):
    def change(tensors):
        del tensors[name]
    return change


GOOD = small_model.safetensors(small_model.tensors())

# What is wrong: the reason and the parts of the model.
MODELS = {
    'cut within the header': ('SAFETENSORS_TRUNCATED', {'checkpoint': GOOD[:100]}),
    'shorter than its size word': ('SAFETENSORS_TRUNCATED', {'checkpoint': GOOD[:5]}),
    'cut within the data': ('SAFETENSORS_PAST_END', {'checkpoint': GOOD[:-1000]}),
    'bytes after the last tensor': ('SAFETENSORS_TRAILING_BYTES', {'checkpoint': GOOD + b'more'}),
    'a tensor past the end': ('SAFETENSORS_PAST_END', {'checkpoint': past_the_end()}),
    'overlapping ranges': ('SAFETENSORS_OVERLAP', {'checkpoint': overlapping()}),
    'a hole between ranges': ('SAFETENSORS_HOLE', {'checkpoint': with_a_hole()}),
    'a key twice': ('JSON_DUPLICATE_KEY', {'checkpoint': duplicate_key()}),
    'a huge header': ('SAFETENSORS_HEADER_TOO_LARGE', {'checkpoint': struct.pack('<Q', 1 << 40) + GOOD[8:]}),
    'an unknown dtype': ('SAFETENSORS_DTYPE_UNKNOWN', {'checkpoint': changed_header(unknown_dtype)}),
    'a shape whose product overflows': ('SAFETENSORS_SHAPE_OVERFLOW', {'checkpoint': changed_header(overflowing)}),
    'a tensor is missing': ('TENSOR_MISSING', {'checkpoint': changed_tensors(without(DOWN))}),
    'a wrong shape': ('TENSOR_SHAPE_WRONG', {'checkpoint': changed_tensors(wrong_shape)}),
    'a weight that is no number': ('TENSOR_NOT_FINITE', {'checkpoint': changed_tensors(with_number(0x7FC0))}),
    'an infinite weight': ('TENSOR_NOT_FINITE', {'checkpoint': changed_tensors(with_number(0x7F80))}),
    'an architecture of another kind': ('ARCHITECTURE_UNSUPPORTED', {'changed_config': changed_config(
        architectures=['FalconForCausalLM'], model_type='falcon')}),
    'a config field of the wrong type': ('CONFIG_INVALID', {'changed_config': changed_config(hidden_size='128')}),
    'a config that is a list': ('JSON_INVALID', {'changed_config': [1, 2]}),
}


class BadInput(ServiceTest):
    """A worker is halted in the middle of a good job until a second one has met and refused the bad input."""

    def setUp(self):
        super().setUp()
        self.model = small_model.write(self.path('model'))
        self.server = self.start_service(stepping=True)
        self.server.cli('model', 'upload', self.model)
        self.good = ['quantize', self.model, '--budget', '4.25bpw', *self.texts('good'), '-o']
        self.client = self.server.begin(*self.good, self.path('out'))
        self.server.freeze(self.client.job(), 'calibrate')
        # Started only now, so that there was one child to halt.
        self.addCleanup(RemoteWorker(self.server.address, self.path('second')).stop)

    def check_good_job(self):
        agents = self.server.agents()
        self.server.go_on()
        self.client.result()
        run_cli(*self.good, self.path('alone'))
        self.assertEqual(outcome(self.path('out')), outcome(self.path('alone')))
        self.assertEqual(self.server.agents(), agents, 'no agent ended')
        self.assertEqual(self.server.metrics()['bitwright_task_retries_total'], 0, 'bad input is not tried again')

    def refuse(self, reason, *arguments):
        with self.assertRaises(CliError) as caught:
            self.server.cli(*arguments)
        self.assertEqual(caught.exception.reason, reason, caught.exception)
        return caught.exception.error

    def test_models(self):
        for number, (what, (reason, parts)) in enumerate(MODELS.items()):
            with self.subTest(what):
                folder = small_model.write(self.path(f'bad{number}'), **parts)
                error = self.refuse(reason, 'model', 'upload', folder)
                self.assertTrue(error['metadata'], 'says which file, tensor or field')
        self.check_good_job()

    def job(self, model, *data, budget='4.25bpw'):
        return ['quantize', model, '--budget', budget, *data, '-o', self.path('nothing')]

    def data(self, **changed):
        """Flags of good data, but for what is given."""
        flags = self.texts('other')
        for use, path in changed.items():
            flags[flags.index(f'--{use}') + 1] = path
        return flags

    def test_jobs(self):
        tokenless = small_model.write(self.path('tokenless'), with_tokenizer=False)
        # Takes exponential time on a long run of one letter that no match can end.
        slow = small_model.write(self.path('slow'), changed_tokenizer=small_model.tokenizer(r'(a+)+$'))
        letters = self.path('letters.txt')
        with open(letters, 'w', encoding='ascii') as file:
            file.write('a' * 4096 + '!')
        empty = self.path('empty.txt')
        with open(empty, 'wb'):
            pass
        short = small_model.write_text(self.path('short.txt'), 63, 1)
        ids = self.path('outside.ids.jsonl')
        with open(ids, 'w', encoding='ascii') as file:
            file.write(json.dumps([small_model.VOCABULARY] * 64) + '\n')
        cases = {
            'no tokenizer': ('TOKENIZER_MISSING', self.job(tokenless, *self.data())),
            'a catastrophic pattern': ('TOKENIZER_PATTERN_LIMIT', self.job(slow, *self.data(calibration=letters))),
            'empty calibration text': ('DATA_TOO_SHORT', self.job(self.model, *self.data(calibration=empty))),
            'less than one window': ('DATA_TOO_SHORT', self.job(self.model, *self.data(calibration=short))),
            'ids outside the vocabulary': ('TOKEN_ID_OUT_OF_RANGE', self.job(self.model, *self.data(calibration=ids))),
            'below the smallest plan': ('BUDGET_BELOW_SMALLEST_PLAN',
                                        self.job(self.model, *self.data(), budget='1.5bpw')),
            'above the largest plan': ('BUDGET_ABOVE_LARGEST_PLAN',
                                       self.job(self.model, *self.data(), budget='20bpw')),
            'bytes below the smallest': ('BUDGET_BELOW_SMALLEST_PLAN',
                                         self.job(self.model, *self.data(), budget='100kB')),
            'bytes above the largest': ('BUDGET_ABOVE_LARGEST_PLAN', self.job(self.model, *self.data(), budget='1GB')),
        }
        for what, (reason, arguments) in cases.items():
            with self.subTest(what):
                error = self.refuse(reason, *arguments)
                if what == 'below the smallest plan':
                    self.assertIn('1.5', error['message'])
                self.assertFalse(os.path.exists(self.path('nothing', 'report.json')))
        self.check_good_job()

    def test_a_deleted_model(self):
        gone = self.server.cli('model', 'upload', small_model.write(self.path('gone'), with_tokenizer=False))['name']
        self.server.cli('model', 'delete', gone)
        self.refuse('MODEL_NOT_FOUND', *self.job(gone, *self.data()))
        used = self.server.job(self.client.job())['spec']['model']
        self.refuse('MODEL_IN_USE', 'model', 'delete', used)
        self.check_good_job()


if __name__ == '__main__':
    unittest.main(verbosity=2)
