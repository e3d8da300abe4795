#!/usr/bin/env python3
"""The table of tokens and the sample of a report are those that transformers gives of the original model and of the artifact.

usage: tokens_test.py BITWRIGHT SOURCE_DIR   (run with the Python that tests/consumers/venv.sh prints)
"""
import json, os, subprocess, sys, tempfile

import numpy, torch
from transformers import AutoModelForCausalLM, AutoTokenizer

bitwright, source = sys.argv[1], sys.argv[2]
work = tempfile.TemporaryDirectory(prefix="bitwright-tokens-")
sample = os.path.join(source, "deploy", "sample")
WINDOW, TOKENS = 128, 4096
TEXTS = [os.path.join(sample, name) for name in ("evaluation.txt", "mixed.txt")]
PERCENTS = {"p999": 99.9, "p99": 99, "p95": 95, "p90": 90, "p75": 75, "median": 50, "p25": 25, "p10": 10, "p05": 5, "p01": 1,
            "p001": 0.1}
# compressed-tensors rounds what it unpacks once more, which moves single tokens more than means.
MEANS, PLACES = 1e-3, 2e-2  # relative, and of a tenth of the largest value: of means, and of order statistics
MARGINS = {"original": 1e-3, "artifact": 5e-2}  # of two logits that may change places


def load(folder):
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()


def windows(path):
    ids = AutoTokenizer.from_pretrained(sample)(open(path, encoding="utf-8").read(), add_special_tokens=False)["input_ids"]
    return torch.tensor(ids[:TOKENS // WINDOW * WINDOW]).reshape(-1, WINDOW)


def tokens(base, quantized, path):
    """For each scored token its KL divergence, Δp, and whether the top stays."""
    kl, delta, same = [], [], []
    with torch.no_grad():
        for row in windows(path):
            p, q = (torch.log_softmax(model(row[None]).logits[0].double(), -1)[:-1] for model in (base, quantized))
            kl.append((p.exp() * (p - q)).sum(-1))
            at = row[1:, None]
            delta.append((q.gather(1, at).exp() - p.gather(1, at).exp())[:, 0])
            same.append((p.argmax(-1) == q.argmax(-1)).double())
    return tuple(torch.cat(part).numpy() for part in (kl, delta, same))


def check_table(label, values, table, names):
    expected = {"mean": values.mean(), "min": values.min(), "max": values.max()}
    expected.update({name: numpy.percentile(values, PERCENTS[name]) for name in names})
    if "rms" in table: expected["rms"] = numpy.sqrt((values ** 2).mean())
    scale = numpy.abs(values).max()
    wrong = {name: (table[name], value) for name, value in expected.items()
             if abs(table[name] - value) > (MEANS if name in ("mean", "rms") else PLACES) * (abs(value) + 0.1 * scale)}
    print(f"{'FAIL' if wrong else 'ok  '} {label}: {len(expected)} numbers, mean {table['mean']:.6f} and {expected['mean']:.6f} {wrong or ''}", flush=True)
    return not wrong


def check_measured(label, parts, measured):
    kl, delta, same = parts
    good = check_table(f"{label} KL", kl, measured["kl_divergence"], ["p999", "p99", "p95", "p90", "median", "p10", "p05", "p01"])
    good = check_table(f"{label} Δp", delta, measured["probability_change"], list(PERCENTS)) and good
    if abs(measured["top1_agreement"] - same.mean()) > 8 / len(same):
        print(f"FAIL {label}: same top {measured['top1_agreement']} and {same.mean()}"); good = False
    return good


def check_sample(label, model, prompt, ids):
    """Each id is the most likely one behind those before it, but for logits that are as good as equal."""
    with torch.no_grad():
        logits = model(torch.tensor([prompt + ids])).logits[0, len(prompt) - 1:-1]
    behind = [int(place) for place, row in enumerate(logits) if row.max() - row[ids[place]] > MARGINS[label]]
    print(f"{'FAIL' if behind else 'ok  '} {label}: {len(ids)} greedy tokens {behind or ''}", flush=True)
    return not behind


out = os.path.join(work.name, "out")
command = [bitwright, "quantize", sample, "--budget", "4.25bpw", "--recipe", "mixed-rtn", "--calibration",
           os.path.join(sample, "calibration.txt"), "--window", str(WINDOW), "--calibration-tokens", str(TOKENS),
           "--evaluation-tokens", str(TOKENS), "--local", "-q", "-o", out]
for text in TEXTS: command += ["--evaluation", text]
subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
report = json.load(open(os.path.join(out, "report.json")))
selected = next(c for c in report["candidates"] if c["name"] == report["selected"])
base, quantized = load(sample), load(os.path.join(out, "model"))
parts = [tokens(base, quantized, text) for text in TEXTS]
results = [check_measured(os.path.basename(text), part, measured)
           for text, part, measured in zip(TEXTS, parts, selected["texts"], strict=True)]
results.append(check_measured("all", tuple(numpy.concatenate(columns) for columns in zip(*parts)), selected))
said = report["sample"]
results.append(check_sample("original", base, said["prompt_ids"], said["base_ids"]))
results.append(check_sample("artifact", quantized, said["prompt_ids"], said["quantized_ids"]))
pairs = list(zip(said["base_ids"], said["quantized_ids"], strict=True))
parting = next((place for place, (a, b) in enumerate(pairs) if a != b), -1)
tokenizer = AutoTokenizer.from_pretrained(sample)
results.append(parting == said["first_divergence"] and tokenizer.decode(said["base_ids"]) == said["base"])
print(f"{'ok  ' if results[-1] else 'FAIL'} the two part at token {said['first_divergence']}: {said['base']!r}, {said['quantized']!r}")
sys.exit(0 if all(results) else 1)
