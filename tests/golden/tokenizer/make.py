"""Writes the golden data of this folder with the reference library (pip install tokenizers==0.23.3).

Usage: make.py SHARED, where SHARED is the folder of reference data (fixtures/, models/, text/).
"""

import base64
import hashlib
import json
import os
import random
import struct
import sys

from tokenizers import Tokenizer

HERE = os.path.dirname(os.path.abspath(__file__))


def write(path, text):
    path = os.path.join(HERE, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def write_lines(path, items):
    write(path, "[\n" + ",\n".join(json.dumps(item) for item in items) + "\n]\n")


def encode_all(tokenizer, text):
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    with_special = tokenizer.encode(text).ids
    case = {"text": text, "ids": ids}
    decoded = tokenizer.decode(ids, skip_special_tokens=False)
    skipped = tokenizer.decode(with_special, skip_special_tokens=True)
    # What says nothing new is left out: ids_with_special is ids, decoded is text, decoded_skip_special is decoded.
    if with_special != ids:
        case["ids_with_special"] = with_special
    if decoded != text:
        case["decoded"] = decoded
    if skipped != decoded:
        case["decoded_skip_special"] = skipped
    return case


def text_hashes(shared):
    result = {}
    for name in ["sample", "llama3", "qwen2", "smollm", "gpt2"]:
        folder = "models/sample" if name == "sample" else "fixtures/tokenizers/" + name
        tokenizer = Tokenizer.from_file(os.path.join(shared, folder, "tokenizer.json"))
        result[name] = {}
        for file in sorted(os.listdir(os.path.join(shared, "text"))):
            with open(os.path.join(shared, "text", file), encoding="utf-8", newline="") as stream:
                ids = tokenizer.encode(stream.read(), add_special_tokens=False).ids
            packed = struct.pack("<%di" % len(ids), *ids)
            result[name][file] = {"tokens": len(ids), "sha256": hashlib.sha256(packed).hexdigest()}
    write("text_sha256.json", json.dumps(result, indent=1) + "\n")


def some_cases(shared, name, count, longest):
    with open(os.path.join(shared, "fixtures/tokenizers", name, "cases.json")) as file:
        cases = [c for c in json.load(file) if len(c["text"]) <= longest and "decoded" in c]
    return cases[:: max(1, len(cases) // count)][:count]


def gpt2_small(shared):
    with open(os.path.join(shared, "fixtures/tokenizers/gpt2-small/tokenizer.json"), encoding="utf-8") as file:
        write("gpt2-small/tokenizer.json", json.dumps(json.load(file), indent=1) + "\n")
    tokenizer = Tokenizer.from_file(os.path.join(shared, "fixtures/tokenizers/gpt2-small/tokenizer.json"))
    cases = some_cases(shared, "gpt2-small", 60, 300)
    write_lines("gpt2-small/cases.json", [encode_all(tokenizer, case["text"]) for case in cases])


def renumber(value, new_ids):
    if isinstance(value, dict):
        if "ids" in value:
            value["ids"] = [new_ids[i] for i in value["ids"]]
        for item in value.values():
            renumber(item, new_ids)
    elif isinstance(value, list):
        for item in value:
            renumber(item, new_ids)


def like(shared, name, merges_kept):
    """The fixture with its first merges only."""
    with open(os.path.join(shared, "fixtures/tokenizers", name, "tokenizer.json"), encoding="utf-8") as file:
        data = json.load(file)
    model = data["model"]
    model["merges"] = model["merges"][:merges_kept]
    tokens = sorted(model["vocab"], key=model["vocab"].get)[:256]
    tokens += dict.fromkeys(a + b for a, b in model["merges"])
    model["vocab"] = {token: i for i, token in enumerate(tokens)}
    new_ids = {}
    for i, added in enumerate(data["added_tokens"]):
        new_ids[added["id"]] = len(tokens) + i
        added["id"] = len(tokens) + i
    return data, new_ids


def without_rare(shared, name, kept):
    """A SentencePiece-style fixture with the first pieces of its vocabulary only, and the merges that need no others."""
    with open(os.path.join(shared, "fixtures/tokenizers", name, "tokenizer.json"), encoding="utf-8") as file:
        data = json.load(file)
    model = data["model"]
    if model["type"] == "Unigram":
        # Pieces of a character come first in the file, and long ones are what its texts are made of.
        tail = sorted(model["vocab"][kept:], key=lambda entry: -entry[1])[:kept]
        model["vocab"] = model["vocab"][:kept] + tail
        return data
    characters = [token for token in model["vocab"] if len(token) == 1 or token.startswith("<")]
    characters += [added["content"] for added in data["added_tokens"]]
    model["merges"] = model["merges"][:kept]
    tokens = dict.fromkeys(sorted(set(characters), key=lambda token: model["vocab"][token]))
    tokens |= dict.fromkeys(a + b for a, b in model["merges"])
    model["vocab"] = {token: i for i, token in enumerate(tokens)}
    for added in data["added_tokens"]:
        assert model["vocab"][added["content"]] == added["id"], added
    return data


def small_tokenizer():
    """SmallTokenizer() of tests/unit/workers/tokenizer/cases.cc."""
    own = [b for b in range(256) if 0x21 <= b <= 0x7E or 0xA1 <= b <= 0xAC or b >= 0xAE]
    rest = iter(range(0x100, 0x144))
    vocab = {chr(b if b in own else next(rest)): b for b in range(256)}
    vocab |= {"he": 256, "ll": 257, "hell": 258}
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0",
        "added_tokens": [added(259, "<|end|>", special=True)],
        "normalizer": None,
        "pre_tokenizer": dict(byte_level),
        "post_processor": None,
        "decoder": dict(byte_level),
        "model": {"type": "BPE", "vocab": vocab, "merges": [["h", "e"], ["l", "l"], ["he", "ll"]]},
    }


def added(id, content, **flags):
    names = ["single_word", "lstrip", "rstrip", "normalized", "special"]
    return {"id": id, "content": content} | {name: flags.get(name, False) for name in names}


def split(pattern, behavior="Isolated", invert=False):
    return {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert}


def sequence(*steps):
    return {"type": "Sequence", "pretokenizers": list(steps)}


def byte_level(prefix=False, regex=True):
    return {"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": True, "use_regex": regex}


# White space and its near relatives, letters with odd cases, digits of all kinds, combining marks, line ends.
ALPHABET = (
    "abhel  '\n\r\tELH01\u0660\u00b2\u2167\u00bd\u0085\u00a0\u180e\u200b\u200d\u2028\u3000\ufeff\u00e9e\u0301\u0300"
    "\u00df\u017f\u0130\u0131\u03a3\u03c2\u212a\ufb01\u1e9b\u0323\u4e2d\u6587\u30ab\u30fc\u0627\u0e01\u0e33_-.,!\U0001f600"
    "\U0001d400\uac00\u1100\u1161"
)
TEXTS = [
    "", " ", "hello", " hello  hell\n\n", "he ll", "I'll don't we've 'S 'LL", "<|end|>", "a<|end|>b <|end|> ",
    "1234567 12a3", "a\u180eb\u180e c", "\u0085x\u0085", "\u200b\u200b x", "\ufb01 \u1e9b\u0323 e\u0301 \u03a3\u03a3 \u0130",
    "x\u30fcy \u6f22\u5b57\u3001\u304b\u306a", "__init__(self, x=1):\r\n    return  x\n", "caf\u00e9 cafe\u0301",
]


def random_texts(rng, count):
    pieces = list(ALPHABET) + ["hell", "hello", "<|end|>", "<T>", "day", "Day", "'ll", "   "]
    return ["".join(rng.choices(pieces, k=rng.randint(1, 24))) for _ in range(count)]


CL100K = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
O200K = (
    r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def variants():
    """Name and changed parts of SmallTokenizer."""
    for form in ["NFC", "NFD", "NFKC", "NFKD", "Lowercase"]:
        yield form, {"normalizer": {"type": form}}
    yield "normalizers", {"normalizer": {"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Lowercase"}]}}
    for behavior in ["Isolated", "Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous"]:
        for invert in [False, True]:
            name = f"{behavior}{'-inverted' if invert else ''}"
            bytes_only = byte_level(regex=False)
            yield name, {"pre_tokenizer": sequence(split({"Regex": r"\s|\p{Lu}"}, behavior, invert), bytes_only)}
            yield name + "-string", {"pre_tokenizer": sequence(split({"String": "l"}, behavior, invert), bytes_only)}
    yield "empty-string", {"pre_tokenizer": sequence(split({"String": ""}), byte_level(regex=False))}
    yield "digits", {"pre_tokenizer": sequence({"type": "Digits", "individual_digits": True}, byte_level())}
    yield "digit-runs", {"pre_tokenizer": sequence({"type": "Digits", "individual_digits": False}, byte_level())}
    yield "prefix-space", {"pre_tokenizer": byte_level(prefix=True)}
    yield "no-regex", {"pre_tokenizer": byte_level(regex=False)}
    yield "bytes-twice", {"pre_tokenizer": sequence(byte_level(), byte_level(regex=False))}
    yield "bytes-then-split", {"pre_tokenizer": sequence(byte_level(regex=False), split({"Regex": "\u0120|l"}))}
    for i, regex in enumerate([
        CL100K, O200K, r"\w+|\W", r"\b", r"\B", r"[\w\s]+", r"[^\w]+", r"\d+|\D", r"\h+", r"^.", r".$", r"(?m:.+)",
        r"\p{Han}+|\p{Katakana}+", r"\P{L}+", r"\p{^L}+", r"\p{Alphabetic}+", r"\p{Letter}+", r"[\u4e00-\u9fff]+",
        r"\x{4e2d}|\x61", r"(?<=l)e|(?<!l)h", r"l{,2}h", r"a{1,2}?", r"(?>he|hell)l*+", r"x{", r"(?i)HELL|\u00e9|ss|k|s",
        r"\A.|.\z", r"a*", r"\v|\f|\a|\e", r"[]a]",
        r"\w{,2}", r"(?i:[a-h\p{L}]+)", r"[\w.]++",
    ]):
        yield f"regex-{i}", {"pre_tokenizer": sequence(split({"Regex": regex}), byte_level(regex=False))}
    base = added(259, "<|end|>", special=True)
    for flag in ["single_word", "lstrip", "rstrip", "normalized", "special"]:
        yield "added-" + flag, {"added_tokens": [base, added(260, "day", **{flag: True})]}
        yield "added-lower-" + flag, {
            "added_tokens": [base, added(260, "Day", **{flag: True}), added(261, "<T>", lstrip=True, rstrip=True)],
            "normalizer": {"type": "Lowercase"},
        }
    yield "added-prefixes", {"added_tokens": [base, added(260, "<|"), added(261, "hello"), added(262, "hel")]}
    yield "added-in-vocabulary", {"added_tokens": [added(258, "hell", special=True), base]}
    yield "added-odd", {"added_tokens": [base, added(233, "\u00e9"), added(260, "\u6587 "), added(261, "\n", rstrip=True)]}
    yield "added-spaces", {
        "added_tokens": [base, added(260, "  ", rstrip=True), added(261, " ", lstrip=True, rstrip=True),
                         added(262, "hello", rstrip=True), added(104, "h", lstrip=True, single_word=True)]}
    text, end = {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "<e>", "type_id": 0}}
    template = {"type": "TemplateProcessing", "single": [end, text, end, end], "pair": [text, {"Sequence": {"id": "B", "type_id": 1}}],
                "special_tokens": {"<e>": {"id": "<e>", "ids": [259, 258], "tokens": ["<|end|>", "hell"]}}}
    yield "template", {"post_processor": template}
    yield "processors", {"post_processor": {"type": "Sequence", "processors": [byte_level(), template]}}
    yield "ignore-merges", {"model": {"ignore_merges": True, "merges": [["h", "e"]]}}
    yield "pair-twice", {"model": {"merges": [["l", "l"], ["h", "e"], ["he", "ll"], ["l", "l"]]}}
    yield "old-style", {"model": {"merges": ["h e", "l l", "he ll"], "continuing_subword_prefix": "",
                                  "end_of_word_suffix": "", "unk_token": "<|end|>"}}
    yield "characters-only", {"pre_tokenizer": None}
    yield from sentencepiece_variants()


