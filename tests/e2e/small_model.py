"""Writes a model that is small enough for a whole job in about a second, and models that are wrong in one point.

A Llama of two blocks with random weights and a tokenizer that knows the 256 bytes and nothing else: one token per byte.
"""

import array
import functools
import json
import os
import random
import struct

HIDDEN = 128
INTERMEDIATE = 256
BLOCKS = 2
HEADS = 4
KEY_HEADS = 2
HEAD_DIM = 32
VOCABULARY = 256


def config():
    return {
        'architectures': ['LlamaForCausalLM'], 'model_type': 'llama', 'hidden_act': 'silu', 'hidden_size': HIDDEN,
        'intermediate_size': INTERMEDIATE, 'num_hidden_layers': BLOCKS, 'num_attention_heads': HEADS,
        'num_key_value_heads': KEY_HEADS, 'head_dim': HEAD_DIM, 'vocab_size': VOCABULARY,
        'max_position_embeddings': 512, 'rms_norm_eps': 1e-5, 'tie_word_embeddings': False, 'attention_bias': False,
        'mlp_bias': False, 'rope_parameters': {'rope_theta': 10000.0, 'rope_type': 'default'}, 'dtype': 'bfloat16',
        'bos_token_id': 0, 'eos_token_id': 1,
    }


def byte_letters():
    """The letters that stand for the 256 bytes in a byte-level vocabulary (GPT-2's table)."""
    shown = [*range(ord('!'), ord('~') + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    hidden = [byte for byte in range(256) if byte not in shown]
    return [chr(byte) for byte in shown] + [chr(256 + n) for n in range(len(hidden))]


def tokenizer(pattern=r'\p{L}+|\p{N}{1,3}|[^\p{L}\p{N}]+'):
    split = {'type': 'Split', 'pattern': {'Regex': pattern}, 'behavior': 'Isolated', 'invert': False}
    level = {'type': 'ByteLevel', 'add_prefix_space': False, 'trim_offsets': True, 'use_regex': False}
    return {
        'version': '1.0', 'truncation': None, 'padding': None, 'added_tokens': [], 'normalizer': None,
        'pre_tokenizer': {'type': 'Sequence', 'pretokenizers': [split, level]}, 'post_processor': None,
        'decoder': level,
        'model': {'type': 'BPE', 'dropout': None, 'unk_token': None, 'continuing_subword_prefix': None,
                  'end_of_word_suffix': None, 'fuse_unk': False, 'byte_fallback': False, 'ignore_merges': False,
                  'vocab': {letter: token for token, letter in enumerate(byte_letters())}, 'merges': []},
    }


def bf16(values):
    """Little-endian bfloat16 of floats, cut off."""
    wide = array.array('f', values).tobytes()
    narrow = bytearray(len(wide) // 2)
    narrow[0::2] = wide[2::4]
    narrow[1::2] = wide[3::4]
    return bytes(narrow)


def shapes():
    by_name = {'model.embed_tokens.weight': [VOCABULARY, HIDDEN], 'lm_head.weight': [VOCABULARY, HIDDEN],
               'model.norm.weight': [HIDDEN]}
    for block in range(BLOCKS):
        linears = {'self_attn.q_proj': [HEADS * HEAD_DIM, HIDDEN], 'self_attn.k_proj': [KEY_HEADS * HEAD_DIM, HIDDEN],
                   'self_attn.v_proj': [KEY_HEADS * HEAD_DIM, HIDDEN], 'self_attn.o_proj': [HIDDEN, HEADS * HEAD_DIM],
                   'mlp.gate_proj': [INTERMEDIATE, HIDDEN], 'mlp.up_proj': [INTERMEDIATE, HIDDEN],
                   'mlp.down_proj': [HIDDEN, INTERMEDIATE], 'input_layernorm': [HIDDEN],
                   'post_attention_layernorm': [HIDDEN]}
        by_name.update({f'model.layers.{block}.{name}.weight': shape for name, shape in linears.items()})
    return by_name


@functools.lru_cache(maxsize=1)
def _weights():
    numbers = random.Random(7)
    tensors = {}
    for name, shape in sorted(shapes().items()):
        if len(shape) == 1:
            values = [1.0] * shape[0]
        else:
            scale = 0.15 if 'lm_head' not in name else 0.05
            values = [numbers.gauss(0.0, scale) for _ in range(shape[0] * shape[1])]
        tensors[name] = ('BF16', shape, bf16(values))
    return tensors


def tensors():
    """Name to (dtype, shape, bytes); a copy that may be changed."""
    return dict(_weights())


def header_of(named):
    """The header that fits these tensors, in order."""
    header = {}
    begin = 0
    for name, (dtype, shape, data) in named.items():
        header[name] = {'dtype': dtype, 'shape': shape, 'data_offsets': [begin, begin + len(data)]}
        begin += len(data)
    return header


def safetensors(named, header=None):
    """Bytes of a checkpoint; `header` (a dict or raw text) takes the place of the right one."""
    if header is None:
        header = header_of(named)
    text = header if isinstance(header, str) else json.dumps(header)
    text += ' ' * (-len(text) % 8)
    return struct.pack('<Q', len(text)) + text.encode() + b''.join(data for _, _, data in named.values())


def write(folder, changed_config=None, checkpoint=None, changed_tokenizer=None, with_tokenizer=True):
    """Writes the model into a new folder, with whatever is given instead of the right part. Returns the folder."""
    os.makedirs(folder)
    parts = {'config.json': json.dumps(changed_config or config()).encode(),
             'model.safetensors': checkpoint if checkpoint is not None else safetensors(tensors())}
    if with_tokenizer:
        parts['tokenizer.json'] = json.dumps(changed_tokenizer or tokenizer()).encode()
    for name, data in parts.items():
        with open(os.path.join(folder, name), 'wb') as file:
            file.write(data)
    return folder


def write_text(path, size_bytes, seed):
    """Words of random letters: another seed gives other data, so that nothing is found in the action cache."""
    letters = random.Random(seed)
    text = ''.join(letters.choices('etaoinshrdlu    \n', k=size_bytes))
    with open(path, 'w', encoding='ascii') as file:
        file.write(text)
    return path
