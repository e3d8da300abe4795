#!/usr/bin/env python3
"""A GGUF becomes the checkpoint that it was made from: every family, every type that is read, whatever its tokenizer.

The files are made by plain_gguf.py, which shares no code with the product, from the models of the reference data.

usage: import_gguf_test.py IMPORT_FOLDER SOURCE_DIR
"""
import json
import os
import struct
import subprocess
import sys
import tempfile

import plain_families
import plain_gguf

program, source = sys.argv[1:3]
sys.path.insert(0, os.path.join(source, 'tests', 'e2e'))
import small_model  # noqa: E402

shared = os.environ.get('BITWRIGHT_SHARED', os.path.join(source, '..', 'shared'))
sample = os.path.join(source, 'deploy', 'sample')
work = tempfile.TemporaryDirectory(prefix='bitwright-import-')

# What each model needs changed to be what llama.cpp computes.
MODELS = {'llama-gqa': {}, 'llama-bias': {}, 'llama-tied': {}, 'llama-linear-rope': {}, 'llama-rope3': {}, 'llama-yarn': {},
          'llama-bf16': {}, 'llama-f16': {}, 'qwen2': {}, 'qwen3': {}, 'mixtral': {}, 'qwen2-moe': {}, 'gemma': {}, 'gemma2': {'query_pre_attn_scalar': 32},
          'gemma3-text': {'query_pre_attn_scalar': 32}, 'phi3': {}, 'phi3-longrope': {}, 'granite': {}, 'olmo2': {}, 'gpt2': {}}
DTYPES = {'llama-gqa': 'F32', 'llama-bf16': 'BF16', 'llama-f16': 'F16', 'moe': 'BF16'}  # as they were
F32, F16, Q8_0, Q4_K, BF16 = 0, 1, 8, 12, 30


def path_of(name):
    return os.path.join(work.name, name)


def imported(path):
    """The folder that an import makes; the error where it is refused."""
    out = path + '-out'
    done = subprocess.run([program, path, out], capture_output=True, text=True, check=False)
    if done.returncode == 1: return json.loads(done.stdout)
    if done.returncode: raise AssertionError(f'import_folder ended with {done.returncode}: {done.stderr}')
    return out


def say(good, name, what=''):
    print(f'{"ok  " if good else "FAIL"} {name:32} {what}', flush=True)
    return good


def changed(name, changes):
    """A model of the reference data with other settings: its files, and a config.json of its own."""
    folder, original = path_of(name), os.path.join(shared, 'fixtures', 'models', name)
    os.makedirs(folder)
    for file in os.listdir(original):
        os.symlink(os.path.abspath(os.path.join(original, file)), os.path.join(folder, file))
    config = {**plain_gguf.read_json(original, 'config.json'), **changes}
    os.unlink(os.path.join(folder, 'config.json'))
    with open(os.path.join(folder, 'config.json'), 'w', encoding='utf-8') as file:
        json.dump(config, file)
    return folder


def close(a, b):
    """Within what adding one in f32 rounds away."""
    count = len(a) // 4
    return len(a) == len(b) and all(abs(x - y) <= 2**-23 * max(1, abs(x)) for x, y in
                                    zip(struct.unpack(f'<{count}f', a), struct.unpack(f'<{count}f', b)))


def same_weights(ours, theirs, exact):
    if ours.keys() != theirs.keys():
        return f'other tensors: {sorted(ours.keys() ^ theirs.keys())[:3]}'
    for name, (shape, data) in theirs.items():
        if ours[name][0] != shape: return f'{name} has shape {ours[name][0]}, not {shape}'
        if ours[name][1] != data and (exact(name) or not close(ours[name][1], data)): return f'{name} has other values'
    return ''


def check_families():
    good = True
    for name, changes in [*MODELS.items(), ('moe', None)]:
        folder = os.path.join(shared, 'models', name) if changes is None else changed(name, changes)
        config = plain_gguf.read_json(folder, 'config.json')
        out = imported(plain_gguf.write(folder, path_of(name + '.gguf')))
        if isinstance(out, dict):
            good &= say(False, name, out['message'])
            continue
        theirs = plain_gguf.read_tensors(folder)
        made = plain_gguf.read_json(out, 'config.json')
        if made['tie_word_embeddings']: theirs.pop('lm_head.weight', None)
        # One was added to norms in f32, which loses the last bits of small ones.
        rounded = config['model_type'].startswith('gemma')
        wrong = same_weights(plain_gguf.read_tensors(out), theirs, lambda tensor: not (rounded and 'norm' in tensor))
        family = 'llama' if config['model_type'] == 'mistral' else config['model_type']
        if made['model_type'] != family: wrong = f'it is a {made["model_type"]}'
        dtypes = {value for key, value in dtypes_of(out).items() if key.endswith('_proj.weight')}
        if name in DTYPES and dtypes != {DTYPES[name]}: wrong = f'matrices are {dtypes}'
        good &= say(not wrong, name, wrong)
    return good


