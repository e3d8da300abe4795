#!/usr/bin/env python3
"""Multiple-choice scores are those of lm-evaluation-harness on the same files: of the original model and of the artifact.

usage: choices_test.py BITWRIGHT SOURCE_DIR   (run with the Python that tests/consumers/lm_eval.sh prints)
"""
import json, os, subprocess, sys, tempfile

os.environ["HF_HUB_OFFLINE"] = os.environ["HF_DATASETS_OFFLINE"] = "1"
import lm_eval
from lm_eval.models.huggingface import HFLM
from lm_eval.tasks import TaskManager

bitwright, source = sys.argv[1], sys.argv[2]
shared = os.environ.get("BITWRIGHT_SHARED", os.path.join(source, "..", "shared"))
work = tempfile.TemporaryDirectory(prefix="bitwright-choices-")
os.environ["HF_HOME"] = work.name
TOLERANCE = 1e-6
# The harness' own definition of each task, by the name of our file.
TASKS = {"hellaswag": "hellaswag/hellaswag.yaml", "arc": "arc/arc_easy.yaml", "piqa": "piqa/piqa.yaml",
         "winogrande": "winogrande/default.yaml", "boolq": "super_glue/boolq/default.yaml"}


def questions(name):
    return os.path.join(source, "tests", "golden", "choices", name + ".jsonl")


def define_tasks():
    """The same tasks on our files: only where the questions come from is another."""
    folder = os.path.join(work.name, "tasks")
    os.makedirs(folder)
    there = os.path.join(os.path.dirname(lm_eval.__file__), "tasks")
    for name, path in TASKS.items():
        with open(os.path.join(folder, name + ".yaml"), "w") as f:
            f.write(f"include: {os.path.join(there, path)}\ntask: made_{name}\ntag: null\ndataset_path: json\ndataset_name: null\n"
                    f"dataset_kwargs:\n  data_files:\n    validation: {questions(name)}\n"
                    "training_split: null\nvalidation_split: validation\ntest_split: null\n")
    return TaskManager(include_path=folder, include_defaults=False)


def theirs(model_dir, manager):
    model = HFLM(pretrained=model_dir, dtype="float32", device="cpu", batch_size=4)
    done = lm_eval.simple_evaluate(model=model, tasks=[f"made_{name}" for name in TASKS], task_manager=manager,
                                   num_fewshot=0, bootstrap_iters=1000)
    return {name: done["results"][f"made_{name}"] for name in TASKS}


def quantize(name, model, budget, target):
    out = os.path.join(work.name, name)
    sample = os.path.join(source, "deploy", "sample")
    command = [bitwright, "quantize", model, "--budget", budget, "--recipe", "mixed-rtn", "--target", target, "--calibration",
               os.path.join(sample, "calibration.txt"), "--evaluation", os.path.join(sample, "evaluation.txt"), "--window", "128",
               "--calibration-tokens", "4096", "--evaluation-tokens", "2048", "--local", "-q", "-o", out]
    for task in TASKS: command += ["--choices", questions(task)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return out, json.load(open(os.path.join(out, "report.json")))


def compare(label, ours, results):
    good = True
    for result, (name, expected) in zip(ours, results.items(), strict=True):
        for metric in result["metrics"]:
            want = expected[metric["name"] + ",none"]
            error = expected.get(metric["name"] + "_stderr,none")
            same = abs(metric["value"] - want) <= TOLERANCE
            if isinstance(error, float): same = same and abs(metric["standard_error"] - error) <= TOLERANCE
            print(f"{'ok  ' if same else 'FAIL'} {label:10} {name:11} {metric['name']:9} ours {metric['value']:.6f} ± "
                  f"{metric['standard_error']:.6f} lm-eval {want:.6f} ± {error}", flush=True)
            good = good and same
        missing = {m for m in ("acc", "acc_norm") if m + ",none" in expected} - {m["name"] for m in result["metrics"]}
        if missing: print(f"FAIL {label} {name}: {missing} are missing"); good = False
    return good


def check(name, model, budget):
    out, report = quantize(name, model, budget, "compressed-tensors")
    sides = {"base": (model, "base"), "quantized": (os.path.join(out, "model"), "quantized")}
    good = [r["name"] for r in report["choices"]] == [task + ".jsonl" for task in TASKS]
    for label, (folder, side) in sides.items():
        ours = [{"metrics": result[side]} for result in report["choices"]]
        good = compare(f"{name} {label}", ours, theirs(folder, manager)) and good
    return good


manager = define_tasks()
results = [check("sample", os.path.join(source, "deploy", "sample"), "3.5bpw")]
lm = os.path.join(shared, "models", "lm")
if os.path.isdir(lm): results.append(check("lm", lm, "4.25bpw"))
else: print("skipped: lm (reference data not found: set BITWRIGHT_SHARED)")
sys.exit(0 if all(results) else 1)
