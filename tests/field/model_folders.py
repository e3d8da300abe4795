"""Model folders as people bring them, made from the sample model, and what is said of each.

FOLDERS: name → (how it is made, what is expected). Expected is either {'reason': …, 'names': …}, the refusal and what
its sentence has to name, or what an accepted model has: its 'notices' by reason, in order, and what else is to be so.
"""

import json
import os
import shutil
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'e2e'))
import small_model  # noqa: E402  (writes safetensors)

EMBEDDING = 'model.embed_tokens.weight'
HEAD = 'lm_head.weight'
SMALL_FILES = ('config.json', 'generation_config.json', 'tokenizer.json', 'tokenizer_config.json')
POINTER = 'version https://git-lfs.github.com/spec/v1\noid sha256:' + '0123456789abcdef' * 4 + '\nsize 13909771\n'


def read_json(path):
    with open(path, encoding='utf-8') as file:
        return json.load(file)


class Sample:
    """The sample model: its config, its tensors (name → dtype, shape, bytes) and its small files."""

    def __init__(self, folder):
        self.folder = folder
        self.written = ''  # the path of the first copy of its weights
        self.config = read_json(os.path.join(folder, 'config.json'))
        with open(os.path.join(folder, 'model.safetensors'), 'rb') as file:
            data = file.read()
        size = struct.unpack('<Q', data[:8])[0]
        header = json.loads(data[8:8 + size])
        header.pop('__metadata__', None)
        self.tensors = {}
        for name, entry in sorted(header.items()):
            begin, end = entry['data_offsets']
            self.tensors[name] = (entry['dtype'], entry['shape'], data[8 + size + begin:8 + size + end])


class Folder:
    """One folder that is being made: a whole model until something is changed."""

    def __init__(self, path, sample):
        self.path = path
        self.sample = sample
        self.config = json.loads(json.dumps(sample.config))
        self.tensors = dict(sample.tensors)

    def file(self, name, content=b''):
        target = os.path.join(self.path, name)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if os.path.exists(target):
            os.unlink(target)  # it may be a link to what other folders hold
        with open(target, 'wb') as file:
            file.write(content.encode() if isinstance(content, str) else content)

    def json(self, name, value):
        self.file(name, json.dumps(value, indent=1))

    def small(self):
        os.makedirs(self.path, exist_ok=True)
        for name in SMALL_FILES:
            shutil.copy(os.path.join(self.sample.folder, name), os.path.join(self.path, name))
        self.json('config.json', self.config)

    def write(self, weights='model.safetensors'):
        """The model as it stands, in one file; where the tensors are the sample's, a link to one copy of them."""
        self.small()
        if self.tensors == self.sample.tensors and os.path.exists(self.sample.written):
            os.link(self.sample.written, os.path.join(self.path, weights))
        else:
            self.file(weights, small_model.safetensors(self.tensors))

    def write_shards(self, more=()):
        """Two shards and an index, which also names the tensors `more`, in the first shard."""
        self.small()
        names = sorted(self.tensors)
        half = len(names) // 2
        where = {name: 'model-00001-of-00002.safetensors' for name in more}
        for part, chosen in ((1, names[:half]), (2, names[half:])):
            shard = f'model-{part:05}-of-00002.safetensors'
            self.file(shard, small_model.safetensors({name: self.tensors[name] for name in chosen}))
            where.update({name: shard for name in chosen})
        self.json('model.safetensors.index.json', {'metadata': {}, 'weight_map': where})

    def rename(self, prefix, cut=''):
        self.tensors = {prefix + name.removeprefix(cut): tensor for name, tensor in self.tensors.items()}


def plain(folder):
    folder.write()


def tied_other_head(folder):
    folder.config['tie_word_embeddings'] = True
    folder.write()


def tied_same_head(folder):
    folder.config['tie_word_embeddings'] = True
    folder.tensors[HEAD] = folder.tensors[EMBEDDING]
    folder.write()


def tied_head_in_the_index(folder):
    folder.config['tie_word_embeddings'] = True
    del folder.tensors[HEAD]
    folder.write_shards(more=[HEAD])