def check_norms():
    """One was added to norms of BF16 in f32, and is taken away again: the same numbers in the same dtype."""
    folder = changed('gemma', {}) if not os.path.exists(path_of('gemma')) else path_of('gemma')
    tensors = {name: ('BF16', shape, b''.join(data[i + 2:i + 4] for i in range(0, len(data), 4)))
               for name, (shape, data) in plain_gguf.read_tensors(folder).items()}
    narrow = path_of('gemma-bf16')
    os.makedirs(narrow)
    for file in os.listdir(folder):
        if not file.endswith('.safetensors'): os.symlink(os.path.join(folder, file), os.path.join(narrow, file))
    with open(os.path.join(narrow, 'model.safetensors'), 'wb') as file: file.write(small_model.safetensors(tensors))
    out = imported(plain_gguf.write(narrow, path_of('gemma-bf16.gguf')))
    wrong = same_weights(plain_gguf.read_tensors(out), plain_gguf.read_tensors(narrow), lambda tensor: True)
    if set(dtypes_of(out).values()) != {'BF16'}: wrong = f'dtypes are {set(dtypes_of(out).values())}'
    return say(not wrong, 'norms of gemma in BF16', wrong)


def check_own_fixtures():
    """Files that llama.cpp's package `gguf` wrote."""
    good = True
    model = os.path.join(shared, 'fixtures', 'models', 'llama-gqa')
    theirs = plain_gguf.read_tensors(model)
    for kind in ('f32', 'bf16'):
        out = imported(linked(kind))
        if isinstance(out, dict):
            good &= say(False, kind, out['message'])
            continue
        ours = plain_gguf.read_tensors(out)
        if kind == 'bf16': theirs = {key: (shape, rounded_bf16(data) if len(shape) > 1 else data)
                                     for key, (shape, data) in theirs.items()}
        wrong = same_weights(ours, theirs, lambda tensor: True)
        good &= say(not wrong, f'the package gguf, {kind}', wrong)
    return good


def linked(kind):
    path = path_of(f'llama-gqa-{kind}-theirs.gguf')
    os.symlink(os.path.abspath(os.path.join(shared, 'fixtures', 'packing', 'gguf-models', f'llama-gqa-{kind}.gguf')), path)
    return path


def rounded_bf16(data):
    words = struct.unpack(f'<{len(data) // 4}I', data)
    return struct.pack(f'<{len(words)}I', *(((w + 0x7fff + ((w >> 16) & 1)) & 0xffff0000) for w in words))


def q8_0(data):
    """(blocks, what they say) of F32: 32 codes and an f16 scale each."""
    blocks, values = b'', b''
    floats = struct.unpack(f'<{len(data) // 4}f', data)
    for begin in range(0, len(floats), 32):
        row = floats[begin:begin + 32]
        scale = struct.unpack('<e', struct.pack('<e', max(map(abs, row)) / 127))[0]
        codes = [max(-127, min(127, round(value / scale))) if scale else 0 for value in row]
        blocks += struct.pack('<e32b', scale, *codes)
        values += struct.pack('<32f', *(scale * code for code in codes))
    return blocks, values


def write_typed(path, folder, matrix_type, store, parts=1, damage=None):
    """plain_gguf's file with matrices of blocks in another type."""
    config = plain_gguf.read_json(folder, 'config.json')
    head_dim = config.get('head_dim') or config['hidden_size'] // config['num_attention_heads']
    settings = {**plain_gguf.settings_of_model(config, head_dim),
                **plain_gguf.settings_of_tokenizer(folder, config['vocab_size'], 'llama-bpe')}
    tensors = plain_families.tensors(config, plain_gguf.read_tensors(folder), head_dim)
    typed = [(name, shape, *((matrix_type, store(data)) if len(shape) > 1 else (F32, data)))
             for name, (shape, data) in tensors.items()]
    if damage: damage(settings, typed)
    paths = []
    for part in range(parts):
        own = typed[part::parts]
        head, offset, entries = b'', 0, b''
        for name, shape, kind, data in own:
            entries += plain_gguf.text_bytes(name) + struct.pack(f'<I{len(shape)}Q', len(shape), *reversed(shape))
            entries += struct.pack('<IQ', kind, offset)
            offset += len(data) + -len(data) % plain_gguf.ALIGNMENT
        keys = settings if part == 0 else {'split.no': struct.pack('<IH', 2, part)}
        head = struct.pack('<4sIQQ', b'GGUF', 3, len(own), len(keys))
        head += b''.join(plain_gguf.text_bytes(key) + value for key, value in keys.items()) + entries
        name = path if parts == 1 else f'{path[:-5]}-{part + 1:05d}-of-{parts:05d}.gguf'
        with open(name, 'wb') as file:
            file.write(head + bytes(-len(head) % plain_gguf.ALIGNMENT))
            for *_, data in own: file.write(data + bytes(-len(data) % plain_gguf.ALIGNMENT))
        paths.append(name)
    return paths


