"""What llama.cpp's own conversion makes of each family's tensors and settings; plain_gguf.py writes it.

Sources: ggml-org/llama.cpp, conversion/*.py and gguf-py/gguf/constants.py. It shares no code with the product.
"""

import array
import math
import re

# By model_type: llama.cpp's architecture, and the ends of names within a block that the usual list lacks.
USUAL = {'input_layernorm': 'attn_norm', 'self_attn.q_proj': 'attn_q', 'self_attn.k_proj': 'attn_k',
         'self_attn.v_proj': 'attn_v', 'self_attn.o_proj': 'attn_output', 'self_attn.q_norm': 'attn_q_norm',
         'self_attn.k_norm': 'attn_k_norm', 'post_attention_layernorm': 'ffn_norm', 'mlp.gate_proj': 'ffn_gate',
         'mlp.up_proj': 'ffn_up', 'mlp.down_proj': 'ffn_down'}
EXPERTS = {'mlp.gate': 'ffn_gate_inp', 'mlp.experts.gate_proj': 'ffn_gate_exps', 'mlp.experts.up_proj': 'ffn_up_exps',
           'mlp.experts.down_proj': 'ffn_down_exps', 'mlp.shared_expert_gate': 'ffn_gate_inp_shexp',
           'mlp.shared_expert.gate_proj': 'ffn_gate_shexp', 'mlp.shared_expert.up_proj': 'ffn_up_shexp',
           'mlp.shared_expert.down_proj': 'ffn_down_shexp', 'block_sparse_moe.gate': 'ffn_gate_inp',
           'block_sparse_moe.experts.w1': 'ffn_gate_exps', 'block_sparse_moe.experts.w3': 'ffn_up_exps',
           'block_sparse_moe.experts.w2': 'ffn_down_exps'}
BEHIND = {'post_attention_layernorm': 'post_attention_norm', 'pre_feedforward_layernorm': 'ffn_norm',
          'post_feedforward_layernorm': 'post_ffw_norm'}
FUSED = {'self_attn.qkv_proj': 'attn_qkv', 'mlp.gate_up_proj': 'ffn_up'}
GPT2 = {'ln_1': 'attn_norm', 'attn.c_attn': 'attn_qkv', 'attn.c_proj': 'attn_output', 'ln_2': 'ffn_norm',
        'mlp.c_fc': 'ffn_up', 'mlp.c_proj': 'ffn_down'}
FAMILIES = {'llama': ('llama', {}), 'mistral': ('llama', {}), 'mixtral': ('llama', EXPERTS), 'qwen2': ('qwen2', {}),
            'qwen3': ('qwen3', {}), 'qwen2_moe': ('qwen2moe', EXPERTS), 'qwen3_moe': ('qwen3moe', EXPERTS),
            'gemma': ('gemma', {}), 'gemma2': ('gemma2', BEHIND), 'gemma3_text': ('gemma3', BEHIND),
            'phi3': ('phi3', FUSED), 'granite': ('granite', {}), 'olmo2': ('olmo2', BEHIND), 'gpt2': ('gpt2', GPT2)}
NEIGHBOURS = ('llama', 'granite')
OF_MODEL = {'model.embed_tokens': 'token_embd', 'model.norm': 'output_norm', 'lm_head': 'output',
            'transformer.wte': 'token_embd', 'transformer.wpe': 'position_embd', 'transformer.ln_f': 'output_norm'}


