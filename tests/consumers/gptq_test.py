#!/usr/bin/env python3
"""GPTQ artifacts load in GPTQModel and in transformers, and the perplexity that they compute is the report's.

usage: gptq_test.py BITWRIGHT SOURCE_DIR   (run by tests/consumers/run_gptq.sh)
"""
import json, math, os, subprocess, sys, tempfile

import torch
from gptqmodel import BACKEND, GPTQModel
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

bitwright, source = sys.argv[1], sys.argv[2]
shared = os.environ.get("BITWRIGHT_SHARED", os.path.join(source, "..", "shared"))
work = tempfile.TemporaryDirectory(prefix="bitwright-gptq-")
WINDOW, TOKENS = 256, 4096
TOLERANCE = {"transformers": 1e-6, "gptqmodel": 1e-3}  # relative, of the perplexity; GPTQModel computes in f16


def recipe(name, names, mixed):
    path = os.path.join(work.name, name + ".textproto")
    with open(path, "w") as f:
        f.write(f'name: "{name}" description: "for a test" sensitivity {{ windows: 2 }}\n')
        f.write("formats { %s }\n" % " ".join(f'names: "{n}"' for n in names))
        f.write("candidates { mixed: %s uniform: 1 }\n" % ("true" if mixed else "false"))
    return path


def load(consumer, folder):
    if consumer == "transformers":
        return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    return GPTQModel.load(folder, device="cpu", backend=BACKEND.TORCH, dtype=torch.float16, attn_implementation="eager").model


def perplexity(model, windows):
    total, count = 0.0, 0
    with torch.no_grad():
        for row in windows:
            logits = model(row[None]).logits[0].double()
            total += torch.nn.functional.cross_entropy(logits[:-1], row[1:], reduction="sum").item()
            count += len(row) - 1
    return math.exp(total / count)


def check(name, model, texts, budget, names, consumer, least_formats):
    """A job on `model`, whose artifact must have so many formats in use and load in `consumer`."""
    out = os.path.join(work.name, name)
    subprocess.run([bitwright, "quantize", model, "--target", "gptq", "--budget", budget, "--recipe",
                    recipe(name, names, least_formats > 1), "--calibration", texts[0], "--evaluation", texts[1], "--window",
                    str(WINDOW), "--calibration-tokens", str(TOKENS), "--evaluation-tokens", str(TOKENS), "--local", "-q",
                    "-o", out], check=True, stdout=subprocess.DEVNULL)
    report = json.load(open(os.path.join(out, "report.json")))
    selected = next(c for c in report["candidates"] if c["name"] == report["selected"])
    formats = {unit["format"] for unit in report["units"]}
    says = next(c for c in report["consumers"] if c["name"] == consumer)
    folder = os.path.join(out, "model")
    ids = Tokenizer.from_file(os.path.join(folder, "tokenizer.json")).encode(open(texts[1]).read(), add_special_tokens=False).ids
    rows = min(TOKENS, len(ids)) // WINDOW
    theirs = perplexity(load(consumer, folder), torch.tensor(ids[: rows * WINDOW]).view(rows, WINDOW))
    difference = abs(theirs / selected["perplexity"] - 1)
    good = difference <= TOLERANCE[consumer] and len(formats) >= least_formats and says.get("loads", False)
    print(f"{'ok  ' if good else 'FAIL'} {name:12} {consumer:12} {', '.join(sorted(formats))}: ours "
          f"{selected['perplexity']:.5f} theirs {theirs:.5f} relative {difference:.1e}", flush=True)
    return good


sample = os.path.join(source, "deploy", "sample")
texts = [os.path.join(sample, name) for name in ("calibration.txt", "evaluation.txt")]
results = [
    check("uniform", sample, texts, "4.8bpw", ["int4-g32-f16", "int8-g32-f16"], "transformers", 1),
    check("mixed", sample, texts, "4bpw", ["int2-g32-f16", "int3-g64-f16", "int4-g32-f16", "int8-channel-f16"], "gptqmodel", 2),
    check("kept", sample, texts, "11bpw", ["int4-g32-f16", "int8-channel-f16", "unquantized"], "gptqmodel", 2),
]
moe = os.path.join(shared, "models", "moe")
if os.path.isdir(moe):
    moe_texts = [os.path.join(shared, "text", name) for name in ("novel-calib.txt", "novel-valid.txt")]
    results.append(check("moe", moe, moe_texts, "5bpw", ["int3-g32-f16", "int4-g32-f16", "int8-channel-f16"], "gptqmodel", 2))
else:
    print("skipped: moe (reference data not found: set BITWRIGHT_SHARED)")
sys.exit(0 if all(results) else 1)
