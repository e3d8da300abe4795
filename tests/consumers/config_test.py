#!/usr/bin/env python3
"""config.json means to the workers what it means to transformers' class of the family.

Some hundred random configs for each family, from a fixed seed: keys absent, null and present, in old and new places and
spellings. Each goes to transformers (config class, model, one forward pass) and to config_dump. Where transformers
fails, we must refuse. Where it computes, we must read the same attributes, rotary frequencies and windows, or refuse
with CONFIG_UNSUPPORTED: those are counted and listed. For some of them, the logits of the whole model agree, too.

usage: config_test.py CONFIG_DUMP [CONFIGS_PER_FAMILY]   (with the Python that tests/consumers/venv.sh prints)
"""
import collections, json, logging, math, os, random, subprocess, sys, tempfile, warnings

warnings.filterwarnings("ignore")
os.environ["TRANSFORMERS_VERBOSITY"] = "critical"
import torch
import transformers
from safetensors.torch import save_file

logging.disable(logging.CRITICAL)
transformers.utils.logging.disable_progress_bar()
dump, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 300
torch.set_num_threads(1)
ABSENT = object()
LENGTH = 24  # tokens of the forward pass: more than the small windows
SMALL = 30_000_000  # parameters of a model that is really made and run; larger ones have shapes only
MOST_UNSUPPORTED = 0.12  # of the configs that transformers takes
FAMILIES = {
    "llama": (transformers.LlamaConfig, transformers.LlamaForCausalLM),
    "mistral": (transformers.MistralConfig, transformers.MistralForCausalLM),
    "qwen2": (transformers.Qwen2Config, transformers.Qwen2ForCausalLM),
    "qwen3": (transformers.Qwen3Config, transformers.Qwen3ForCausalLM),
}
RARE_KINDS = ["dynamic", "longrope", "proportional"]


def pick(rng, values, absent=0.1, null=0.02):
    """One of the values, or null, or nothing."""
    chance = rng.random()
    if chance < absent: return ABSENT
    return None if chance < absent + null else rng.choice(values)


