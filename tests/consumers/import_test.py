#!/usr/bin/env python3
"""An FP8 checkpoint is imported as the weights that transformers and compressed-tensors make of it, bit for bit.

usage: import_test.py IMPORT_FOLDER SOURCE_DIR
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

import torch
from compressed_tensors.compressors.naive_quantized.base import FloatQuantizationCompressor
from compressed_tensors.quantization import QuantizationArgs, QuantizationScheme
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, FineGrainedFP8Config
from transformers.integrations.finegrained_fp8 import Fp8Dequantize

program, source = sys.argv[1:3]
sample = os.path.join(source, 'deploy', 'sample')
work = tempfile.TemporaryDirectory(prefix='bitwright-import-')
LARGEST = 448.0


def path_of(name):
    return os.path.join(work.name, name)


def is_linear(name):
    return name.endswith('_proj.weight')


def folder(name, tensors, quantization, **config):
    """The sample's small files beside these tensors."""
    path = path_of(name)
    os.makedirs(path)
    for file in os.listdir(sample):
        if not file.endswith('.safetensors') and file != 'config.json': shutil.copy(os.path.join(sample, file), path)
    with open(os.path.join(sample, 'config.json'), encoding='utf-8') as file:
        made = {**json.load(file), **config, 'quantization_config': quantization}
    with open(os.path.join(path, 'config.json'), 'w', encoding='utf-8') as file:
        json.dump(made, file)
    save_file({key: value.contiguous() for key, value in tensors.items()}, os.path.join(path, 'model.safetensors'),
              metadata={'format': 'pt'})
    return path


def imported(path):
    """(tensors, config) that an import makes; the error's reason where it is refused."""
    out = path + '-out'
    done = subprocess.run([program, path, out], capture_output=True, text=True, check=False)
    if done.returncode == 1: return json.loads(done.stdout)['reason'], None
    if done.returncode: raise AssertionError(f'import_folder ended with {done.returncode}: {done.stderr}')
    with open(os.path.join(out, 'config.json'), encoding='utf-8') as file:
        return load_file(os.path.join(out, 'model.safetensors')), json.load(file)