def tied_embedding_missing(folder):
    folder.config['tie_word_embeddings'] = True
    del folder.tensors[EMBEDDING]
    folder.write()


def untied_without_head(folder):
    del folder.tensors[HEAD]
    folder.write()


def mistral_without_window(folder):
    folder.config.update(architectures=['MistralForCausalLM'], model_type='mistral')
    for key in ('attention_bias', 'mlp_bias', 'pretraining_tp'):
        del folder.config[key]
    folder.write()


def second_copies(folder):
    folder.write()
    weights = small_model.safetensors(folder.tensors)
    folder.file('consolidated.safetensors', weights)
    folder.file('checkpoint-500/model.safetensors', weights)
    folder.json('checkpoint-500/trainer_state.json', {})
    folder.file('pytorch_model.bin', b'PK\x03\x04' + weights[:1000])


def side_files(folder):
    folder.write()
    folder.file('onnx/model.onnx', b'\x08\x07' + bytes(1 << 20))
    folder.file('tf_model.h5', b'\x89HDF\r\n\x1a\n' + bytes(1 << 20))
    folder.file('flax_model.msgpack', bytes(1 << 20))
    folder.file('README.md', '# a card')
    folder.file('.gitattributes', '*.safetensors filter=lfs')


def own_code(folder):
    folder.config['auto_map'] = {'AutoConfig': 'configuration_fast.FastConfig',
                                 'AutoModelForCausalLM': 'modeling_fast.FastForCausalLM'}
    folder.write()
    folder.file('configuration_fast.py', 'class FastConfig: pass\n')
    folder.file('modeling_fast.py', 'from .configuration_fast import FastConfig\n')
    config = read_json(os.path.join(folder.path, 'tokenizer_config.json'))
    config['auto_map'] = {'AutoTokenizer': [None, 'tokenization_fast.FastTokenizer']}
    folder.json('tokenizer_config.json', config)
    folder.file('tokenization_fast.py', 'from .words import WORDS\nclass FastTokenizer: pass\n')
    folder.file('words.py', 'WORDS = []\n')


def chat_templates(folder):
    folder.write()
    folder.file('chat_template.jinja', '{% for m in messages %}{{ m.content }}{% endfor %}')
    folder.file('additional_chat_templates/tool_use.jinja', '{{ tools }}')
    folder.json('processor_config.json', {})
    folder.json('preprocessor_config.json', {})
    folder.json('special_tokens_map.json', {})
    folder.json('added_tokens.json', {})
    folder.file('LICENSE', 'Apache License')
    folder.file('COPYING.md', 'as above')


def extra_in_the_index(folder):
    folder.write_shards(more=['model.layers.0.self_attn.rotary_emb.inv_freq'])


def infinite_buffer(folder):
    folder.tensors['model.causal_bias'] = ('F32', [2, 2], struct.pack('<4f', 0, float('-inf'), 0, float('nan')))
    folder.write()


def zero_padding(folder):
    """128 more inner features that are always zero: the same function."""
    inner = folder.config['intermediate_size']
    for name, (dtype, shape, data) in list(folder.tensors.items()):
        if '.mlp.gate_proj' in name or '.mlp.up_proj' in name:
            folder.tensors[name] = (dtype, [inner + 128, shape[1]], data + bytes(2 * 128 * shape[1]))
        if '.mlp.down_proj' in name:
            rows = [data[2 * inner * row:2 * inner * (row + 1)] + bytes(2 * 128) for row in range(shape[0])]
            folder.tensors[name] = (dtype, [shape[0], inner + 128], b''.join(rows))
    folder.config['intermediate_size'] = inner + 128
    folder.write()


def bias_in_the_checkpoint(folder):
    folder.tensors['model.layers.0.self_attn.q_proj.bias'] = ('BF16', [256], bytes(512))
    folder.write()


def fewer_layers(folder):
    folder.config['num_hidden_layers'] = 4
    folder.write()


def lfs(name):
    def make(folder):
        folder.write()
        folder.file(name, POINTER)
    return make


def lfs_shard(folder):
    folder.write_shards()
    folder.file('model-00002-of-00002.safetensors', POINTER)