def rope(rng, head_dim):
    """A rope_scaling or rope_parameters object."""
    kind = rng.choice(["default", "linear", "llama3", "yarn"] * 12 + RARE_KINDS + ["unknown"])
    made = {}
    spelling = rng.choice(["rope_type", "rope_type", "type", "type", "both", "none" if kind == "default" else "type"])
    if spelling in ("rope_type", "both"): made["rope_type"] = kind
    if spelling == "type": made["type"] = kind
    if spelling == "both": made["type"] = rng.choice(["linear", kind, None])
    def put(key, values, absent=0.015, null=0.015):
        value = pick(rng, values, absent, null)
        if value is not ABSENT: made[key] = value
    if kind != "default" or rng.random() < 0.2: put("factor", [1, 1.5, 2.0, 4, 8.0, 0.5])
    put("rope_theta", [10000, 10000.0, 500000.0, 1000000], 0.5, 0.01)
    put("partial_rotary_factor", [1, 1.0, 0.5], 0.95, 0.01)
    if kind == "llama3":
        put("low_freq_factor", [1, 1.0, 2.0])
        put("high_freq_factor", [4, 4.0, 8.0, 2.0, 1])
        put("original_max_position_embeddings", [16, 32, 64, 128], 0.2)
    if kind == "yarn":
        put("original_max_position_embeddings", [16, 32, 64], 0.2)
        for key, values in (("beta_fast", [32, 16.0, 0]), ("beta_slow", [1, 2.0]), ("mscale", [1.0, 0.7, 0]),
                            ("mscale_all_dim", [1.0, 0.5]), ("attention_factor", [1.2, 1.0]), ("truncate", [True, False])):
            put(key, values, 0.5, 0.06)
    if kind == "longrope":
        made.update(short_factor=[1.0] * (head_dim // 2), long_factor=[2.0] * (head_dim // 2),
                    original_max_position_embeddings=32)
    return made


def layer_types(rng, family, layers):
    names = ["full_attention", "full_attention", "sliding_attention"]
    if rng.random() < 0.1: names.append(rng.choice(["attention", "linear_attention", "no_such_type"]))
    return [rng.choice(names) for _ in range(layers if rng.random() < 0.95 else layers + 1)]


def make_config(rng, family):
    config = {"model_type": family, "architectures": [FAMILIES[family][1].__name__]}
    def put(key, values, absent=0.1, null=0.006):
        value = pick(rng, values, absent, null)
        if value is not ABSENT: config[key] = value
    heads = rng.choice([2, 4, 4, 6])
    layers = rng.choice([1, 2, 3, 4])
    put("hidden_size", [heads * 8, heads * 16, 48, 64], 0.01)
    put("intermediate_size", [32, 96], 0.02)
    put("num_hidden_layers", [layers], 0.01)
    put("num_attention_heads", [heads], 0.01)
    put("num_key_value_heads", [1, 2, heads, heads], 0.04, 0.04)
    put("head_dim", [8, 16, 32] * 6 + [15], 0.5, 0.05)
    put("vocab_size", [96], 0.01)
    put("max_position_embeddings", [64, 128, 4096], 0.05)
    put("rms_norm_eps", [1e-5, 1e-6, 1e-3] * 20 + [1], 0.15)
    put("hidden_act", ["silu"] * 40 + ["swish"] * 4 + ["gelu"], 0.3)
    put("tie_word_embeddings", [True, False], 0.3)
    put("attention_bias", [True, False], 0.4)
    put("mlp_bias", [True, False], 0.6)
    put("sliding_window", [1, 3, 8, 100], 0.3, 0.15)
    put("use_sliding_window", [True, True, False], 0.3)
    put("max_window_layers", [0, 1, 2, 28], 0.3)
    if rng.random() < 0.25: config["layer_types"] = None if rng.random() < 0.1 else layer_types(rng, family, layers)
    put("rope_theta", [10000, 5e5, 1e6], 0.5)
    put("partial_rotary_factor", [1.0, 0.25], 0.97)
    put("original_max_position_embeddings", [16, 32], 0.94)
    head_dim = config.get("head_dim") or 16
    place = rng.random()
    if place < 0.6: config[rng.choice(["rope_scaling", "rope_parameters"])] = rope(rng, head_dim)
    elif place < 0.7: config.update(rope_scaling=rope(rng, head_dim), rope_parameters=rope(rng, head_dim))
    elif place < 0.8: config.update(rope_scaling=rng.choice([None, {}]), rope_parameters=rng.choice([None, {}, rope(rng, head_dim)]))
    put("pad_token_id", [0, 95, -1, 95, 96], 0.7, 0.2)
    put("bos_token_id", [1], 0.5, 0.2)
    put("eos_token_id", [2, [1, 2]], 0.5, 0.2)
    put("dtype", ["float32", "bfloat16"] * 4 + ["float8_e4m3fn"], 0.8, 0.1)
    put("torch_dtype", ["float32", "float16", "half", "float"], 0.6, 0.1)
    put("attention_dropout", [0, 0.0, 0.1], 0.5)
    put("initializer_range", [0.02], 0.4)
    put("use_cache", [True, False] * 20 + ["yes"], 0.4)
    put("pretraining_tp", [1], 0.6)
    put("is_causal", [True, False], 0.97)
    return config


class Failed(Exception):
    """transformers does not run the model."""


def theirs(config, family):
    """What transformers makes of a config: (attributes, model); raises Failed."""
    config_class, model_class = FAMILIES[family]
    try:
        parsed = config_class.from_dict(json.loads(json.dumps(config)))
        make = lambda: model_class._from_config(parsed, attn_implementation="eager", dtype=torch.float32)
        with torch.device("meta"):
            model = make()
        real = sum(p.numel() for p in model.parameters()) < SMALL
        if real: model = make()
        model.eval()
        seen = {}
        for i, layer in enumerate(model.model.layers):
            layer.register_forward_pre_hook(
                lambda module, args, kwargs, i=i: seen.__setitem__(i, kwargs["attention_mask"]), with_kwargs=True)
        if real:
            with torch.no_grad():
                model(torch.arange(LENGTH)[None] % model.config.vocab_size, use_cache=False)
    except Exception as error:  # whatever goes wrong there, the model does not run
        raise Failed(f"{type(error).__name__}: {error}".split("\n")[0])
    attention, mlp, rotary = model.model.layers[0].self_attn, model.model.layers[0].mlp, model.model.rotary_emb
    found = {
        "family": family, "hidden": parsed.hidden_size, "intermediate": mlp.gate_proj.out_features,
        "layers": len(model.model.layers), "heads": attention.q_proj.out_features // attention.head_dim,
        "kv_heads": attention.k_proj.out_features // attention.head_dim, "head_dim": attention.head_dim,
        "vocab": model.lm_head.out_features, "max_positions": parsed.max_position_embeddings,
        "norm_eps": model.model.norm.variance_epsilon, "qkv_bias": attention.q_proj.bias is not None,
        "output_bias": attention.o_proj.bias is not None, "mlp_bias": mlp.down_proj.bias is not None,
        "qk_norm": hasattr(attention, "q_norm"), "tied": bool(parsed.tie_word_embeddings),
        "attention_scaling": float(rotary.attention_scaling),
    }
    if real:
        found["inv_freq"] = rotary.inv_freq.tolist()
        # Keys that the last token sees, by the mask that its layer really got; without one it looks ahead, too.
        found["seen"] = [-1 if seen[i] is None else int((seen[i][0, 0, -1] == 0).sum()) for i in range(len(seen))]
    return found, model if real else None


def differences(found, ours):
    ours = dict(ours)
    ours["seen"] = [min(w or LENGTH, LENGTH) for w in ours["windows"]]
    for name, value in found.items():
        if name == "inv_freq":
            close = len(value) == len(ours[name]) and all(math.isclose(a, b, rel_tol=2e-5) for a, b in zip(value, ours[name]))
            if not close: yield f"inv_freq {value[:4]} … and ours {ours[name][:4]} …"
        elif isinstance(value, float):
            if not math.isclose(value, ours[name], rel_tol=1e-6): yield f"{name} {value} and ours {ours[name]}"
        elif value != ours[name]:
            yield f"{name} {value} and ours {ours[name]}"


def logits_agree(config, model, rng):
    """The whole model on one window, with weights of a size at which attention is uneven."""
    torch.manual_seed(rng.randrange(1 << 30))
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, 1.0 if parameter.dim() == 1 else 0.0, 0.1 if parameter.dim() == 1 else 0.3)
    ids = [rng.randrange(model.config.vocab_size) for _ in range(LENGTH)]
    with torch.no_grad():
        expected = model(torch.tensor([ids]), use_cache=False).logits[0]
    state = {name: value.contiguous().clone() for name, value in model.state_dict().items()}
    if model.config.tie_word_embeddings: del state["lm_head.weight"]
    with tempfile.TemporaryDirectory() as folder:
        save_file(state, os.path.join(folder, "model.safetensors"))
        with open(os.path.join(folder, "config.json"), "w") as file: json.dump(config, file)
        done = subprocess.run([dump, "logits", folder], input=json.dumps(ids), capture_output=True, text=True)
    if done.returncode != 0: return done.stdout
    found = torch.tensor(json.loads(done.stdout)).view_as(expected)
    worst = ((found - expected).abs().max() / expected.abs().max()).item()
    return None if worst < 1e-4 else f"logits differ by {worst:.1e}"


