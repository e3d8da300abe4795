#!/usr/bin/env python3
"""GGUF artifacts load in llama.cpp, and what it computes is what the report says.

usage: gguf_test.py BITWRIGHT SOURCE_DIR LLAMA_DIR   (the folder that tests/consumers/llama_cpp.sh prints)

llama.cpp rounds activations to 8 bits where weights are quantized; the report's arithmetic is f32. So each artifact is
measured twice: with its weights widened to F32 by llama.cpp, which has to give the report's numbers, and as it is,
which may differ from that by no more than rounding does.
"""
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unicodedata

import llama_programs
import plain_gguf

bitwright, source, llama = sys.argv[1], sys.argv[2], llama_programs.Llama(sys.argv[3])
shared = os.environ.get('BITWRIGHT_SHARED', os.path.join(source, '..', 'shared'))
work = tempfile.TemporaryDirectory(prefix='bitwright-consumers-')
sys.path.insert(0, os.path.join(source, 'tests', 'e2e'))
import small_model  # noqa: E402

TOKENS = 4096
PERPLEXITY = 1e-4  # relative, weights widened
KL = 1e-3          # relative, of the divergence from the unquantized model, weights widened
ROUNDING = 0.05    # nats: divergence of the artifact as it is from itself widened; measured: 0.0006 to 0.015, with
                   # experts, of which a token may get others, to 0.031
# Average bits of every type.
TYPES = {'IQ2_XXS': 2.0625, 'IQ2_XS': 2.3125, 'IQ2_S': 2.5625, 'Q2_K': 2.625, 'IQ3_XXS': 3.0625, 'IQ3_S': 3.4375,
         'Q3_K': 3.4375, 'IQ4_XS': 4.25, 'MXFP4': 4.25, 'IQ4_NL': 4.5, 'Q4_0': 4.5, 'Q4_K': 4.5, 'Q4_1': 5, 'Q5_0': 5.5,
         'Q5_K': 5.5, 'Q5_1': 6, 'Q6_K': 6.5625, 'Q8_0': 8.5}


def path_of(name):
    return os.path.join(work.name, name)


def recipe(name, formats, mixed):
    """A recipe file restricted to these formats; few sensitivity windows keep the test short."""
    with open(path_of(name + '.textproto'), 'w', encoding='ascii') as file:
        file.write(f'name: "{re.sub("[^a-z0-9]", "-", name.lower())}" description: "for a test" sensitivity {{ windows: 2 checked_bits: 2 }}\n')
        file.write('formats { %s }\n' % ' '.join(f'names: "{known}"' for known in formats))
        file.write('candidates { mixed: %s uniform: 1 }\n' % ('true' if mixed else 'false'))
    return file.name