def adapter(folder):
    os.makedirs(folder.path)
    folder.json('adapter_config.json', {'peft_type': 'LORA', 'base_model_name_or_path': 'someone/base', 'r': 8})
    folder.file('adapter_model.safetensors', small_model.safetensors(
        {'base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight': ('BF16', [8, 256], bytes(4096))}))


def prefixed(prefix, cut=''):
    def make(folder):
        folder.rename(prefix, cut)
        folder.write()
    return make


def ggufs(*names):
    def make(folder):
        os.makedirs(folder.path)
        for name in names:
            folder.file(name, b'GGUF\x03\0\0\0' + bytes(64))
    return make


def lfs_gguf(folder):
    os.makedirs(folder.path)
    folder.file('model.gguf', POINTER)


def quantized(**how):
    def make(folder):
        folder.config['quantization_config'] = how
        folder.write()
    return make


def diffusion(folder):
    os.makedirs(folder.path)
    folder.json('model_index.json', {'_class_name': 'StableDiffusionPipeline'})
    folder.json('unet/config.json', {})
    folder.file('unet/diffusion_pytorch_model.safetensors', small_model.safetensors({}))


def other_model(architecture, model_type, **more):
    def make(folder):
        folder.config = {'architectures': [architecture], 'model_type': model_type, **more}
        folder.write()
    return make


def other_weights(name, content):
    def make(folder):
        folder.small()
        folder.file(name, content)
    return make


def makers_form(folder):
    os.makedirs(folder.path)
    folder.json('params.json', {'dim': 256})
    folder.file('consolidated.00.pth', b'PK\x03\x04')


def refused(reason, *names):
    return {'reason': reason, 'names': names}


def accepted(*notices, **more):
    return {'notices': list(notices), **more}


CHAT_FILES = ['LICENSE', 'COPYING.md', 'added_tokens.json', 'additional_chat_templates/tool_use.jinja',
              'chat_template.jinja', 'preprocessor_config.json', 'processor_config.json', 'special_tokens_map.json']