def check(family):
    rng = random.Random("config " + family)
    configs = [make_config(rng, family) for _ in range(count)]
    text = "\n".join(json.dumps(config) for config in configs) + "\n"
    read = subprocess.run([dump], input=text, capture_output=True, text=True, check=True).stdout.splitlines()
    assert len(read) == len(configs), "one answer for each config"
    tally, unsupported, faults, compared = collections.Counter(), collections.Counter(), [], 0
    for config, line in zip(configs, read):
        ours = json.loads(line)
        try:
            found, model = theirs(config, family)
        except Failed as failed:
            tally["both refuse" if "reason" in ours else "FAULT"] += 1
            if "reason" not in ours: faults.append((f"transformers fails ({failed}), we do not", config))
            continue
        if "reason" in ours:
            if model is None:  # it was not run, which might fail, too
                tally["not run"] += 1
                continue
            known = ours["reason"] == "CONFIG_UNSUPPORTED"
            tally["unsupported" if known else "FAULT"] += 1
            if known: unsupported[ours["field"]] += 1
            else: faults.append((f"transformers computes, we refuse: {ours['message']}", config))
            continue
        differ = list(differences(found, ours))
        if not differ and model is not None and tally["agree"] % 6 == 0:
            compared += 1
            if problem := logits_agree(config, model, rng): differ.append(problem)
        tally["FAULT" if differ else "agree"] += 1
        if differ: faults.append(("; ".join(differ), config))
    for what, config in faults[:8]: print(f"FAULT {family}: {what}\n  {json.dumps(config)}")
    taken = tally["agree"] + tally["unsupported"]
    share = tally["unsupported"] / max(taken, 1)
    print(f"{family:8} of {count}: {dict(tally)}, logits compared for {compared}; "
          f"unsupported ({100 * share:.1f} %): {dict(unsupported.most_common())}", flush=True)
    return not faults and share <= MOST_UNSUPPORTED and tally["agree"] >= count / 4 and compared >= count / 30


