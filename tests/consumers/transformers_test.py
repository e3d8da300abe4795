#!/usr/bin/env python3
"""Artifacts load in transformers with compressed-tensors, and the perplexity that it computes is the report's.

usage: transformers_test.py BITWRIGHT SOURCE_DIR   (run with the Python that tests/consumers/venv.sh prints)
"""
import json, math, os, subprocess, sys, tempfile

import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM, AutoTokenizer

bitwright, source = sys.argv[1], sys.argv[2]
shared = os.environ.get("BITWRIGHT_SHARED", os.path.join(source, "..", "shared"))
work = tempfile.TemporaryDirectory(prefix="bitwright-consumers-")
TOLERANCE = 1e-3  # relative, of the perplexity


def recipe(name, bits, groups, mixed, names=()):
    """A recipe file restricted to these formats; few sensitivity windows keep the test short."""
    path = os.path.join(work.name, name + ".textproto")
    with open(path, "w") as f:
        f.write(f'name: "{name}" description: "for a test" sensitivity {{ windows: 2 checked_bits: 2 }}\n')
        fields = [f"bits: {b}" for b in bits] + [f"group_sizes: {g}" for g in groups] + [f'names: "{n}"' for n in names]
        f.write("formats { %s }\n" % " ".join(fields))
        f.write("candidates { mixed: %s uniform: 1 }\n" % ("true" if mixed else "false"))
    return path


