#!/usr/bin/env python3
"""Writes a checkpoint as an unquantized GGUF file: F32, for llama.cpp to measure quantized ones against.

It shares no code with the product, and is not llama.cpp's own converter: that knows tokenizers by a digest of what they
make of one text, so it refuses those of our test models.

usage: plain_gguf.py MODEL_DIR OUT.gguf [PRE_TOKENIZER]   (llama.cpp's name for it, by default llama-bpe)
"""

import array
import json
import os
import struct
import sys

import plain_families

ALIGNMENT = 32
NORMAL, CONTROL, USER_DEFINED, UNUSED = 1, 3, 4, 5


def text_bytes(value):
    data = value.encode()
    return struct.pack('<Q', len(data)) + data


def u32(value):
    return struct.pack('<II', 4, value)


def f32(value):
    return struct.pack('<If', 6, value)


def flag(value):
    return struct.pack('<I?', 7, value)


def text(value):
    return struct.pack('<I', 8) + text_bytes(value)


def texts(values):
    return struct.pack('<IIQ', 9, 8, len(values)) + b''.join(text_bytes(value) for value in values)


def i32s(values):
    return struct.pack('<IIQ', 9, 5, len(values)) + struct.pack(f'<{len(values)}i', *values)


def read_json(*path):
    with open(os.path.join(*path), encoding='utf-8') as file:
        return json.load(file)


def widened(dtype, data):
    """Little-endian F32 of the bytes of a tensor."""
    if dtype == 'F32':
        return data
    if dtype == 'F16':
        return array.array('f', struct.unpack(f'<{len(data) // 2}e', data)).tobytes()
    if dtype != 'BF16':
        raise ValueError(f'tensors of {dtype} are not written')
    wide = bytearray(2 * len(data))
    wide[2::4], wide[3::4] = data[0::2], data[1::2]
    return bytes(wide)


def read_tensors(folder):
    """Name to (shape, bytes of F32)."""
    tensors = {}
    for name in sorted(name for name in os.listdir(folder) if name.endswith('.safetensors') and 'expected' not in name):
        with open(os.path.join(folder, name), 'rb') as file:
            size = struct.unpack('<Q', file.read(8))[0]
            header = json.loads(file.read(size))
            for tensor, entry in header.items():
                if tensor == '__metadata__':
                    continue
                begin, end = entry['data_offsets']
                file.seek(8 + size + begin)
                tensors[tensor] = (entry['shape'], widened(entry['dtype'], file.read(end - begin)))
    return tensors


def settings_of_model(config, head_dim):
    architecture = plain_families.FAMILIES[config['model_type']][0]
    kinds = {int: u32, float: f32, str: text}
    own = plain_families.settings(config, head_dim)
    return {'general.architecture': text(architecture),
            **{f'{architecture}.{key}': kinds[type(value)](value) for key, value in own.items()}}


def settings_of_tokenizer(folder, vocab_size, pre_tokenizer):
    if not os.path.exists(os.path.join(folder, 'tokenizer.json')):
        return {'tokenizer.ggml.model': text('none')}
    tokenizer = read_json(folder, 'tokenizer.json')
    tokens = [f'[PAD{token}]' for token in range(vocab_size)]
    types = [UNUSED] * vocab_size
    for token, number in tokenizer['model']['vocab'].items():
        tokens[number], types[number] = token, NORMAL
    for added in tokenizer['added_tokens']:
        tokens[added['id']], types[added['id']] = added['content'], CONTROL if added['special'] else USER_DEFINED
    merges = [merge if isinstance(merge, str) else ' '.join(merge) for merge in tokenizer['model']['merges']]
    return {'tokenizer.ggml.model': text('gpt2'), 'tokenizer.ggml.pre': text(pre_tokenizer),
            'tokenizer.ggml.tokens': texts(tokens), 'tokenizer.ggml.token_type': i32s(types),
            'tokenizer.ggml.merges': texts(merges), 'tokenizer.ggml.add_bos_token': flag(False)}


def write(folder, out, pre_tokenizer='llama-bpe'):
    config = read_json(folder, 'config.json')
    head_dim = config.get('head_dim') or (config.get('hidden_size') or config['n_embd']) // (
        config.get('num_attention_heads') or config['n_head'])
    settings = {**settings_of_model(config, head_dim),
                **settings_of_tokenizer(folder, config['vocab_size'], pre_tokenizer)}
    tensors = plain_families.tensors(config, read_tensors(folder), head_dim)
    entries, offset = b'', 0
    for name, (shape, data) in tensors.items():
        dimensions = struct.pack(f'<I{len(shape)}Q', len(shape), *reversed(shape))
        entries += text_bytes(name) + dimensions + struct.pack('<IQ', 0, offset)
        offset += len(data) + -len(data) % ALIGNMENT
    head = struct.pack('<4sIQQ', b'GGUF', 3, len(tensors), len(settings))
    head += b''.join(text_bytes(key) + value for key, value in settings.items()) + entries
    with open(out, 'wb') as file:
        file.write(head + bytes(-len(head) % ALIGNMENT))
        for _, data in tensors.values():
            file.write(data + bytes(-len(data) % ALIGNMENT))
    return out


if __name__ == '__main__':
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    write(*sys.argv[1:])