# The other families: the logits of whole models, with keys of their own present, absent and null. All heads are of 16, so
# that every kind of rope fits.
SIZES = {"vocab_size": [96], "hidden_size": [64], "num_hidden_layers": [2, 3], "num_attention_heads": [4],
         "max_position_embeddings": [64, 128], "tie_word_embeddings": [True, False, ABSENT], "pad_token_id": [0, None],
         "bos_token_id": [1], "eos_token_id": [2]}
LLAMA = {"intermediate_size": [96], "num_key_value_heads": [1, 2, 4], "rms_norm_eps": [1e-5, 1e-3, ABSENT],
         "hidden_act": ["silu", "gelu", "gelu_new", "relu", ABSENT], "attention_bias": [True, False, ABSENT],
         "rope_theta": [1e4, 5e5, ABSENT]}
LAYERS = [None, ABSENT, "random"]
GEMMA = {**LLAMA, "head_dim": [16, 32], "hidden_act": ["gelu", "gelu_pytorch_tanh", ABSENT],
         "use_bidirectional_attention": [None, False, ABSENT]}
GEMMA2 = {**{k: v for k, v in GEMMA.items() if k != "hidden_act"}, "hidden_activation": ["gelu_pytorch_tanh", "silu", ABSENT],
          "query_pre_attn_scalar": [16, 24, 7], "sliding_window": [4, 9, 100], "layer_types": LAYERS,
          "final_logit_softcapping": [5.0, None, ABSENT], "attn_logit_softcapping": [2.0, None, ABSENT]}
EXPERTS = {**{k: v for k, v in LLAMA.items() if k != "attention_bias"}, "num_experts_per_tok": [1, 2, 3]}
QWEN_EXPERTS = {**EXPERTS, "moe_intermediate_size": [32], "norm_topk_prob": [True, False, ABSENT], "decoder_sparse_step": [1, 2, ABSENT],
                "mlp_only_layers": [[], [0], None, ABSENT], "use_sliding_window": [True, False, ABSENT], "sliding_window": [5, 100]}
LONG = {"type": "longrope", "short_factor": [1.0 + i / 8 for i in range(8)], "long_factor": [2.0 + i for i in range(8)]}
OTHERS = {
    "gemma": (transformers.GemmaForCausalLM, GEMMA),
    "gemma2": (transformers.Gemma2ForCausalLM, GEMMA2),
    "gemma3_text": (transformers.Gemma3ForCausalLM,
                    {**GEMMA2, "rope_local_base_freq": [1e4, 1e3, ABSENT], "sliding_window_pattern": [2, 3, ABSENT],
                     "rope_scaling": [{"rope_type": "linear", "factor": 4.0}, None, ABSENT]}),
    "phi3": (transformers.Phi3ForCausalLM,
             {**{k: v for k, v in LLAMA.items() if k != "attention_bias"}, "sliding_window": [None, 7, ABSENT],
              "original_max_position_embeddings": [16, 64], "rope_scaling": [LONG, None, ABSENT]}),
    "granite": (transformers.GraniteForCausalLM,
                {**LLAMA, "mlp_bias": [True, False, ABSENT], "embedding_multiplier": [6.0, 1, ABSENT],
                 "logits_scaling": [0.5, 8, ABSENT], "residual_multiplier": [0.3, ABSENT], "attention_multiplier": [0.1, 1.0, ABSENT]}),
    "olmo2": (transformers.Olmo2ForCausalLM, LLAMA),
    "stablelm": (transformers.StableLmForCausalLM,
                 {**{k: v for k, v in LLAMA.items() if k not in ("attention_bias", "rms_norm_eps")}, "layer_norm_eps": [1e-5, 1e-2, ABSENT],
                  "use_qkv_bias": [True, False, ABSENT], "use_parallel_residual": [True, False, ABSENT],
                  "partial_rotary_factor": [0.25, 0.5, 1.0, ABSENT], "qk_layernorm": [False, False, False, True, ABSENT]}),
    "gpt2": (transformers.GPT2LMHeadModel,
             {"n_embd": [64], "n_layer": [2], "n_head": [4], "n_positions": [64], "n_inner": [None, 96, ABSENT],
              "activation_function": ["gelu_new", "gelu", "relu", ABSENT], "layer_norm_epsilon": [1e-5, 1e-2, ABSENT],
              "scale_attn_weights": [True, False, ABSENT], "scale_attn_by_inverse_layer_idx": [True, False, ABSENT]}),
    "opt": (transformers.OPTForCausalLM,
            {"ffn_dim": [96], "do_layer_norm_before": [True, False, ABSENT], "_remove_final_layer_norm": [True, False, ABSENT],
             "enable_bias": [True, False, ABSENT], "activation_function": ["relu", "gelu", ABSENT],
             "word_embed_proj_dim": [64, None, 32, ABSENT]}),
    "gpt_neox": (transformers.GPTNeoXForCausalLM,
                 {"intermediate_size": [96], "hidden_act": ["gelu", "gelu_new", ABSENT], "layer_norm_eps": [1e-5, 1e-2, ABSENT],
                  "use_parallel_residual": [True, False, ABSENT], "attention_bias": [True, False, ABSENT],
                  "rotary_pct": [0.25, 1.0, 0.5, ABSENT], "rotary_emb_base": [10000, 1000, ABSENT]}),
    "mixtral": (transformers.MixtralForCausalLM, {**EXPERTS, "num_local_experts": [4], "sliding_window": [None, 6, ABSENT]}),
    "qwen2_moe": (transformers.Qwen2MoeForCausalLM,
                  {**QWEN_EXPERTS, "num_experts": [5], "shared_expert_intermediate_size": [40], "qkv_bias": [True, False, ABSENT],
                   "max_window_layers": [0, 2, ABSENT], "layer_types": LAYERS}),
    "qwen3_moe": (transformers.Qwen3MoeForCausalLM,
                  {**QWEN_EXPERTS, "num_experts": [5], "attention_bias": [True, False, ABSENT], "head_dim": [16]}),
}