def ids_file(name, vocab, window, windows):
    """Token ids of a small linear congruential sequence: models without a tokenizer."""
    path, state = os.path.join(work.name, name + ".ids.jsonl"), 12345
    with open(path, "w") as f:
        for _ in range(windows):
            row = []
            for _ in range(window):
                state = (1103515245 * state + 12345) % 2**31
                row.append(3 + state // 65536 % (vocab - 3))
            f.write(json.dumps(row) + "\n")
    return path


def quantize(name, model, budget, recipe_path, calibration, evaluation, window, most):
    out = os.path.join(work.name, name)
    subprocess.run([bitwright, "quantize", model, "--budget", budget, "--recipe", recipe_path, "--calibration", calibration,
                    "--evaluation", evaluation, "--window", str(window), "--calibration-tokens", "4096",
                    "--evaluation-tokens", str(most), "--local", "-q", "-o", out], check=True, stdout=subprocess.DEVNULL)
    return out, json.load(open(os.path.join(out, "report.json")))


def tokens(model_dir, path, window, most=4096):
    if path.endswith(".ids.jsonl"):
        return torch.tensor([json.loads(line) for line in open(path)])
    from tokenizers import Tokenizer
    ids = Tokenizer.from_file(os.path.join(model_dir, "tokenizer.json")).encode(open(path).read(), add_special_tokens=False).ids
    rows = min(most, len(ids)) // window
    return torch.tensor(ids[: rows * window]).view(rows, window)


def load(model_dir):
    # f32 arithmetic, as the report's. The report's weights are rounded to the checkpoint's dtype after decompression;
    # in f32 transformers leaves that rounding out, which moves a perplexity by about 1e-5. Small floats are always
    # decompressed to bfloat16.
    model = AutoModelForCausalLM.from_pretrained(model_dir, dtype=torch.float32, attn_implementation="eager")
    model.hf_quantizer.compressor.decompress_model(model)  # as the first forward pass does
    for parameter in model.parameters(): parameter.data = parameter.data.float()
    return model


def perplexity(model_dir, windows):
    model = load(model_dir)
    with torch.no_grad():
        total, count = 0.0, 0
        for row in windows:
            logits = model(row[None]).logits[0].double()
            nll = torch.nn.functional.cross_entropy(logits[:-1], row[1:], reduction="sum")
            total, count = total + nll.item(), count + len(row) - 1
    return math.exp(total / count)


def check(name, model, budget, recipe_path, calibration, evaluation, window, most=4096):
    out, report = quantize(name, model, budget, recipe_path, calibration, evaluation, window, most)
    selected = next(c for c in report["candidates"] if c["name"] == report["selected"])
    theirs = perplexity(os.path.join(out, "model"), tokens(os.path.join(out, "model"), evaluation, window, most))
    ours, difference = selected["perplexity"], abs(theirs / selected["perplexity"] - 1)
    good = difference <= TOLERANCE
    print(f"{'ok  ' if good else 'FAIL'} {name:16} {report['selected']:22} ours {ours:.5f} transformers {theirs:.5f} relative {difference:.1e}", flush=True)
    return good


sample = os.path.join(source, "deploy", "sample")
texts = (os.path.join(sample, "calibration.txt"), os.path.join(sample, "evaluation.txt"))
results = [
    check("int4-uniform", sample, "4.25bpw", recipe("int4-uniform", [4], [64, 128], False), *texts, 256),
    check("mixed-2-8", sample, "4.1bpw", recipe("mixed-2-8", range(2, 9), [32, 64, 128, 0], True), *texts, 256),
    check("channel", sample, "5.5bpw", recipe("channel", [3, 5, 6, 7], [0], True), *texts, 256),
]

# Formats by name, with a budget at which a plan has several of them.
FP8 = ["fp8-tensor", "fp8-channel", "fp8-block"]
NAMED = [
    ("nvfp4", "4.6bpw", ["nvfp4", "mxfp8"], False),
    ("fp8", "8.05bpw", FP8, True),
    ("floats", "5.5bpw", ["mxfp4", "nvfp4", "mxfp6", "mxfp8", *FP8], True),
    ("all-kinds", "6bpw", ["int3-g64", "int4-g32", "nvfp4", "fp8-channel", "unquantized"], True),
]
for name, budget, names, mixed in NAMED:
    results.append(check(name, sample, budget, recipe(name, [], [], mixed, names), *texts, 256))


# Where inputs are rounded, two programs that sum in another order soon have other codes: transformers in f32 and in f64
# differ by as much as rounding costs, and their perplexities by 1.3e-3 on 4,096 tokens (one standard error). So many:
ROUNDED_TOKENS = 32768


def divergence(artifact, original, windows):
    """Mean KL divergence of the original from the artifact, with inputs rounded and without, nats per token."""
    base, model = AutoModelForCausalLM.from_pretrained(original, dtype=torch.float32, attn_implementation="eager"), load(artifact)
    sums = []
    with torch.no_grad():
        for rounds in (True, False):
            for module in model.modules(): module.quantization_enabled = rounds
            total = 0.0
            for row in windows:
                p, q = (torch.log_softmax(m(row[None]).logits[0, :-1].double(), -1) for m in (base, model))
                total += (p.exp() * (p - q)).sum().item()
            sums.append(total / (len(windows) * (len(windows[0]) - 1)))
    return sums


def check_w8a8():
    """What rounding inputs costs is in the report, and is what it costs transformers: a sum over tokens that does not
    depend on which codes they have."""
    good = check("w8a8", sample, "8.06bpw", recipe("w8a8", [], [], False, ["int8-channel-a8", "unquantized"]), *texts, 256,
                 ROUNDED_TOKENS)
    artifact = os.path.join(work.name, "w8a8", "model")
    report = json.load(open(os.path.join(work.name, "w8a8", "report.json")))
    ours = next(c for c in report["candidates"] if c["name"] == report["selected"])["kl_divergence"]["mean"]
    rounded, exact = divergence(artifact, sample, tokens(artifact, texts[1], 256, ROUNDED_TOKENS))
    alike = abs(rounded / ours - 1) < 0.05 and exact < rounded / 5
    print(f"{'ok  ' if alike else 'FAIL'} w8a8             KL divergence ours {ours:.5f} transformers {rounded:.5f}, "
          f"without rounding inputs {exact:.5f}", flush=True)
    with safe_open(os.path.join(artifact, "model.safetensors"), "pt") as file:
        weight = file.get_tensor("model.layers.0.self_attn.q_proj.weight")
    return good and alike and weight.dtype == torch.int8


results.append(check_w8a8())
results.append(check("w8a8-mixed", sample, "6.5bpw", recipe("w8a8-mixed", [], [], True, ["int4-g64", "int8-channel-a8", "fp8-channel"]),
                     *texts, 256, ROUNDED_TOKENS))


def field_model():
    """A folder with much that is unusual at once; the artifact must load all the same."""
    sys.path.insert(0, os.path.join(source, "tests", "field"))
    import model_folders
    folder = model_folders.Folder(os.path.join(work.name, "field-model"), model_folders.Sample(sample))
    folder.config["tie_word_embeddings"] = True  # the checkpoint holds another head
    folder.config["auto_map"] = {"AutoModelForCausalLM": "modeling_fast.FastForCausalLM"}
    folder.tensors["model.causal_bias"] = ("F32", [1], b"\0\0\x80\xff")  # -inf, in a buffer of nobody's
    folder.write_shards(more=["model.layers.0.self_attn.rotary_emb.inv_freq"])
    folder.file("modeling_fast.py", "raise SystemExit(1)\n")
    folder.file("additional_chat_templates/tool_use.jinja", "{{ tools }}")
    folder.file("chat_template.jinja", "{% for m in messages %}{{ m.content }}{% endfor %}")
    return folder.path


def check_field(recipe_path):
    good = check("field", field_model(), "4.25bpw", recipe_path, *texts, 256)
    artifact = os.path.join(work.name, "field", "model")
    config = json.load(open(os.path.join(artifact, "config.json")))
    with safe_open(os.path.join(artifact, "model.safetensors"), "pt") as file: names = set(file.keys())
    tokenizer = AutoTokenizer.from_pretrained(artifact)
    reasons = [n["reason"] for n in json.load(open(os.path.join(work.name, "field", "report.json")))["notices"]]
    holds = {
        "the flag is the checkpoint's": config["tie_word_embeddings"] is False and "lm_head.weight" in names,
        "no code of its own": "auto_map" not in config and not os.path.exists(os.path.join(artifact, "modeling_fast.py")),
        "no tensor of nobody's": "model.causal_bias" not in names,
        "both chat templates": set(tokenizer.chat_template) == {"default", "tool_use"},
        "it is said": {"HEAD_NOT_TIED", "TENSORS_LEFT_OUT", "INDEX_DIFFERS", "MODEL_CODE_LEFT_OUT"} <= set(reasons),
    }
    for what in (what for what, held in holds.items() if not held): print(f"FAIL field: {what}")
    return good and all(holds.values())


results.append(check_field(recipe("field", [4], [64, 128], False)))
# One tiny checkpoint of each family, and of Llama two with parts that few have.
FIXTURES = ["llama-tied", "llama-bias", "mistral-window", "qwen2", "qwen3", "gemma", "gemma2", "gemma3-text", "phi3-longrope",
            "granite", "olmo2", "opt", "gpt-neox", "mixtral", "qwen2-moe", "qwen3-moe"]


def fixture_model(fixture):
    """The fixture's folder without what is expected of it."""
    model = os.path.join(work.name, fixture + "-model")
    os.makedirs(model)
    for file in ("config.json", "generation_config.json", "model.safetensors"):
        os.symlink(os.path.abspath(os.path.join(shared, "fixtures", "models", fixture, file)), os.path.join(model, file))
    return model


def refused(fixture, reason):
    """The layout of the family is one that the target's readers do not load."""
    ids = ids_file(fixture, 256, 64, 16)
    done = subprocess.run([bitwright, "quantize", fixture_model(fixture), "--budget", "5bpw", "--calibration", ids, "--evaluation",
                           ids, "--window", "64", "--local", "-q", "-o", os.path.join(work.name, fixture)],
                          capture_output=True, text=True)
    good = done.returncode != 0 and reason in done.stderr
    print(f"{'ok  ' if good else 'FAIL'} {fixture:16} {reason}", flush=True)
    return good


if os.path.isdir(os.path.join(shared, "fixtures")):
    for fixture in FIXTURES:
        ids = ids_file(fixture, 256, 64, 16)
        results.append(check(fixture, fixture_model(fixture), "5bpw", recipe(fixture, range(2, 9), [32, 0], True), ids, ids, 64))
    results.append(refused("gpt2", "TARGET_CANNOT_STORE"))
    moe_texts = [os.path.join(shared, "text", name) for name in ("novel-calib.txt", "novel-valid.txt")]
    results.append(check("moe", os.path.join(shared, "models", "moe"), "4.25bpw", recipe("moe", range(2, 9), [64, 128, 0], True),
                         *moe_texts, 256))
else:
    print("skipped: " + ", ".join(FIXTURES) + ", gpt2, moe (reference data not found: set BITWRIGHT_SHARED)")
sys.exit(0 if all(results) else 1)