def grid(weight, rows, columns, dtype):
    """Codes and scales of blocks of rows × columns; the last ones may be cut off."""
    out, width = weight.shape
    padded = torch.zeros(-(-out // rows) * rows, -(-width // columns) * columns)
    padded[:out, :width] = weight.float()
    blocks = padded.reshape(padded.shape[0] // rows, rows, padded.shape[1] // columns, columns)
    scales = (blocks.abs().amax(dim=(1, 3)) / LARGEST).clamp(min=1e-12).to(dtype)
    codes = (blocks / scales.float()[:, None, :, None]).clamp(-LARGEST, LARGEST).to(torch.float8_e4m3fn)
    return codes.reshape(padded.shape)[:out, :width], scales


def same(name, ours, theirs):
    good = ours.keys() == theirs.keys() and all(
        ours[key].dtype == theirs[key].dtype and torch.equal(ours[key].view(torch.uint8), theirs[key].view(torch.uint8))
        for key in theirs)
    print(f'{"ok  " if good else "FAIL"} {name}', flush=True)
    return good


def fp8(plain, rows, columns, dtype=torch.float32):
    tensors = {}
    for key, value in plain.items():
        if is_linear(key) and 'layers.1.' not in key:  # a block that is left as it is
            tensors[key], tensors[key + '_scale_inv'] = grid(value, rows, columns, dtype)
        else:
            tensors[key] = value
    return tensors


def check_fp8(plain):
    """Fp8Dequantize itself, and a model that transformers loads."""
    good = True
    op = Fp8Dequantize(None)
    for scales in (torch.float32, torch.bfloat16):
        tensors = fp8(plain, 128, 128, scales)
        path = folder(f'fp8-{scales}'[-8:], tensors,
                      {'quant_method': 'fp8', 'fmt': 'e4m3', 'activation_scheme': 'dynamic', 'weight_block_size': [128, 128],
                       'modules_to_not_convert': ['lm_head', 'model.layers.1']})
        ours, config = imported(path)
        theirs = {key: op._dequantize_one(value, tensors[key + '_scale_inv'], torch.bfloat16)
                  if value.dtype == torch.float8_e4m3fn else value
                  for key, value in tensors.items() if not key.endswith('_scale_inv')}
        good &= same(f'fp8, {scales} scales: Fp8Dequantize', ours, theirs)
        good &= 'quantization_config' not in config
    # Blocks that do not divide the matrix: DeepSeek's own rule, which transformers leaves out.
    tensors = fp8(plain, 96, 112)
    ours, _ = imported(folder('ragged', tensors, {'quant_method': 'fp8', 'weight_block_size': [96, 112]}))
    theirs = {}
    for key, value in tensors.items():
        if key.endswith('_scale_inv'): continue
        if value.dtype == torch.float8_e4m3fn:
            wide = tensors[key + '_scale_inv'].repeat_interleave(96, 0).repeat_interleave(112, 1)
            value = (value.float() * wide[:value.shape[0], :value.shape[1]]).bfloat16()
        theirs[key] = value
    return good & same('fp8, blocks that are cut off', ours, theirs)


def check_float_quantized(plain):
    good = True
    for strategy, rows, columns, group in (('tensor', None, None, None), ('channel', 1, None, None), ('group', 1, 32, 32),
                                           ('block', 128, 64, None)):
        for dtype in (torch.bfloat16, torch.float32):
            weights = {'num_bits': 8, 'type': 'float', 'symmetric': True, 'strategy': strategy, 'dynamic': False}
            if group: weights['group_size'] = group
            if strategy == 'block': weights['block_structure'] = [rows, columns]
            scheme = QuantizationScheme(targets=['Linear'], weights=QuantizationArgs(**weights), format='float-quantized')
            tensors, theirs = {}, {}
            for key, value in plain.items():
                if not is_linear(key):
                    tensors[key] = theirs[key] = value
                    continue
                codes, scales = grid(value, rows or value.shape[0], columns or value.shape[1], dtype)
                if strategy == 'tensor': scales = scales.reshape(1)
                tensors[key], tensors[key + '_scale'] = codes, scales
                tensors[key.replace('.weight', '.input_scale')] = torch.ones(1)
                made = FloatQuantizationCompressor.decompress({'weight': codes, 'weight_scale': scales}, scheme)
                theirs[key] = made['weight'].to(torch.bfloat16)
            quantization = {'quant_method': 'compressed-tensors', 'format': 'float-quantized', 'ignore': ['lm_head'],
                            'config_groups': {'group_0': {'targets': ['Linear'], 'weights': weights}}}
            ours, _ = imported(folder(f'ct-{strategy}-{dtype}'.replace('.', ''), tensors, quantization))
            good &= same(f'float-quantized, {strategy}, {dtype} scales', ours, theirs)
    return good


def check_loads(plain):
    """A checkpoint that transformers itself dequantizes as it loads is the same model."""
    tensors = fp8(plain, 128, 128)
    path = folder('loads', tensors, {'quant_method': 'fp8', 'activation_scheme': 'dynamic', 'weight_block_size': [128, 128],
                                     'modules_to_not_convert': ['lm_head', 'model.layers.1']})
    ours, _ = imported(path)
    model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.bfloat16,
                                                 quantization_config=FineGrainedFP8Config(dequantize=True))
    theirs = {key: value for key, value in model.state_dict().items() if key in ours}
    return same('fp8: transformers loads it with dequantize=True', ours, theirs)


def check_refused(plain):
    good = True
    config = {'quant_method': 'fp8', 'weight_block_size': [128, 128]}
    linear = next(key for key in sorted(plain) if is_linear(key))

    def damaged(name, change, expected, quantization=None):
        nonlocal good
        tensors = fp8(plain, 128, 128)
        change(tensors)
        reason, _ = imported(folder('bad-' + name, tensors, quantization or config))
        fits = reason == expected
        print(f'{"ok  " if fits else "FAIL"} refused, {name}: {reason if isinstance(reason, str) else "accepted"}', flush=True)
        good &= fits

    scale = linear + '_scale_inv'
    damaged('no scale', lambda t: t.pop(scale), 'IMPORT_SCALE_INVALID')
    damaged('another shape', lambda t: t.update({scale: torch.ones(3, 5)}), 'IMPORT_SCALE_INVALID')
    damaged('an empty scale', lambda t: t.update({scale: torch.ones(0)}), 'IMPORT_SCALE_INVALID')
    damaged('integers', lambda t: t.update({scale: torch.ones(t[scale].shape, dtype=torch.int32)}), 'IMPORT_SCALE_INVALID')
    damaged('e5m2', lambda t: t.update({linear: t[linear].float().to(torch.float8_e5m2)}), 'IMPORT_TENSOR_UNSUPPORTED')
    damaged('an FP8 norm', lambda t: t.update({'model.norm.weight': t['model.norm.weight'].to(torch.float8_e4m3fn)}),
            'IMPORT_TENSOR_UNSUPPORTED')
    for size in ([0, 128], [128], 'x', [1.5, 2], [-1, 1]):
        damaged(f'blocks {size}', lambda t: None, 'IMPORT_CONFIG_UNSUPPORTED', {'quant_method': 'fp8', 'weight_block_size': size})
    damaged('integers of 8 bits', lambda t: None, 'IMPORT_CONFIG_UNSUPPORTED',
            {'quant_method': 'compressed-tensors', 'format': 'float-quantized',
             'config_groups': {'a': {'weights': {'num_bits': 8, 'type': 'int'}}}})
    return good


plain = load_file(os.path.join(sample, 'model.safetensors'))
results = [check_fp8(plain), check_float_quantized(plain), check_loads(plain), check_refused(plain)]
sys.exit(0 if all(results) else 1)