def ids_file(name, vocab, window, windows):
    """Token ids of a small linear congruential sequence: models without a tokenizer."""
    state = 12345
    with open(path_of(name + '.ids.jsonl'), 'w', encoding='ascii') as file:
        for _ in range(windows):
            row = []
            for _ in range(window):
                state = (1103515245 * state + 12345) % 2**31
                row.append(3 + state // 65536 % (vocab - 3))
            file.write(json.dumps(row) + '\n')
    return file.name


def quantize(name, model, budget, recipe_path, calibration, evaluation, window):
    """The process, and where it puts the artifact."""
    command = [bitwright, 'quantize', model, '--target', 'gguf', '--budget', f'{budget:g}bpw', '--recipe', recipe_path,
               '--calibration', calibration, '--evaluation', evaluation, '--window', str(window),
               '--calibration-tokens', str(TOKENS), '--evaluation-tokens', str(TOKENS), '--local', '-q',
               '-o', path_of(name)]
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    return done, path_of(name)


def say(good, name, what):
    print(f'{"ok  " if good else "FAIL"} {name:18} {what}', flush=True)
    return good


def artifact(name, *arguments):
    """The GGUF file and the report; None where there is none."""
    done, out = quantize(name, *arguments)
    if done.returncode:
        say(False, name, f'bitwright ended with {done.returncode}: {done.stderr.strip()}')
        return None
    with open(os.path.join(out, 'report.json'), encoding='utf-8') as file:
        return os.path.join(out, 'model', 'model.gguf'), json.load(file)


def close(theirs, ours, tolerance):
    return abs(theirs / ours - 1) <= tolerance


def check(name, model, plain, budget, formats, mixed, calibration, evaluation, window):
    """plain: the unquantized model as a GGUF file that is none of ours."""
    made = artifact(name, model, budget, recipe(name, formats, mixed), calibration, evaluation, window)
    if not made:
        return False
    gguf, report = made
    selected = next(c for c in report['candidates'] if c['name'] == report['selected'])
    try:
        # By the vocabulary of our file: another tokenization than the report's is another perplexity.
        ids = llama.write_ids(gguf, evaluation, window, TOKENS, path_of(name + '.ids'))
        widened = llama.widen(gguf, path_of(name + '-widened.gguf'))
        exact = llama.measure(widened, ids, window, plain)
        rounded = llama.measure(gguf, ids, window, widened)
    except llama_programs.Failed as failure:
        return say(False, name, failure)
    finally:
        if os.path.exists(path_of(name + '-widened.gguf')):
            os.unlink(path_of(name + '-widened.gguf'))
    ours, ours_kl = selected['perplexity'], selected['kl_divergence']['mean']
    good = all([set(exact['type_bytes']) == {'f32'}, exact['tokens'] == int(report['scored_tokens']),
                close(exact['perplexity'], ours, PERPLEXITY), close(exact['kl'], ours_kl, KL),
                rounded['kl'] <= ROUNDING])
    return say(good, name, f'{report["selected"]:20} ours {ours:.5f} llama.cpp {exact["perplexity"]:.5f} '
               f'(as it is {rounded["perplexity"]:.5f}) KL ours {ours_kl:.6f} llama.cpp {exact["kl"]:.6f} '
               f'rounding {rounded["kl"]:.6f}')


def refused(name, model, reason, ids):
    """llama.cpp has no keys for something in the model."""
    done, _ = quantize(name, model, 5, recipe(name, [], True), ids, ids, 64)
    return say(done.returncode != 0 and reason in done.stderr, name, f'refused: {reason}')


def fixture_model(fixture, changes):
    """The fixture's folder without what is expected of it, with some of its configuration changed."""
    model = path_of(fixture + '-changed' * bool(changes) + '-model')
    os.makedirs(model)
    held = os.path.abspath(os.path.join(shared, 'fixtures', 'models', fixture))
    os.symlink(os.path.join(held, 'model.safetensors'), os.path.join(model, 'model.safetensors'))
    config = {**plain_gguf.read_json(held, 'config.json'), **changes}
    with open(os.path.join(model, 'config.json'), 'w', encoding='ascii') as file:
        json.dump(config, file)
    return model


def tiled_model(fixture, widths, changes):
    """The fixture with other widths of its experts, {old: new}: their numbers again and again."""
    model = os.path.join(shared, 'fixtures', 'models', fixture)
    tensors = {}
    for name, (shape, data) in plain_gguf.read_tensors(model).items():
        grown = [widths.get(size, size) for size in shape]
        size = 4 * math.prod(grown)
        tensors[name] = ('F32', grown, (data * (size // len(data) + 1))[:size])
    config = {**plain_gguf.read_json(model, 'config.json'), **changes}
    return small_model.write(path_of(fixture + '-tiled'), config, small_model.safetensors(tensors),
                             with_tokenizer=False)


def as_sentencepiece(words):
    """The vocabulary with the merges that transformers makes of a tokenizer.model: all pairs of all tokens."""
    vocab = words['model']['vocab']
    merges = [[token[:cut], token[cut:]] for token in sorted(vocab, key=vocab.get) for cut in range(1, len(token))
              if token[:cut] in vocab and token[cut:] in vocab]
    return {**words, 'model': {**words['model'], 'merges': merges}}


def model_with(name, words):
    """A tiny model with the vocabulary of a tokenizer.json."""
    ids = [*words['model']['vocab'].values(), *(added['id'] for added in words['added_tokens'])]
    tensors, rows = small_model.tensors(), max(ids) + 1
    for tensor in ('model.embed_tokens.weight', 'lm_head.weight'):
        dtype, (old, width), data = tensors[tensor]
        tensors[tensor] = (dtype, [rows, width], (data * (rows // old + 1))[:2 * rows * width])
    folder = path_of(name + '-model')
    config = {**small_model.config(), 'vocab_size': rows}
    return small_model.write(folder, config, small_model.safetensors(tensors), words)


def differing(gguf, folder):
    """(The texts that llama.cpp encodes otherwise than the tokenizers library, all texts)."""
    words = plain_gguf.read_json(folder, 'tokenizer.json')
    controls = [added['content'] for added in words['added_tokens'] if added['special']]

    def comparable(text):
        # The library makes a token of its name within a text; llama.cpp, asked for mere text, does not. And llama.cpp
        # does not compose characters, where Qwen's tokenizer.json asks for NFC.
        form = (words['normalizer'] or {}).get('type')
        normal = form != 'NFC' or unicodedata.is_normalized(form, text)
        return normal and not any(control in text for control in controls)

    cases = [case for case in plain_gguf.read_json(folder, 'cases.json') if comparable(case['text'])]
    paths = []
    for number, case in enumerate(cases):
        paths.append(path_of(f'{number}.txt'))
        with open(paths[-1], 'wb') as file:
            file.write(case['text'].encode())
    return [case['text'] for case, ids in zip(cases, llama.tokenize(gguf, paths)) if ids != case['ids']], len(cases)


def check_tokenizer(tokenizer):
    folder, name = os.path.join(shared, 'fixtures', 'tokenizers', tokenizer), 'tokenizer-' + tokenizer
    model = model_with(name, plain_gguf.read_json(folder, 'tokenizer.json'))
    made = artifact(name, model, 8.5, recipe(name, ['Q8_0'], False), *texts, 256)
    if not made:
        return False
    try:
        wrong, count = differing(made[0], folder)
    except llama_programs.Failed as failure:
        return say(False, name, failure)
    for text in wrong[:3]:
        print(f'     llama.cpp encodes {text[:60]!r} otherwise')
    return say(not wrong, name, f'{count - len(wrong)} of {count} texts encoded alike')


def check_pieces(name):
    """A model that has only a tokenizer.model: llama.cpp makes of texts what SentencePiece does."""
    folder = os.path.join(source, 'tests', 'golden', 'tokenizer', name)
    rows = 448
    tensors = small_model.tensors()
    for tensor in ('model.embed_tokens.weight', 'lm_head.weight'):
        dtype, (old, width), data = tensors[tensor]
        tensors[tensor] = (dtype, [rows, width], (data * (rows // old + 1))[:2 * rows * width])
    config = {**small_model.config(), 'vocab_size': rows}
    model = small_model.write(path_of(name + '-model'), config, small_model.safetensors(tensors), with_tokenizer=False)
    shutil.copy(os.path.join(folder, 'tokenizer.model'), model)
    made = artifact(name, model, 8.5, recipe(name, ['Q8_0'], False), *texts, 256)
    if not made:
        return False
    # As transformers does, the cases make a token of the name of a special one within a text; llama.cpp, asked for mere
    # text, does not. And it looks for the user's pieces in texts that have spaces, not what stands for them.
    cases = [case for case in plain_gguf.read_json(folder, 'cases.json')
             if not any(special in case['text'] for special in ('<unk>', '<s>', '</s>', '<pad>', '\u2581\u2581'))]
    paths = [path_of(f'{name}-{number}.txt') for number in range(len(cases))]
    for case, path in zip(cases, paths):
        with open(path, 'wb') as file:
            file.write(case['text'].encode())
    try:
        found = llama.tokenize(made[0], paths)
    except llama_programs.Failed as failure:
        return say(False, name, failure)
    wrong = [case['text'] for case, ids in zip(cases, found) if ids != case['ids']]
    for text in wrong[:3]:
        print(f'     llama.cpp encodes {text[:60]!r} otherwise')
    return say(not wrong, name, f'{len(cases) - len(wrong)} of {len(cases)} texts encoded alike')


# Tiny models with random weights, each with something that the sample lacks, and what has to be different in their
# configuration for llama.cpp: it has one scale of scores for Gemma.
FIXTURES = {
    'llama-tied': {}, 'llama-bias': {}, 'llama-linear-rope': {}, 'llama-f16': {}, 'llama-rope3': {}, 'llama-yarn': {},
    'qwen2': {}, 'qwen3': {}, 'mixtral': {}, 'gemma': {}, 'gemma2': {'query_pre_attn_scalar': 32},
    'gemma3-text': {'query_pre_attn_scalar': 32}, 'phi3': {}, 'phi3-longrope': {}, 'granite': {}, 'olmo2': {},
    'gpt2': {},
}
# With rows of experts that are whole blocks.
TILED = {
    'qwen2-moe': ({48: 64, 80: 96}, {'moe_intermediate_size': 64, 'shared_expert_intermediate_size': 96}),
}
REFUSED = ['mistral-window', 'opt', 'gemma2', 'qwen3-moe']
TOKENIZERS = ['gpt2', 'gpt2-small', 'llama3', 'qwen2', 'smollm', 'gemma']

sample = os.path.join(source, 'deploy', 'sample')
texts = (os.path.join(sample, 'calibration.txt'), os.path.join(sample, 'evaluation.txt'))
results = [check_pieces(name) for name in ('sentencepiece-llama', 'sentencepiece-gemma')]
plain_sample = plain_gguf.write(sample, path_of('sample.gguf'))
results += [check(kind, sample, plain_sample, bits, [kind], False, *texts, 256) for kind, bits in TYPES.items()]
results += [check(f'mixed-{bits:g}', sample, plain_sample, bits, [], True, *texts, 256) for bits in (3.5, 4.5, 6)]
if os.path.isdir(os.path.join(shared, 'fixtures')):
    for fixture, changes in FIXTURES.items():
        random_ids, folder = ids_file(fixture, 256, 64, 16), fixture_model(fixture, changes)
        plain = plain_gguf.write(folder, path_of(fixture + '.gguf'))
        results.append(check(fixture, folder, plain, 5.5, [], True, random_ids, random_ids, 64))
    for fixture, (widths, changes) in TILED.items():
        random_ids, folder = ids_file(fixture, 256, 64, 16), tiled_model(fixture, widths, changes)
        plain = plain_gguf.write(folder, path_of(fixture + '.gguf'))
        results.append(check(fixture, folder, plain, 5.5, [], True, random_ids, random_ids, 64))
    moe = os.path.join(shared, 'models', 'moe')
    plain_moe = plain_gguf.write(moe, path_of('moe.gguf'))
    results.append(check('moe', moe, plain_moe, 5.5, [], True, *texts, 256))
    for fixture in REFUSED:
        random_ids, folder = ids_file(fixture, 256, 64, 16), fixture_model(fixture, {})
        results.append(refused('refused-' + fixture, folder, 'TARGET_CANNOT_STORE', random_ids))
    results += [check_tokenizer(name) for name in TOKENIZERS]
    words = plain_gguf.read_json(shared, 'fixtures', 'tokenizers', 'llama2', 'tokenizer.json')
    folder = model_with('sentencepiece', as_sentencepiece(words))
    plain = plain_gguf.write(folder, path_of('sentencepiece.gguf'))
    results.append(check('sentencepiece', folder, plain, 5.5, [], True, *texts, 256))
else:
    names = ', '.join([*FIXTURES, *TILED, *REFUSED, *TOKENIZERS])
    print(f'skipped: {names} (reference data not found: set BITWRIGHT_SHARED)')
sys.exit(0 if all(results) else 1)