FOLDERS = {
    'plain': (plain, accepted(tied=False)),
    'tied-other-head': (tied_other_head, accepted('HEAD_NOT_TIED', tied=False, like_plain=True)),
    'tied-same-head': (tied_same_head, accepted('TENSORS_LEFT_OUT', tied=True)),
    'tied-head-in-the-index': (tied_head_in_the_index, accepted('INDEX_DIFFERS', tied=True)),
    'tied-embedding-missing': (tied_embedding_missing, accepted('EMBEDDING_IS_HEAD', tied=True)),
    'untied-without-head': (untied_without_head, refused('TENSOR_MISSING', HEAD, 'tie_word_embeddings')),
    'mistral-without-window': (mistral_without_window, accepted()),
    'second-copies': (second_copies, accepted('FILES_LEFT_OUT', like_plain=True)),
    'side-files': (side_files, accepted('FILES_LEFT_OUT', like_plain=True)),
    'own-code': (own_code, accepted('FILES_LEFT_OUT', 'MODEL_CODE_LEFT_OUT',
                                    carried=['tokenization_fast.py', 'words.py'])),
    'chat-templates': (chat_templates, accepted(carried=CHAT_FILES)),
    'extra-in-the-index': (extra_in_the_index, accepted('INDEX_DIFFERS')),
    'infinite-buffer': (infinite_buffer, accepted('TENSORS_LEFT_OUT')),
    'zero-padding': (zero_padding, accepted()),
    'bias-in-the-checkpoint': (bias_in_the_checkpoint, refused('CONFIG_CONTRADICTS_CHECKPOINT', 'attention_bias')),
    'fewer-layers': (fewer_layers, refused('CONFIG_CONTRADICTS_CHECKPOINT', 'num_hidden_layers')),
    'lfs-weights': (lfs('model.safetensors'), refused('FILE_IS_LFS_POINTER', 'model.safetensors', 'git lfs pull')),
    'lfs-tokenizer': (lfs('tokenizer.json'), refused('FILE_IS_LFS_POINTER', 'tokenizer.json', 'git lfs pull')),
    'lfs-config': (lfs('config.json'), refused('FILE_IS_LFS_POINTER', 'config.json', 'git lfs pull')),
    'lfs-shard': (lfs_shard, refused('FILE_IS_LFS_POINTER', 'model-00002-of-00002.safetensors')),
    'adapter': (adapter, refused('MODEL_IS_ADAPTER', 'LORA', 'someone/base', 'merge_and_unload')),
    'lora-prefix': (prefixed('base_model.model.'), refused('WEIGHTS_PREFIXED', 'base_model.model.model.')),
    'vision-language-prefix': (prefixed('language_model.'), refused('WEIGHTS_PREFIXED', 'language_model.model.')),
    'inner-prefix': (prefixed('model.language_model.', cut='model.'),
                     refused('WEIGHTS_PREFIXED', 'model.language_model.')),
    'no-prefix': (prefixed('', cut='model.'), refused('WEIGHTS_PREFIXED', 'no prefix')),
    'ggufs': (ggufs('model-f16.gguf', 'model-q4_k_m.gguf'),
              refused('GGUF_AMBIGUOUS', 'model-f16.gguf', 'model-q4_k_m.gguf')),
    'gguf-in-parts': (ggufs('model-00001-of-00002.gguf'), refused('MODEL_FILE_MISSING', 'model-00002-of-00002.gguf')),
    'gguf-pointer': (lfs_gguf, refused('FILE_IS_LFS_POINTER', 'model.gguf')),
    'quantized-gptq': (quantized(quant_method='gptq', bits=4), refused('MODEL_ALREADY_QUANTIZED', 'gptq, 4 bits')),
    'quantized-awq': (quantized(quant_method='awq', bits=4), refused('MODEL_ALREADY_QUANTIZED', 'awq')),
    'quantized-bitsandbytes': (quantized(quant_method='bitsandbytes', load_in_4bit=True),
                               refused('MODEL_ALREADY_QUANTIZED', 'bitsandbytes')),
    'quantized-fbgemm-fp8': (quantized(quant_method='fbgemm_fp8'), refused('MODEL_ALREADY_QUANTIZED', 'fbgemm_fp8')),
    'quantized-mxfp4': (quantized(quant_method='mxfp4'), refused('MODEL_ALREADY_QUANTIZED', 'mxfp4')),
    'quantized-compressed-tensors': (quantized(quant_method='compressed-tensors'),
                                     refused('MODEL_ALREADY_QUANTIZED', 'compressed-tensors')),
    'diffusion': (diffusion, refused('MODEL_IS_DIFFUSION', 'StableDiffusionPipeline')),
    'encoder': (other_model('BertForMaskedLM', 'bert'), refused('MODEL_IS_ENCODER', 'BertForMaskedLM')),
    'encoder-decoder': (other_model('T5ForConditionalGeneration', 't5', is_encoder_decoder=True),
                        refused('MODEL_IS_ENCODER_DECODER', 'T5ForConditionalGeneration')),
    'vision-language': (other_model('LlavaForConditionalGeneration', 'llava', vision_config={}, text_config={}),
                        refused('MODEL_IS_MULTIMODAL', 'LlavaForConditionalGeneration')),
    'other-architecture': (other_model('FalconForCausalLM', 'falcon'),
                           refused('ARCHITECTURE_UNSUPPORTED', 'FalconForCausalLM', 'Qwen3ForCausalLM')),
    'pytorch-weights': (other_weights('pytorch_model.bin', b'PK\x03\x04'),
                        refused('WEIGHTS_NOT_SAFETENSORS', 'pytorch_model.bin', 'save_pretrained')),
    'tensorflow-weights': (other_weights('tf_model.h5', b'\x89HDF'), refused('WEIGHTS_NOT_SAFETENSORS', 'tf_model.h5')),
    'makers-form': (makers_form, refused('WEIGHTS_IN_MAKERS_FORM', 'consolidated.00.pth')),
}


def make(out, sample_folder):
    """Makes every folder below `out`, which must not be there yet."""
    sample = Sample(sample_folder)
    sample.written = os.path.join(out, 'plain', 'model.safetensors')
    os.makedirs(out)
    for name, (build, _) in FOLDERS.items():
        build(Folder(os.path.join(out, name), sample))
    return list(FOLDERS)