def metaspace(scheme, **flags):
    return {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": scheme, "split": True} | flags


def normalizers(*steps):
    return {"type": "Sequence", "normalizers": list(steps)}


def replace(pattern, content):
    return {"type": "Replace", "pattern": pattern, "content": content}


def strip(left, right):
    return {"type": "Strip", "strip_left": left, "strip_right": right}


def charsmap(rules):
    """A table of SentencePiece for replacements of sequences of characters: a trie in a double array, and the texts."""
    units, texts, offsets = {0: 0}, b"", set()

    def place(node, entries, depth):
        nonlocal texts
        labels = sorted({key[depth] if depth < len(key) else 0 for key, _ in entries})
        offset = next(o for o in range(1, 1 << 20) if o not in offsets and not {o ^ label for label in labels} & units.keys())
        offsets.add(offset)  # of one parent only: its children are told by their labels
        units[node] |= (node ^ offset) << 10
        for label in labels:
            units[offset ^ label] = label
        for label in labels:
            inside = [(key, text) for key, text in entries if (key[depth] if depth < len(key) else 0) == label]
            if label:
                place(offset ^ label, inside, depth + 1)
                continue
            units[node] |= 1 << 8
            units[offset] = 1 << 31 | len(texts)
            texts += inside[0][1].encode() + b"\0"

    place(0, sorted((key.encode(), text) for key, text in rules.items()), 0)
    size = (max(units) | 0xFF) + 1  # any byte may be looked up beside a node
    array = struct.pack("<%dI" % size, *(units.get(i, 0xFF) for i in range(size)))
    return struct.pack("<I", len(array)) + array + texts


def sentencepiece_variants():
    table = charsmap({"\t": " ", "\n": " ", "\r\n": " ", "\u200b": "", "\ufb01": "fi", "e\u0301": "\u00e9", "E": "e", "\u00b2": "2",
                      "H": "hh"})
    precompiled = {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(table).decode()}
    unknown = {"unk_token": "\u0101", "byte_fallback": False}
    spaces = {"type": "Metaspace", "replacement": "_", "prepend_scheme": "always", "split": True}
    yield "prepend", {"normalizer": {"type": "Prepend", "prepend": "a "}}
    yield "strip-left", {"normalizer": strip(True, False)}
    yield "strip-both", {"normalizer": normalizers(strip(False, True), strip(True, True))}
    yield "replace-string", {"normalizer": replace({"String": "l"}, "$0L")}
    yield "replace-regex", {"normalizer": normalizers(replace({"Regex": r"\s{2,}|[\d-]"}, "_"), replace({"String": "a"}, ""))}
    yield "precompiled", {"normalizer": precompiled}
    for scheme in ["always", "first", "never"]:
        for cuts in [True, False]:
            yield f"metaspace-{scheme}{'' if cuts else '-whole'}", {
                "pre_tokenizer": spaces | {"prepend_scheme": scheme, "split": cuts}, "model": unknown}
        yield f"metaspace-{scheme}-normalized", {
            "normalizer": normalizers(precompiled, strip(True, True), replace({"Regex": " {2,}"}, "-")),
            "pre_tokenizer": spaces | {"prepend_scheme": scheme}, "model": unknown}
        yield f"decoder-metaspace-{scheme}", {"pre_tokenizer": None, "decoder": metaspace(scheme, replacement="h")}
    yield "metaspace-old", {"pre_tokenizer": {"type": "Metaspace", "replacement": "_", "add_prefix_space": True}}
    yield "metaspace-words", {"pre_tokenizer": sequence({"type": "WhitespaceSplit"}, spaces)}
    yield "metaspace-digits", {
        "pre_tokenizer": sequence({"type": "Digits", "individual_digits": True}, spaces | {"prepend_scheme": "first"})}
    for fuse in [True, False]:
        model = unknown | {"fuse_unk": fuse}
        yield f"unknown-{'fused' if fuse else 'each'}", {"pre_tokenizer": None, "model": model}
        yield f"unknown-no-bytes-{'fused' if fuse else 'each'}", {"pre_tokenizer": None, "model": model | {"byte_fallback": True}}
    yield "decoders", {"decoder": {"type": "Sequence", "decoders": [
        replace({"String": "l"}, "<0xC3>"), {"type": "ByteFallback"}, {"type": "Fuse"},
        {"type": "Strip", "content": "h", "start": 2, "stop": 1}]}}
    yield "decoder-strip", {"pre_tokenizer": None, "decoder": {"type": "Strip", "content": "l", "start": 1, "stop": 0}}


def merged(base, patch):
    result = dict(base)
    for key, value in patch.items():
        result[key] = result[key] | value if key == "model" else value
    return result


def parts():
    rng = random.Random(7)
    items = []
    for name, patch in variants():
        tokenizer = Tokenizer.from_str(json.dumps(merged(small_tokenizer(), patch)))
        texts = rng.sample(TEXTS, 5) + random_texts(rng, 5)
        items.append({"name": name, "patch": patch, "cases": [encode_all(tokenizer, text) for text in texts]})
    write_lines("parts.json", items)


def write_like(shared, name, short, data):
    write(short + "-like/tokenizer.json", json.dumps(data, indent=1) + "\n")
    tokenizer = Tokenizer.from_str(json.dumps(data))
    texts = [c["text"] for c in some_cases(shared, name, 40, 120)]
    write_lines(short + "-like/cases.json", [encode_all(tokenizer, text) for text in texts])


def main():
    shared = sys.argv[1]
    text_hashes(shared)
    gpt2_small(shared)
    for name in ["llama3", "qwen2"]:
        data, new_ids = like(shared, name, 150)
        renumber(data["post_processor"], new_ids)
        write_like(shared, name, name, data)
    for name, short, kept in [("llama2", "llama2", 150), ("metaspace-bpe", "metaspace", 150), ("unigram", "unigram", 300),
                              ("gemma", "gemma", 150)]:
        write_like(shared, name, short, without_rare(shared, name, kept))
    parts()


if __name__ == "__main__":
    main()
