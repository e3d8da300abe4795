"""From a job to a model of transformers in one call, as `bitwright[transformers]` has it."""

import contextlib
import io
import math
import os
import unittest

import bitwright
import live
import service
import readme_test
from live import LiveTest

os.environ.setdefault('HF_HUB_OFFLINE', '1')


class Load(LiveTest):
    def test_it_is_the_model_of_the_report(self):
        import bitwright.transformers
        import torch
        os.environ['XDG_CACHE_HOME'] = self.path('cache')
        text = os.path.join(service.SAMPLE, 'evaluation.txt')
        with bitwright.Client(self.address) as client:
            job = client.quantize(service.SAMPLE, 6, calibration='sample', evaluation=text, window=64, calibration_tokens=512,
                                  evaluation_tokens=512, sample_tokens=0, recipe='uniform-gptq').wait()
            model, tokenizer = bitwright.transformers.load(job, dtype=torch.float32, attn_implementation='eager')
            with open(text, encoding='utf-8') as file:
                ids = tokenizer(file.read()[:8192], add_special_tokens=False, return_tensors='pt').input_ids[0, :512].view(8, 64)
            with torch.no_grad():
                logits = model(ids).logits.double()
            loss = torch.nn.functional.cross_entropy(logits[:, :-1].reshape(-1, logits.shape[-1]), ids[:, 1:].reshape(-1))
            ours = job.report.best.perplexity
            self.assertLess(abs(math.exp(loss.item()) / ours - 1), 1e-3)
            folder = bitwright.transformers.cache_folder(job.artifact)
            before = os.stat(folder / 'model.safetensors').st_mtime_ns
            bitwright.transformers.load(job.artifact)
            self.assertEqual(os.stat(folder / 'model.safetensors').st_mtime_ns, before, 'it is downloaded once')

    def test_ten_lines_of_the_readme(self):
        os.environ['BITWRIGHTD'] = service.program('bitwrightd')
        os.environ['XDG_CACHE_HOME'] = self.path('readme-cache')
        printed = io.StringIO()
        with readme_test.folder_of_readme(self, service.SAMPLE), contextlib.redirect_stdout(printed):
            (block,) = readme_test.blocks(with_transformers=True)
            readme_test.run(block, {}, None)
        self.assertIn('Once upon a time', printed.getvalue())

    def test_what_transformers_does_not_read(self):
        import bitwright.transformers
        whole = live.small_model.tokenizer()
        whole['pre_tokenizer'] = {'type': 'ByteLevel', 'add_prefix_space': False, 'trim_offsets': True, 'use_regex': True}
        folder = live.small_model.write(self.path('gguf'), changed_tokenizer=whole)
        with bitwright.Client(self.address) as client:
            job = client.quantize(folder, 6, targets='gguf', **self.texts)
            with self.assertRaises(bitwright.BitwrightError) as caught:
                bitwright.transformers.load(job)
            self.assertEqual(caught.exception.reason, 'JOB_UNFINISHED')
            with self.assertRaises(bitwright.InvalidError) as caught:
                bitwright.transformers.load(job.wait())
            self.assertEqual((caught.exception.reason, caught.exception.field), ('TARGET_NOT_LOADABLE', 'target'))


if __name__ == '__main__':
    unittest.main(verbosity=2)