def of_neighbours(shape, data, head_dim):
    """The rows of each head so that rotary pairs are neighbours, not half a head apart."""
    row = len(data) // shape[0]
    order = [head + part * head_dim // 2 + pair
             for head in range(0, shape[0], head_dim) for pair in range(head_dim // 2) for part in (0, 1)]
    return b''.join(data[row * source:row * (source + 1)] for source in order)


def floats(data):
    return array.array('f', data)


def transposed(shape, data):
    numbers = floats(data)
    return array.array('f', [numbers[row * shape[1] + column] for column in range(shape[1])
                             for row in range(shape[0])]).tobytes()


def gguf_name(tensor, names):
    stem, end = tensor.rsplit('.', 1)
    if stem in OF_MODEL:
        return f'{OF_MODEL[stem]}.{end}'
    block, part = re.fullmatch(r'(?:model\.layers|transformer\.h)\.(\d+)\.(.+)', stem).groups()
    return f'blk.{block}.{names[part]}.{end}'


def tensors(config, checkpoint, head_dim):
    """name → (shape, F32 bytes) of the file, of the same of the checkpoint."""
    architecture, own = FAMILIES[config['model_type']]
    stacked = {}
    for name in sorted(checkpoint, key=lambda name: [int(x) if x.isdigit() else x for x in name.split('.')]):
        shape, data = checkpoint[name]
        if architecture in NEIGHBOURS and ('.q_proj.' in name or '.k_proj.' in name):
            data = of_neighbours(shape, data, head_dim)
        if architecture.startswith('gemma') and name.endswith('norm.weight'):
            data = array.array('f', [number + 1 for number in floats(data)]).tobytes()
        if architecture == 'gpt2' and name.endswith(('c_attn.weight', 'c_proj.weight', 'c_fc.weight')):
            shape, data = shape[::-1], transposed(shape, data)
        whole = re.sub(r'\.experts\.\d+\.', '.experts.', name)
        stacked.setdefault(whole, []).append((shape, data))
    written = {}
    for name, parts in stacked.items():
        shape = parts[0][0] if '.experts.' not in name else [len(parts), *parts[0][0]]
        written[gguf_name(name, {**USUAL, **own})] = (shape, b''.join(data for _, data in parts))
    return {**written, **rope_factors(config, head_dim)}


def rope_of(config):
    rope = config.get('rope_parameters') or {}
    return rope.get('full_attention', rope)


def rope_factors(config, head_dim):
    rope = rope_of(config)
    if rope.get('rope_type') == 'longrope':
        return {f'rope_factors_{kind}.weight': ([len(rope[kind + '_factor'])],
                                                array.array('f', rope[kind + '_factor']).tobytes())
                for kind in ('long', 'short')}
    if rope.get('rope_type') != 'llama3':
        return {}
    factors, low, high, old = [], rope['low_freq_factor'], rope['high_freq_factor'], rope[
        'original_max_position_embeddings']
    for pair in range(head_dim // 2):
        length = 2 * math.pi * rope['rope_theta'] ** (2 * pair / head_dim)
        if length < old / high:
            factors.append(1.0)
        elif length > old / low:
            factors.append(rope['factor'])
        else:
            smooth = (old / length - low) / (high - low)
            factors.append(1 / ((1 - smooth) / rope['factor'] + smooth))
    return {'rope_freqs.weight': ([len(factors)], array.array('f', factors).tobytes())}


def rope_settings(config, head_dim):
    """key → number or text."""
    rope, kind = rope_of(config), rope_of(config).get('rope_type')
    own = {'rope.freq_base': float(rope['rope_theta']),
           'rope.dimension_count': int(head_dim * rope.get('partial_rotary_factor', 1))}
    if kind in ('linear', 'yarn'):
        own.update({'rope.scaling.type': kind, 'rope.scaling.factor': float(rope['factor'])})
    if kind in ('yarn', 'longrope'):
        own['rope.scaling.original_context_length'] = rope['original_max_position_embeddings']
    if kind == 'longrope':
        scale = config['max_position_embeddings'] / rope['original_max_position_embeddings']
        own['rope.scaling.attn_factor'] = math.sqrt(1 + math.log(scale) / math.log(
            rope['original_max_position_embeddings']))
    if 'sliding_attention' in config.get('rope_parameters', {}):
        own['rope.freq_base_swa'] = config['rope_parameters']['sliding_attention']['rope_theta']
    return own


def settings(config, head_dim):
    """key → number or text, without the architecture's name before it."""
    heads = config.get('num_attention_heads') or config['n_head']
    hidden = config.get('hidden_size') or config['n_embd']
    own = {'context_length': config.get('max_position_embeddings') or config['n_positions'],
           'embedding_length': hidden, 'block_count': config.get('num_hidden_layers') or config['n_layer'],
           'feed_forward_length': config.get('intermediate_size') or 4 * hidden,
           'attention.head_count': heads, 'attention.head_count_kv': config.get('num_key_value_heads', heads),
           'attention.key_length': head_dim, 'attention.value_length': head_dim, 'vocab_size': config['vocab_size']}
    if config['model_type'] == 'gpt2':
        own['attention.layer_norm_epsilon'] = config['layer_norm_epsilon']
    else:
        own.update({'attention.layer_norm_rms_epsilon': config['rms_norm_eps'], **rope_settings(config, head_dim)})
    experts = config.get('num_local_experts') or config.get('num_experts')
    if experts:
        own.update({'expert_count': experts, 'expert_used_count': config['num_experts_per_tok'],
                    'expert_feed_forward_length': config.get('moe_intermediate_size') or config['intermediate_size']})
    if 'shared_expert_intermediate_size' in config:
        own['expert_shared_feed_forward_length'] = config['shared_expert_intermediate_size']
    for key in ('attn_logit_softcapping', 'final_logit_softcapping'):
        if config.get(key):
            own[key] = config[key]
    if config['model_type'] in ('gemma2', 'gemma3_text'):
        own['attention.sliding_window'] = config['sliding_window']
        own['attention.sliding_window_pattern'] = config['layer_types'].index('full_attention') + 1
    elif config.get('sliding_window'):
        raise ValueError('windows are written of Gemma alone')
    for theirs, ours in (('attention_multiplier', 'attention.scale'), ('embedding_multiplier', 'embedding_scale'),
                         ('residual_multiplier', 'residual_scale'), ('logits_scaling', 'logit_scale')):
        if theirs in config:
            own[ours] = float(config[theirs])
    return own
