"""Trains the small tokenizer.model files of this folder and writes what SentencePiece makes of texts
(pip install sentencepiece==0.2.3 protobuf).

Usage: make_sentencepiece.py SHARED, where SHARED is the folder of reference data (fixtures/, models/, text/).
Control and unknown pieces in a text are cut out of it, as transformers does; each part is encoded for itself.
"""

import json
import os
import re
import shutil
import sys
import tempfile

import sentencepiece

HERE = os.path.dirname(os.path.abspath(__file__))
MORE = ["a<s>b</s> c", "<unk>", "x <sep>y<sep>", "  two  spaces ", "ab\u2581\u2581cd", "\ufb01ne \uff21\u200b\u00b2", "000000 0000",
        "\u65e5\u672c\u8a9e \U0001f600", "\t\n"]
RULES = {"\ufb01": "fi", "\uff21": "A", "\u200b": "", "\u00b2": "2", "\t": " ", "\n": " ", "e\u0301": "\u00e9"}


def fixture_texts(shared):
    with open(os.path.join(shared, "fixtures/tokenizers/llama2/cases.json")) as file:
        return [case["text"] for case in json.load(file)]


def train(name, texts, vocab_size, **options):
    """In a folder of its own, since the model keeps the names of files that it was made from."""
    lines = [line for text in texts for line in text.split("\n") if line and line.isascii()]
    os.makedirs(os.path.join(HERE, name), exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        with open("rules.tsv", "w") as file:
            for key, value in RULES.items():
                file.write(" ".join("%X" % ord(c) for c in key) + "\t" + " ".join("%X" % ord(c) for c in value) + "\n")
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(lines), vocab_size=vocab_size, model_prefix="tokenizer", minloglevel=2, num_threads=1,
            character_coverage=0.98, **options)
        target = os.path.join(HERE, name, "tokenizer.model")
        shutil.copyfile("tokenizer.model", target)
        os.chdir(HERE)
    return sentencepiece.SentencePieceProcessor(model_file=target)


def encode(model, text):
    special = [model.id_to_piece(i) for i in range(len(model)) if model.is_control(i) or model.is_unknown(i)]
    ids = []
    for part in re.split("(" + "|".join(map(re.escape, special)) + ")", text):
        ids += [model.piece_to_id(part)] if part in special else model.encode(part)
    return ids


def write_cases(name, model, texts):
    items = []
    for text in texts:
        ids = encode(model, text)
        items.append({"text": text, "ids": ids, "ids_with_special": [model.bos_id()] + ids})
    with open(os.path.join(HERE, name, "cases.json"), "w", encoding="ascii") as file:
        file.write("[\n" + ",\n".join(json.dumps(item) for item in items) + "\n]\n")


def main():
    texts = fixture_texts(sys.argv[1])
    short = [text for text in texts if 0 < len(text) <= 120 and "\0" not in text]
    short = short[:: max(1, len(short) // 50)][:50] + MORE
    bpe = train("sentencepiece-bpe", texts[:-2], 420, model_type="bpe", byte_fallback=True,
                normalization_rule_name="identity", remove_extra_whitespaces=False,
                user_defined_symbols=["<sep>", "\u2581\u2581"])
    write_cases("sentencepiece-bpe", bpe, short)
    # As Llama 2 and as Gemma have theirs, which llama.cpp reads too.
    llama = train("sentencepiece-llama", texts[:-2], 400, model_type="bpe", byte_fallback=True,
                  normalization_rule_name="identity", remove_extra_whitespaces=False)
    write_cases("sentencepiece-llama", llama, short)
    gemma = train("sentencepiece-gemma", texts[:-2], 440, model_type="bpe", byte_fallback=True,
                  normalization_rule_name="identity", remove_extra_whitespaces=False, add_dummy_prefix=False,
                  pad_id=0, eos_id=1, bos_id=2, unk_id=3,
                  user_defined_symbols=["<turn>", "\n", "\n\n", "\u2581\u2581", "\u2581\u2581\u2581\u2581", "<b>"])
    write_cases("sentencepiece-gemma", gemma, short + ["a\n\n\n  b    <b>c", "x<turn>user\n\ny"])
    unigram = train("sentencepiece-unigram", texts[:-2], 290, model_type="unigram", normalization_rule_tsv="rules.tsv",
                    user_defined_symbols=["<sep>", "the"])
    write_cases("sentencepiece-unigram", unigram, short)


if __name__ == "__main__":
    main()
