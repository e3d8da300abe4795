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

ALIGNMENT = 32
ARCHITECTURES = {'llama': 'llama', 'mistral': 'llama', 'qwen2': 'qwen2', 'qwen3': 'qwen3'}  # by model_type
OF_MODEL = {'model.embed_tokens': 'token_embd', 'model.norm': 'output_norm', 'lm_head': 'output'}
OF_BLOCK = {'input_layernorm': 'attn_norm', 'self_attn.q_proj': 'attn_q', 'self_attn.k_proj': 'attn_k',
            'self_attn.v_proj': 'attn_v', 'self_attn.o_proj': 'attn_output', 'self_attn.q_norm': 'attn_q_norm',
            'self_attn.k_norm': 'attn_k_norm', 'post_attention_layernorm': 'ffn_norm', 'mlp.gate_proj': 'ffn_gate',
            'mlp.up_proj': 'ffn_up', 'mlp.down_proj': 'ffn_down'}
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


def of_neighbours(shape, data, head_dim):
    """The rows of each head so that rotary pairs are neighbours, not half a head apart."""
    row = len(data) // shape[0]
    order = [head + part * head_dim // 2 + pair
             for head in range(0, shape[0], head_dim) for pair in range(head_dim // 2) for part in (0, 1)]
    return b''.join(data[row * source:row * (source + 1)] for source in order)


def gguf_name(tensor):
    stem, end = tensor.rsplit('.', 1)
    if stem in OF_MODEL:
        return f'{OF_MODEL[stem]}.{end}'
    _, _, block, part = stem.split('.', 3)
    return f'blk.{block}.{OF_BLOCK[part]}.{end}'


def settings_of_model(config, architecture, head_dim):
    rope = config.get('rope_parameters') or {'rope_theta': config.get('rope_theta', 10000.0), 'rope_type': 'default'}
    if rope['rope_type'] not in ('default', 'linear') or config.get('rope_scaling') or config.get('sliding_window'):
        raise ValueError('only default and linear rotary embeddings and whole attention are written')
    heads = config['num_attention_heads']
    own = {
        'context_length': u32(config['max_position_embeddings']), 'embedding_length': u32(config['hidden_size']),
        'block_count': u32(config['num_hidden_layers']), 'feed_forward_length': u32(config['intermediate_size']),
        'attention.head_count': u32(heads), 'attention.head_count_kv': u32(config.get('num_key_value_heads', heads)),
        'attention.layer_norm_rms_epsilon': f32(config['rms_norm_eps']), 'attention.key_length': u32(head_dim),
        'attention.value_length': u32(head_dim), 'rope.freq_base': f32(rope['rope_theta']),
        'rope.dimension_count': u32(head_dim), 'vocab_size': u32(config['vocab_size']),
    }
    if rope['rope_type'] == 'linear':
        own.update({'rope.scaling.type': text('linear'), 'rope.scaling.factor': f32(rope['factor'])})
    return {'general.architecture': text(architecture), **{f'{architecture}.{key}': own[key] for key in own}}


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
    architecture = ARCHITECTURES[config['model_type']]
    head_dim = config.get('head_dim') or config['hidden_size'] // config['num_attention_heads']
    settings = {**settings_of_model(config, architecture, head_dim),
                **settings_of_tokenizer(folder, config['vocab_size'], pre_tokenizer)}
    tensors = {}
    for name, (shape, data) in read_tensors(folder).items():
        if architecture == 'llama' and ('.q_proj.' in name or '.k_proj.' in name):
            data = of_neighbours(shape, data, head_dim)
        tensors[gguf_name(name)] = (shape, data)
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