def dtypes_of(folder):
    with open(os.path.join(folder, 'model.safetensors'), 'rb') as file:
        header = json.loads(file.read(struct.unpack('<Q', file.read(8))[0]))
    return {name: entry['dtype'] for name, entry in header.items() if name != '__metadata__'}


def check_types():
    good = True
    theirs = plain_gguf.read_tensors(sample)
    head = plain_gguf.read_json(sample, 'config.json')
    narrow = {F32: lambda data: data, BF16: lambda data: b''.join(data[i + 2:i + 4] for i in range(0, len(data), 4)),
              F16: lambda data: struct.pack(f'<{len(data) // 4}e', *struct.unpack(f'<{len(data) // 4}f', data)),
              Q8_0: lambda data: q8_0(data)[0]}
    expected = {F32: lambda data: data, BF16: lambda data: data,
                F16: lambda data: struct.pack(f'<{len(data) // 4}f', *struct.unpack(f'<{len(data) // 4}e', narrow[F16](data))),
                Q8_0: lambda data: q8_0(data)[1]}
    dtype = {F32: 'BF16', BF16: 'BF16', F16: 'BF16', Q8_0: 'F32'}  # the sample is of BF16: all its values are
    for kind, name in ((F32, 'F32'), (BF16, 'BF16'), (F16, 'F16'), (Q8_0, 'Q8_0')):
        out = imported(write_typed(path_of(f'sample-{name}.gguf'), sample, kind, narrow[kind])[0])
        if isinstance(out, dict):
            good &= say(False, name, out['message'])
            continue
        want = {key: (shape, expected[kind](data) if len(shape) > 1 else data) for key, (shape, data) in theirs.items()}
        wrong = same_weights(plain_gguf.read_tensors(out), want, lambda tensor: True)
        found = {value for key, value in dtypes_of(out).items() if key.endswith('_proj.weight')}
        if found != {dtype[kind]}: wrong = f'matrices are {found}'
        good &= say(not wrong, f'the sample in {name}', wrong or f'matrices in {dtype[kind]}')
        if kind == BF16:
            same = dtypes_of(out) == dtypes_of(sample) and plain_gguf.read_json(out, 'config.json')['hidden_size'] == head['hidden_size']
            good &= say(same, 'all tensors in the dtypes of the original')
    folder = path_of('parts')
    os.makedirs(folder)
    write_typed(os.path.join(folder, 'sample.gguf'), sample, BF16, narrow[BF16], parts=3)
    out = imported(folder)
    wrong = out['message'] if isinstance(out, dict) else same_weights(plain_gguf.read_tensors(out), theirs, lambda tensor: True)
    return say(not wrong, 'in three parts', wrong) and good


