"""A model padded with zeros is the same function, and gets the same codes.

Heads and intermediate channels that are zero in every weight reach o_proj and down_proj as inputs that are always zero.
Such dead inputs take no part in what the rounding of the others depends on: the damping, the order, the scales.
"""

import json
import os
import struct
import unittest

import small_model
from service import ServiceTest, files_below

HEADS, KEY_HEADS, INTERMEDIATE = 8, 4, 320  # of the padded model
GROUP = 32
RECIPE = f'''name: "one-format"
description: "Four bits in groups of {GROUP}, and nothing to choose."
calibration {{ compute: COMPUTE_TYPE_F32 }}
rounding {{ method: ROUNDING_METHOD_GPTQ scales: SCALE_METHOD_SEARCHED act_order: true damping: 0.01 }}
sensitivity {{ windows: 8 middle_bits: 4 checked_bits: 4 }}
formats {{ bits: 4 group_sizes: {GROUP} }}
candidates {{ mixed: false uniform: 1 }}
evaluation {{ compute: COMPUTE_TYPE_F32 }}
'''


def padded_shape(name, shape):
    """The shape of a tensor of the padded model."""
    rows = {'q_proj': HEADS * small_model.HEAD_DIM, 'k_proj': KEY_HEADS * small_model.HEAD_DIM,
            'v_proj': KEY_HEADS * small_model.HEAD_DIM, 'gate_proj': INTERMEDIATE, 'up_proj': INTERMEDIATE}
    columns = {'o_proj': HEADS * small_model.HEAD_DIM, 'down_proj': INTERMEDIATE}
    linear = name.split('.')[-2]
    if len(shape) == 1:
        return shape
    return [rows.get(linear, shape[0]), columns.get(linear, shape[1])]


def padded_tensors():
    padded = {}
    for name, (dtype, shape, data) in small_model.tensors().items():
        wide = padded_shape(name, shape)
        if wide != shape:
            row = 2 * shape[1]
            rows = [data[i * row:(i + 1) * row] + bytes(2 * (wide[1] - shape[1])) for i in range(shape[0])]
            data = b''.join(rows) + bytes(2 * wide[1] * (wide[0] - shape[0]))
        padded[name] = (dtype, wide, data)
    return padded


def read_safetensors(path):
    """Name to (shape, bytes)."""
    with open(path, 'rb') as file:
        content = file.read()
    size, = struct.unpack_from('<Q', content)
    header = json.loads(content[8:8 + size])
    found = {}
    for name, entry in header.items():
        if name != '__metadata__':
            begin, end = (8 + size + offset for offset in entry['data_offsets'])
            found[name] = (entry['shape'], content[begin:end])
    return found


def corner(tensor, shape):
    """The first rows and columns of a matrix, as bytes."""
    (rows, columns), data = tensor
    element = len(data) // (rows * columns)
    return b''.join(data[i * columns * element:(i * columns + shape[1]) * element] for i in range(shape[0]))


class PaddedModel(ServiceTest):
    def quantize(self, service, name, texts):
        service.cli('quantize', self.path(name), '--recipe', self.path('recipe.textproto'), '--budget', '4.5bpw', *texts,
                    '-o', self.path(name + '-out'))
        files = files_below(self.path(name + '-out', 'model'))
        return read_safetensors(next(path for path in files.values() if path.endswith('.safetensors')))

    def test_the_codes_of_the_rest_are_equal(self):
        small_model.write(self.path('plain'))
        config = {**small_model.config(), 'num_attention_heads': HEADS, 'num_key_value_heads': KEY_HEADS,
                  'intermediate_size': INTERMEDIATE}
        small_model.write(self.path('padded'), config, small_model.safetensors(padded_tensors()))
        with open(self.path('recipe.textproto'), 'w', encoding='ascii') as file:
            file.write(RECIPE)
        service = self.start_service()
        texts = self.texts(size_bytes=8192)
        plain = self.quantize(service, 'plain', texts)
        padded = self.quantize(service, 'padded', texts)
        compared = 0
        for name, tensor in plain.items():
            self.assertIn(name, padded)
            if not name.endswith(('weight_packed', 'weight_scale')):
                continue
            self.assertEqual(corner(padded[name], tensor[0]), tensor[1], name)
            compared += 1
        self.assertEqual(compared, 2 * 7 * small_model.BLOCKS, 'codes and scales of every linear')
        wide, = {tuple(padded[name][0]) for name in padded if name.endswith('0.mlp.down_proj.weight_scale')}
        self.assertEqual(wide, (small_model.HIDDEN, INTERMEDIATE // GROUP))


if __name__ == '__main__':
    unittest.main(verbosity=2)
