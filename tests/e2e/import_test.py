"""Models in other forms: a job on an FP8 checkpoint or a GGUF is the job on the plain model that it stands for."""

import array
import bisect
import os
import struct
import sys
import unittest

import small_model
from service import CliError, ServiceTest, outcome

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'consumers'))
import plain_gguf  # noqa: E402

BLOCK = 96  # of scales; divides no matrix of the small model
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|"
          r"\s+(?!\S)|\s+")


def e4m3(code):
    exponent, mantissa = code >> 3 & 15, code & 7
    value = (8 + mantissa) * 2.0 ** (exponent - 10) if exponent else mantissa * 2.0 ** -9
    return -value if code & 128 else value


VALUES = sorted((e4m3(code), code) for code in range(256) if code not in (0x7f, 0xff, 0x80))


def floats(data):
    """Of bfloat16."""
    wide = bytearray(2 * len(data))
    wide[2::4], wide[3::4] = data[0::2], data[1::2]
    return array.array('f', bytes(wide))


def rounded_bf16(values):
    words = array.array('I', array.array('f', values).tobytes())
    return struct.pack(f'<{len(words)}H', *((w + 0x7fff + (w >> 16 & 1)) >> 16 for w in words))


def fp8_and_plain():
    """Tensors of an FP8 checkpoint with scales of blocks, and those that it stands for."""
    stored, plain = {}, {}
    for name, (dtype, shape, data) in small_model.tensors().items():
        if not name.endswith('_proj.weight'):
            stored[name] = plain[name] = (dtype, shape, data)
            continue
        rows, columns = shape
        across = -(-columns // BLOCK)
        scales = array.array('f', [0.001 * (1 + index % 5) for index in range(-(-rows // BLOCK) * across)])
        codes, values = bytearray(), array.array('f')
        for index, value in enumerate(floats(data)):
            scale = scales[index // columns // BLOCK * across + index % columns // BLOCK]
            at = min(bisect.bisect(VALUES, (value / scale, 0)), len(VALUES) - 1)
            codes.append(VALUES[at][1])
            values.append(VALUES[at][0] * scale)
        stored[name] = ('F8_E4M3', shape, bytes(codes))
        stored[name + '_scale_inv'] = ('F32', [-(-rows // BLOCK), across], scales.tobytes())
        plain[name] = ('BF16', shape, rounded_bf16(values))
    return stored, plain


class Import(ServiceTest):
    def write(self, name, **parts):
        return small_model.write(self.path(name), changed_tokenizer=small_model.tokenizer(LLAMA3), **parts)

    def fp8(self, name):
        stored, plain = fp8_and_plain()
        config = {**small_model.config(), 'quantization_config': {
            'quant_method': 'fp8', 'fmt': 'e4m3', 'activation_scheme': 'dynamic', 'weight_block_size': [BLOCK, BLOCK]}}
        return (self.write(name, changed_config=config, checkpoint=small_model.safetensors(stored)),
                self.write(name + '-plain', checkpoint=small_model.safetensors(plain)))

    def job(self, server, model, texts, out):
        return server.cli('quantize', model, '--budget', '4.25bpw', *texts, '-o', self.path(out))

    def check_same(self, ours, theirs, form):
        """All numbers and all weights; what differs is what the files were."""
        files, report = outcome(self.path(ours))
        other_files, other = outcome(self.path(theirs))
        self.assertEqual(files['model.safetensors'], other_files['model.safetensors'])
        for one in (report, other):  # names of models are of different lengths, and so are the cards
            for candidate in one['candidates']:
                del candidate['artifact_bytes']
                candidate['size'] = [part for part in candidate['size'] if part['kind'] == 'WEIGHTS']
        for field in ('candidates', 'selected', 'units', 'allocation', 'reference'):
            self.assertEqual(report[field], other[field], field)
        notices = {notice['reason']: notice['message'] for notice in report['notices']}
        self.assertIn(form, notices['MODEL_IMPORTED'])
        self.assertNotIn('MODEL_IMPORTED', [notice['reason'] for notice in other.get('notices', [])])

    def test_fp8(self):
        server = self.start_service(threads=2)
        fp8, plain = self.fp8('fp8')
        texts = self.texts(size_bytes=4096)
        self.job(server, fp8, texts, 'out')
        self.assertEqual(server.tasks_run()['import'], 1)
        self.assertEqual(server.tasks_run()['inspect'], 2)
        self.job(server, plain, texts, 'out-plain')
        self.assertEqual(server.tasks_run()['import'], 1, 'nothing else is imported')
        self.check_same('out', 'out-plain', 'FP8 (E4M3, scales of blocks of 96 × 96)')

    def test_gguf(self):
        server = self.start_service(threads=2)
        plain = self.write('plain')
        gguf = plain_gguf.write(plain, self.path('small-f32.gguf'))
        texts = self.texts(size_bytes=4096)
        self.job(server, plain, texts, 'out-plain')
        self.job(server, gguf, texts, 'out')
        self.check_same('out', 'out-plain', 'GGUF')
        shown = self.shown(server)
        paths = [file['path'] for file in shown['imported']['files']]
        self.assertEqual(paths, ['config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json'])
        self.assertEqual([file['path'] for file in shown['manifest']['files']], ['small-f32.gguf'])
        # The same bytes again are the same model, and a restarted server knows it.
        server.stop()
        server.start()
        ran = server.tasks_run()
        self.job(server, gguf, texts, 'again')
        self.assertEqual(server.tasks_run().get('import', 0), ran.get('import', 0))
        self.assertEqual(outcome(self.path('again')), outcome(self.path('out')))

    def shown(self, server):
        models = server.cli('model', 'list')['models']
        name = next(model['name'] for model in models if model.get('display_name', '').endswith('.gguf'))
        return server.cli('model', 'show', name)

    def test_refused(self):
        server = self.start_service()
        plain = self.write('plain')
        stored, _ = fp8_and_plain()
        del stored['model.layers.1.mlp.up_proj.weight_scale_inv']
        config = {**small_model.config(), 'quantization_config': {'quant_method': 'fp8', 'weight_block_size': [BLOCK, BLOCK]}}
        fp8 = self.write('fp8', changed_config=config, checkpoint=small_model.safetensors(stored))
        two = self.path('two')
        os.makedirs(two)
        for name in ('a.gguf', 'b.gguf'):
            plain_gguf.write(plain, os.path.join(two, name))
        cut = self.path('cut.gguf')
        with open(os.path.join(two, 'a.gguf'), 'rb') as whole, open(cut, 'wb') as file:
            file.write(whole.read()[:-4096])
        for model, reason, named in ((fp8, 'IMPORT_SCALE_INVALID', 'model.layers.1.mlp.up_proj.weight_scale_inv'),
                                     (two, 'GGUF_AMBIGUOUS', 'b.gguf'), (cut, 'GGUF_PAST_END', 'cut.gguf')):
            with self.subTest(reason), self.assertRaises(CliError) as caught:
                self.job(server, model, self.texts(size_bytes=4096), 'refused')
            self.assertEqual(caught.exception.reason, reason)
            self.assertIn(named, caught.exception.error['message'])
        self.job(server, os.path.join(two, 'b.gguf'), self.texts(size_bytes=4096), 'named')


if __name__ == '__main__':
    unittest.main(verbosity=2)