def check_refused():
    good = True
    plain = lambda data: data

    def refused(name, reason, names, damage, kind=F32, store=plain):
        nonlocal good
        error = imported(write_typed(path_of(f'bad-{name.replace(" ", "-")}.gguf'), sample, kind, store, damage=damage)[0])
        fits = isinstance(error, dict) and error['reason'] == reason and all(one in error['message'] for one in names)
        good &= say(fits, f'refused: {name}', '' if fits else str(error))

    def replace(settings, key, value):
        settings[key] = value

    def tensor(tensors, name, **change):
        at = next(i for i, one in enumerate(tensors) if one[0] == name)
        old = dict(zip(('name', 'shape', 'kind', 'data'), tensors[at]))
        tensors[at] = tuple({**old, **change}.values())

    refused('Q4_K', 'IMPORT_TENSOR_UNSUPPORTED', ['Q4_K', 'unquantized'], None, Q4_K, lambda data: bytes(len(data) // 4 // 256 * 144))
    refused('another architecture', 'IMPORT_GGUF_UNSUPPORTED', ["'mamba'", 'qwen3'],
            lambda s, t: replace(s, 'general.architecture', plain_gguf.text('mamba')))
    refused('no architecture', 'GGUF_KEY_MISSING', ['general.architecture'], lambda s, t: s.pop('general.architecture'))
    refused('no hidden size', 'GGUF_KEY_MISSING', ['embedding_length'], lambda s, t: s.pop('llama.embedding_length'))
    refused('a size that is a text', 'GGUF_VALUE_KIND_WRONG', ['block_count'],
            lambda s, t: replace(s, 'llama.block_count', plain_gguf.text('6')))
    refused('more blocks than there are', 'TENSOR_MISSING', ['blk.6.'], lambda s, t: replace(s, 'llama.block_count', plain_gguf.u32(7)))
    refused('no blocks', 'CONFIG_INVALID', ['num_hidden_layers'], lambda s, t: replace(s, 'llama.block_count', plain_gguf.u32(0)))
    refused('fewer blocks than there are', 'IMPORT_GGUF_UNSUPPORTED', ['blk.5.'],
            lambda s, t: replace(s, 'llama.block_count', plain_gguf.u32(5)))
    refused('a million blocks', 'CONFIG_INVALID', ['num_hidden_layers'],
            lambda s, t: replace(s, 'llama.block_count', plain_gguf.u32(10**6)))
    refused('no heads', 'CONFIG_INVALID', ['num_attention_heads'],
            lambda s, t: replace(s, 'llama.attention.head_count', plain_gguf.u32(0)))
    refused('an unknown key', 'IMPORT_GGUF_UNSUPPORTED', ['llama.twist'], lambda s, t: replace(s, 'llama.twist', plain_gguf.u32(1)))
    refused('a scaling of no kind', 'CONFIG_UNSUPPORTED', ['rope_type'],
            lambda s, t: replace(s, 'llama.rope.scaling.type', plain_gguf.text('twist')) or
            replace(s, 'llama.rope.scaling.original_context_length', plain_gguf.u32(64)))
    refused('a tensor more', 'IMPORT_GGUF_UNSUPPORTED', ["'blk.0.twist.weight'"],
            lambda s, t: t.append(('blk.0.twist.weight', [1], F32, bytes(4))))
    refused('a tensor less', 'TENSOR_MISSING', ['blk.0.attn_k.weight'],
            lambda s, t: t.remove(next(one for one in t if one[0] == 'blk.0.attn_k.weight')))
    refused('another shape', 'TENSOR_SHAPE_WRONG', ['blk.0.attn_norm.weight'],
            lambda s, t: tensor(t, 'blk.0.attn_norm.weight', shape=[2], data=bytes(8)))
    refused('a matrix in place of a norm', 'TENSOR_SHAPE_WRONG', ['blk.0.attn_norm.weight'],
            lambda s, t: tensor(t, 'blk.0.attn_norm.weight', shape=[2, 128], data=bytes(1024)))
    refused('factors of no rope', 'IMPORT_GGUF_UNSUPPORTED', ['rope_freqs.weight'],
            lambda s, t: t.append(('rope_freqs.weight', [16], F32, struct.pack('<16f', *range(1, 17)))))
    refused('an unknown first cut', 'IMPORT_GGUF_UNSUPPORTED', ["'twist'"],
            lambda s, t: replace(s, 'tokenizer.ggml.pre', plain_gguf.text('twist')))
    refused('an unknown tokenizer', 'IMPORT_GGUF_UNSUPPORTED', ["'bert'"],
            lambda s, t: replace(s, 'tokenizer.ggml.model', plain_gguf.text('bert')))
    refused('merges that are no pairs', 'TOKENIZER_INVALID', ['merges'],
            lambda s, t: replace(s, 'tokenizer.ggml.merges', plain_gguf.texts(['ab'])))
    refused('more tokens than rows', 'TOKENIZER_INVALID', ['tokens'],
            lambda s, t: replace(s, 'tokenizer.ggml.tokens', plain_gguf.texts([str(i) for i in range(5000)])))
    refused('types of another length', 'TOKENIZER_INVALID', ['token_type'],
            lambda s, t: replace(s, 'tokenizer.ggml.token_type', plain_gguf.i32s([1])))
    refused('a token twice', 'TOKENIZER_INVALID', ['twice'],
            lambda s, t: replace(s, 'tokenizer.ggml.tokens', plain_gguf.texts(['a'] * 4096)))
    path = path_of('cut.gguf')
    with open(path, 'wb') as file, open(path_of('sample-BF16.gguf'), 'rb') as whole: file.write(whole.read()[:-100_000])
    error = imported(path)
    return say(isinstance(error, dict) and error['reason'] == 'GGUF_PAST_END', 'refused: a file that is cut off', str(error)) and good


results = [check_types(), check_refused()]
if os.path.isdir(os.path.join(shared, 'fixtures', 'models')):
    results += [check_families(), check_norms(), check_own_fixtures()]
else:
    print('skipped: families, of which there is no reference data; set BITWRIGHT_SHARED')
sys.exit(0 if all(results) else 1)