def run_there(config, model_class, ids, folder):
    """Writes a random model of the config into the folder; its logits. Raises Failed."""
    try:
        parsed = model_class.config_class.from_dict(json.loads(json.dumps(config)))
        model = model_class._from_config(parsed, attn_implementation="eager", dtype=torch.float32).eval()
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, 1.0 if parameter.dim() == 1 else 0.0, 0.2)
        with torch.no_grad(): expected = model(torch.tensor([ids]), use_cache=False).logits[0]
        model.save_pretrained(folder)
    except Exception as error:  # whatever goes wrong there, the model does not run
        raise Failed(f"{type(error).__name__}: {error}".split("\n")[0])
    with open(os.path.join(folder, "config.json"), "w") as file: json.dump(config, file)
    return expected


def check_other(family):
    model_class, keys = OTHERS[family]
    rng = random.Random("config " + family)
    tally, faults = collections.Counter(), []
    for number in range(max(count // 12, 1)):
        torch.manual_seed(number)
        config = {"model_type": family, "architectures": [model_class.__name__]}
        for key, values in {**SIZES, **keys}.items():
            value = rng.choice(values)
            if value == "random": value = [rng.choice(["full_attention", "sliding_attention"]) for _ in range(config["num_hidden_layers"])]
            if value is not ABSENT: config[key] = value
        if family == "gpt2":
            for key in ("hidden_size", "num_hidden_layers", "num_attention_heads", "max_position_embeddings"): del config[key]
        ids = [rng.randrange(96) for _ in range(LENGTH)]
        with tempfile.TemporaryDirectory() as folder:
            try: expected = run_there(config, model_class, ids, folder)
            except Failed as failed: expected = failed
            if isinstance(expected, Failed):
                line = subprocess.run([dump], input=json.dumps(config) + "\n", capture_output=True, text=True, check=True).stdout
                tally["both refuse" if "reason" in json.loads(line) else "FAULT"] += 1
                if "reason" not in json.loads(line): faults.append((f"transformers fails ({expected}), we do not", config))
                continue
            done = subprocess.run([dump, "logits", folder], input=json.dumps(ids), capture_output=True, text=True)
        if done.returncode != 0:
            known = json.loads(done.stdout)["reason"] == "CONFIG_UNSUPPORTED"
            tally["unsupported" if known else "FAULT"] += 1
            if not known: faults.append((done.stdout.strip(), config))
            continue
        found = torch.tensor(json.loads(done.stdout)).view_as(expected)
        worst = ((found - expected).abs().max() / expected.abs().max()).item()
        tally["agree" if worst < 2e-4 else "FAULT"] += 1
        if worst >= 2e-4: faults.append((f"logits differ by {worst:.1e}", config))
    for what, config in faults[:4]: print(f"FAULT {family}: {what}\n  {json.dumps(config)}")
    print(f"{family:11} {dict(tally)}", flush=True)
    return not faults and tally["agree"] * 2 >= sum(tally.values())


sys.exit(0 if all([check(family) for family in FAMILIES] + [check_other(family) for family in OTHERS]) else 1)
