#include "proto/inputs/model_refusals.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "proto/contract/architectures.h"
#include "proto/inputs/folder_json.h"
#include "proto/inputs/ignored_files.h"
#include "proto/inputs/import_form.h"
#include "proto/inputs/input_errors.h"

namespace bitwright {
namespace {

using nlohmann::json;
using Found = std::optional<std::string>;

constexpr char kConfig[] = "config.json";
constexpr std::string_view kPointer = "version https://git-lfs.github.com/spec/";
constexpr int64_t kMostConfigBytes = 16 << 20;

// What patterns look at. Names and config are those of the folder; tensors are there at the inspection only.
struct Facts {
  ModelFolder folder;
  json config = json::object();
  std::vector<std::string> tensors;

  bool Any(bool (*fits)(const std::string& path)) const {
    return std::any_of(folder.paths.begin(), folder.paths.end(), fits);
  }
  std::string First(bool (*fits)(const std::string& path)) const {
    const auto found = std::find_if(folder.paths.begin(), folder.paths.end(), fits);
    return found == folder.paths.end() ? std::string() : *found;
  }
  // The first of config.architectures, else empty.
  std::string Architecture() const {
    const auto list = config.find("architectures");
    return list != config.end() && list->is_array() && !list->empty() && list->front().is_string()
               ? list->front().get<std::string>()
               : std::string();
  }
  bool IsSupported() const { return FindArchitecture(Architecture()) != nullptr; }
  // What to call the model: its architecture, else its model_type.
  std::string Kind() const {
    const std::string architecture = Architecture();
    return architecture.empty() ? StringField(config, "model_type") : architecture;
  }
};

bool AtTop(const std::string& path) { return path.find('/') == std::string::npos; }
bool IsAdapterWeights(const std::string& path) { return path.starts_with("adapter_model."); }
bool IsOriginalWeights(const std::string& path) { return path.starts_with("consolidated."); }
// Weights in the form and place in which we read them.
bool IsOurWeights(const std::string& path) {
  const bool other = IsAdapterWeights(path) || IsOriginalWeights(path);
  return AtTop(path) && !other && (path.ends_with(".safetensors") || path == "model.safetensors.index.json");
}
bool IsOtherWeights(const std::string& path) {
  return AtTop(path) && IsWeightsName(path) && !IsOurWeights(path) && !path.ends_with(".gguf");
}
bool IsOriginal(const std::string& path) { return IsOriginalWeights(path) || path == "params.json"; }
bool IsPipelinePart(const std::string& path) {
  return path == "model_index.json" || path.starts_with("unet/") || path.starts_with("vae/");
}

bool IsPointer(const ModelFolder& folder, const std::string& path) {
  const auto head = folder.read(path, static_cast<int64_t>(kPointer.size()));
  return head.ok() && head->starts_with(kPointer);
}

// Among the files that the model consists of; where they cannot be sorted out, among those that could be its.
Found LfsPointer(const Facts& facts) {
  std::vector<std::string> files;
  if (const auto sorted = SortModelFiles(facts.folder); sorted.ok()) {
    for (const SortedFile& file : *sorted) {
      if (file.part != FilePart::kIgnored) files.push_back(file.path);
    }
  } else {
    for (const std::string& path : facts.folder.paths) {
      if (path == kConfig || IsOurWeights(path) || IsCarriedFile(path)) files.push_back(path);
    }
  }
  std::erase_if(files, [&](const std::string& path) { return !IsPointer(facts.folder, path); });
  if (files.empty()) return std::nullopt;
  if (files.size() == 1) return "'" + files.front() + "'";
  return "'" + files.front() + "' (and " + std::to_string(files.size() - 1) + " more)";
}

Found Ggufs(const Facts& facts) { return SeveralGgufs(facts.folder); }

Found AdapterAlone(const Facts& facts) {
  const bool adapter = facts.folder.Has("adapter_config.json") || facts.Any(IsAdapterWeights);
  if (!adapter || (facts.folder.Has(kConfig) && facts.Any(IsOurWeights))) return std::nullopt;
  const json config = FolderJson(facts.folder, "adapter_config.json", kMostConfigBytes);
  const std::string type = StringField(config, "peft_type");
  const std::string base = StringField(config, "base_model_name_or_path");
  return (type.empty() ? "" : type + " ") + "adapter" + (base.empty() ? "" : " of '" + base + "'");
}

Found Diffusion(const Facts& facts) {
  if (!facts.Any(IsPipelinePart) || (facts.folder.Has(kConfig) && facts.Any(IsOurWeights))) return std::nullopt;
  const std::string name = StringField(FolderJson(facts.folder, "model_index.json", kMostConfigBytes), "_class_name");
  return name.empty() ? facts.First(IsPipelinePart) : name;
}

Found MakersForm(const Facts& facts) {
  const bool config = facts.folder.Has(kConfig);
  const bool fits = facts.Any(IsOriginalWeights) || (facts.folder.Has("params.json") && !config);
  if (!fits || (config && facts.Any(IsOurWeights))) return std::nullopt;
  return "'" + facts.First(IsOriginal) + "'";
}

Found NotJson(const Facts& facts) {
  if (!facts.folder.Has(kConfig)) return std::nullopt;
  const auto text = facts.folder.read(kConfig, kMostConfigBytes);
  if (!text.ok()) return std::nullopt;
  const json value = json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded()) return "JSON";
  return value.is_object() ? std::nullopt : Found("a JSON object");
}

Found Quantized(const Facts& facts) {
  if (ImportFormOf(facts.folder)) return std::nullopt;
  for (const char* field : {"quantization_config", "compression_config"}) {
    const auto found = facts.config.find(field);
    if (found == facts.config.end() || found->is_null()) continue;
    std::string method = found->is_object() ? StringField(*found, "quant_method") : std::string();
    if (method.empty()) method = field;
    for (const char* bits : {"bits", "w_bit"}) {
      if (found->is_object() && found->contains(bits) && (*found)[bits].is_number_integer()) {
        method += ", " + std::to_string((*found)[bits].get<int64_t>()) + " bits";
      }
    }
    return method;
  }
  for (const char* file : {"quantize_config.json", "quant_config.json", "hf_quant_config.json"}) {
    if (facts.folder.Has(file)) return "by '" + std::string(file) + "'";
  }
  return std::nullopt;
}

Found EncoderDecoder(const Facts& facts) {
  static constexpr std::string_view kTypes[] = {"bart",       "blenderbot", "fsmt",    "led",  "longt5", "m2m_100",
                                                "marian",     "mbart",      "mt5",     "nllb", "opus",   "pegasus",
                                                "prophetnet", "t5",         "t5gemma", "udop", "umt5",   "whisper"};
  const auto flag = facts.config.find("is_encoder_decoder");
  const bool flagged = flag != facts.config.end() && flag->is_boolean() && flag->get<bool>();
  const std::string type = StringField(facts.config, "model_type");
  if (!flagged && std::find(std::begin(kTypes), std::end(kTypes), type) == std::end(kTypes)) return std::nullopt;
  return facts.Kind();
}

Found Multimodal(const Facts& facts) {
  if (facts.IsSupported()) return std::nullopt;
  for (const char* part : {"vision_config", "audio_config", "text_config", "thinker_config"}) {
    const auto found = facts.config.find(part);
    if (found != facts.config.end() && found->is_object()) return facts.Kind();
  }
  return std::nullopt;
}

Found Encoder(const Facts& facts) {
  static constexpr std::string_view kTypes[] = {
      "albert",        "bert",        "big_bird",       "camembert",  "clip",     "convbert",
      "data2vec-text", "deberta",     "deberta-v2",     "distilbert", "electra",  "ernie",
      "esm",           "eurobert",    "flaubert",       "funnel",     "layoutlm", "longformer",
      "modernbert",    "mpnet",       "nomic_bert",     "roberta",    "siglip",   "squeezebert",
      "vit",           "xlm-roberta", "xlm-roberta-xl", "xlnet"};
  if (facts.IsSupported()) return std::nullopt;  // embeddings are also made of decoders
  if (facts.folder.Has("config_sentence_transformers.json")) {
    return facts.Kind().empty() ? "sentence-transformers" : facts.Kind() + ", sentence-transformers";
  }
  const std::string type = StringField(facts.config, "model_type");
  const bool known = std::find(std::begin(kTypes), std::end(kTypes), type) != std::end(kTypes);
  if (!known && !facts.Architecture().ends_with("ForMaskedLM")) return std::nullopt;
  return facts.Kind();
}

Found UnknownArchitecture(const Facts& facts) {
  const std::string architecture = facts.Architecture();
  if (!architecture.empty()) {
    return FindArchitecture(architecture) == nullptr ? Found("'" + architecture + "'") : std::nullopt;
  }
  const std::string type = StringField(facts.config, "model_type");
  if (type.empty() || FindFamily(type) != nullptr) return std::nullopt;
  return "of model_type '" + type + "'";
}

Found OtherWeights(const Facts& facts) {
  if (facts.Any(IsOurWeights) || !facts.Any(IsOtherWeights)) return std::nullopt;
  return "'" + facts.First(IsOtherWeights) + "'";
}

bool IsPrefix(std::string_view prefix) {
  return std::any_of(kArchitectures.begin(), kArchitectures.end(),
                     [&](const SupportedArchitecture& one) { return one.prefix == prefix; });
}

// What the names of `facts` have before `known`, where no family has it there.
Found PrefixBefore(std::string_view known, const Facts& facts) {
  Found prefix;
  for (const std::string& name : facts.tensors) {
    if (!name.ends_with(known)) continue;
    const std::string before = name.substr(0, name.size() - known.size());
    if (IsPrefix(before)) return std::nullopt;
    if (before.empty() || before.ends_with('.')) prefix = before.empty() ? "no prefix" : "'" + before + "'";
  }
  return prefix;
}

Found Prefixed(const Facts& facts) {
  for (const SupportedArchitecture& one : kArchitectures) {
    if (const Found prefix = PrefixBefore(one.embedding, facts)) return prefix;
  }
  return PrefixBefore("layers.0.self_attn.q_proj.weight", facts);
}

struct Row {
  std::string_view reason;
  Found (*pattern)(const Facts& facts);  // what was found, when the row fits
  std::string_view sentence;             // {}: what was found; {supported}: the list of architectures
};

// In this order: the first that fits names the folder.
constexpr Row kRows[] = {
    {"FILE_IS_LFS_POINTER", LfsPointer,
     "file {} is a git-lfs pointer, not the file that it stands for; run `git lfs pull` in the folder or download the "
     "model with `hf download`"},
    {"GGUF_AMBIGUOUS", Ggufs, kGgufAmbiguous},
    {"MODEL_IS_ADAPTER", AdapterAlone,
     "the folder holds an adapter without its base model ({}); merge it into the base (peft: merge_and_unload, then "
     "save_pretrained) and give the merged folder"},
    {"MODEL_IS_DIFFUSION", Diffusion,
     "the folder is a diffusion pipeline ({}); what is quantized here are text decoders: {supported}"},
    {"WEIGHTS_IN_MAKERS_FORM", MakersForm,
     "the folder holds the model in the form of its makers ({}) and not in that of transformers, with config.json and "
     "model.safetensors; download that form, or convert it with the script that transformers has for the family"},
    {"JSON_INVALID", NotJson, "file 'config.json' is not {}; download it again"},
    {"MODEL_ALREADY_QUANTIZED", Quantized,
     "the checkpoint is quantized already ({}); give the unquantized model that it was made from, in F32, F16 or "
     "BF16, or an FP8 one of it (quant_method 'fp8', or compressed-tensors 'float-quantized')"},
    {"MODEL_IS_ENCODER_DECODER", EncoderDecoder,
     "the model is an encoder with a decoder ({}); what is quantized here are decoders alone: {supported}"},
    {"MODEL_IS_MULTIMODAL", Multimodal,
     "the model reads more than text ({}); save its language model alone with save_pretrained, if that is one of "
     "{supported}"},
    {"MODEL_IS_ENCODER", Encoder,
     "the model is an encoder ({}), which predicts no next token; what is quantized here are decoders: {supported}"},
    {"ARCHITECTURE_UNSUPPORTED", UnknownArchitecture, "architecture {} is not supported; supported are {supported}"},
    {"WEIGHTS_NOT_SAFETENSORS", OtherWeights,
     "the weights are in {}, which is not safetensors; load the model with transformers and write it with "
     "save_pretrained, which makes safetensors"},
    {"WEIGHTS_PREFIXED", Prefixed,
     "the tensors are named under {} instead of the family's own prefix ('model.' of most), as a wrapper leaves them "
     "(LoRA, a vision-language model, "
     "torch.compile); unwrap the model (merge_and_unload, or its language model alone) and write it with "
     "save_pretrained"},
};

absl::Status CheckTable(const Facts& facts) {
  for (const Row& row : kRows) {
    if (const Found found = row.pattern(facts)) {
      return ModelRefusedError(row.reason, row.sentence, *found, ArchitectureList());
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckModelFolder(const ModelFolder& folder) {
  Facts facts;
  facts.folder = folder;
  if (IsGgufFolder(folder)) {
    facts.folder.paths = GgufFiles(folder);
    if (absl::Status status = CheckTable(facts); !status.ok()) return status;
    return GgufParts(folder).status();
  }
  std::sort(facts.folder.paths.begin(), facts.folder.paths.end());
  facts.config = FolderJson(folder, kConfig, kMostConfigBytes);
  if (absl::Status status = CheckTable(facts); !status.ok()) return status;
  return folder.Has(kConfig) ? absl::OkStatus() : ConfigMissingError();
}

absl::Status CheckTensorNames(const std::vector<std::string>& names) {
  Facts facts;
  facts.tensors = names;
  return CheckTable(facts);
}

std::vector<std::string_view> RefusalReasons() {
  std::vector<std::string_view> reasons;
  for (const Row& row : kRows) reasons.push_back(row.reason);
  return reasons;
}

}  // namespace bitwright
