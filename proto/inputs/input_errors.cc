#include "proto/inputs/input_errors.h"

#include <map>
#include <string>

#include "absl/strings/str_replace.h"
#include "proto/base/errors.h"

namespace bitwright {
namespace {

std::string Show(std::string_view text) { return "'" + std::string(text.substr(0, 200)) + "'"; }

absl::Status Refuse(std::string_view reason, const std::string& message, std::map<std::string, std::string> facts) {
  return MakeError(absl::StatusCode::kInvalidArgument, reason, message, std::move(facts));
}

}  // namespace

absl::Status ConfigMissingError() {
  return Refuse("MODEL_FILE_MISSING",
                "the model has no file 'config.json'; give the folder that save_pretrained or `hf download` wrote",
                {{"file", "config.json"}});
}

absl::Status WeightsMissingError(bool several) {
  return Refuse("MODEL_FILE_MISSING",
                several ? "several *.safetensors files need a 'model.safetensors.index.json', which the model lacks; "
                          "download that file too"
                        : "the model has no file 'model.safetensors'; download the weights too",
                {{"file", several ? "model.safetensors.index.json" : "model.safetensors"}});
}

absl::Status ShardMissingError(std::string_view shard, std::string_view index) {
  return Refuse("MODEL_FILE_MISSING",
                "the model has no file " + Show(shard) + ", which " + Show(index) +
                    " names as a shard of the weights; download that file too",
                {{"file", std::string(shard.substr(0, 200))}});
}

absl::Status GgufAmbiguousError(std::string_view files) {
  return ModelRefusedError("GGUF_AMBIGUOUS", kGgufAmbiguous, files, "");
}

absl::Status ModelRefusedError(std::string_view reason, std::string_view sentence, std::string_view found,
                               std::string_view supported) {
  const std::string shown(found.substr(0, 300));
  return Refuse(reason,
                absl::StrReplaceAll(std::string(sentence), {{"{}", shown}, {"{supported}", std::string(supported)}}),
                {{"found", shown}});
}

absl::Status IndexInvalidError(std::string_view file, std::string_view why) {
  return Refuse("CHECKPOINT_INDEX_INVALID", "file " + Show(file) + " " + std::string(why) + "; download it again",
                {{"file", std::string(file)}});
}

absl::Status DataNotTextError(std::string_view name, std::string_view what, std::string_view remedy) {
  return Refuse("DATA_NOT_TEXT",
                "file " + Show(name) + " is " + std::string(what) + ", not text; " + std::string(remedy),
                {{"file", std::string(name.substr(0, 200))}});
}

absl::Status DataIsTableError(std::string_view name, std::string_view what) {
  return Refuse("DATA_IS_TABLE",
                "file " + Show(name) + " looks like " + std::string(what) +
                    "; write its text column to JSON lines with a field 'text', or state --data-kind text to take "
                    "the file as it is",
                {{"file", std::string(name.substr(0, 200))}});
}

absl::Status DataIsJsonError(std::string_view name, std::string_view what) {
  return Refuse("DATA_IS_JSON",
                "file " + Show(name) + " " + std::string(what) +
                    "; give JSON lines with 'text', 'content', 'messages' or 'prompt' and 'completion', or state "
                    "--data-kind text to take the file as it is",
                {{"file", std::string(name.substr(0, 200))}});
}

absl::Status DataNotUtf8Error(std::string_view name, int64_t at) {
  return Refuse("DATA_NOT_UTF8",
                "file " + Show(name) + " is not UTF-8 at byte " + std::to_string(at) +
                    "; convert it, for example with `iconv -t UTF-8`",
                {{"file", std::string(name.substr(0, 200))}, {"offset", std::to_string(at)}});
}

absl::Status BudgetInvalidError(std::string_view text, std::string_view what) {
  return Refuse("BUDGET_INVALID",
                "budget '" + std::string(text) + "' " + std::string(what) +
                    "; write average bits per weight as 4.25bpw, the artifact's size as 12MB (10^6 bytes), 12MiB "
                    "(2^20), 1.5GB or 12000000B, or what may be lost as kld=0.05 (nats per token) or ppl=1%",
                {{"budget", std::string(text)}});
}

}  // namespace bitwright
