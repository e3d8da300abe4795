#include "tests/unit/server/jobs/sample_jobs.h"

#include "proto/base/log.h"
#include "proto/contract/digest.h"
#include "server/jobs/resolve.h"

namespace bitwright::server {
namespace {

void AddUnit(v1::ModelInfo& info, int block, const std::string& name,
             const std::vector<std::pair<std::string, std::pair<int64_t, int64_t>>>& linears) {
  auto* unit = info.add_units();
  const std::string prefix = "model.layers." + std::to_string(block) + ".";
  unit->set_name(prefix + name);
  unit->set_block(block);
  int64_t rows = 0;
  const int64_t in = linears[0].second.second;
  for (const auto& [linear, shape] : linears) {
    auto* added = unit->add_linears();
    added->set_name(prefix + linear);
    added->set_out_features(shape.first);
    added->set_in_features(shape.second);
    rows += shape.first;
  }
  unit->set_weights(rows * in);
  auto& target = *info.mutable_targets(0);
  auto& options = *target.add_units()->mutable_options();
  for (int bits = 2; bits <= 8; ++bits) {
    for (const int group : {32, 64, 128, 0}) {
      if (group != 0 && in % group != 0) continue;
      v1::FormatOption& option = *options.Add();
      option.mutable_format()->mutable_integer()->set_bits(bits);
      option.mutable_format()->mutable_integer()->set_group_size(group);
      option.set_bits(bits);
      option.set_group_size(group);
      option.set_name("int" + std::to_string(bits) + (group == 0 ? "-channel" : "-g" + std::to_string(group)));
      const int64_t scales = group == 0 ? 1 : in / group;
      option.set_bytes(rows * ((in * bits + 31) / 32 * 4 + 2 * scales) + 16 * static_cast<int64_t>(linears.size()));
    }
  }
  target.set_quantized_weights(target.quantized_weights() + unit->weights());
}

// Of two weight files: the embedding, the blocks and the head, 16 pages each.
void AddPieces(v1::ModelInfo& info) {
  int64_t offset = 0;
  const auto add = [&](int file, v1::ModelPiece::Part part, int block) {
    v1::ModelPiece& piece = *info.add_pieces();
    piece.set_file(file);
    piece.mutable_piece()->set_offset(offset);
    *piece.mutable_piece()->mutable_digest() = FakeDigest("piece " + std::to_string(info.pieces_size()), 65536);
    piece.set_part(part);
    piece.set_block(block);
    offset += 65536;
  };
  add(1, v1::ModelPiece::COMMON, 0);
  offset = 0;  // in the page in which the header ends
  add(1, v1::ModelPiece::EMBEDDING, 0);
  offset = 0;
  add(2, v1::ModelPiece::COMMON, 0);
  for (int b = 0; b < info.blocks(); ++b) {
    add(2, v1::ModelPiece::UNITS, b);
    add(2, v1::ModelPiece::KEPT, b);
  }
  add(2, v1::ModelPiece::HEAD, 0);
}

int64_t Packed(int64_t n) { return n * (n + 1) / 2 * 4; }

}  // namespace

v1::ModelInfo Info(const Shape& s) {
  v1::ModelInfo info;
  info.set_family("llama");
  info.set_architecture("LlamaForCausalLM");
  v1::TargetInfo& target = *info.add_targets();
  target.set_target("compressed-tensors");
  v1::ConsumerInfo& consumer = *target.add_consumers();
  consumer.set_name("transformers");
  consumer.set_program("transformers with compressed-tensors");
  target.set_rounding_passes(1);
  target.set_pricing_passes(1);
  for (int b = 0; b < s.blocks; ++b) {
    AddUnit(info, b, "self_attn.qkv_proj",
            {{"self_attn.q_proj", {s.hidden, s.hidden}},
             {"self_attn.k_proj", {s.key_value, s.hidden}},
             {"self_attn.v_proj", {s.key_value, s.hidden}}});
    AddUnit(info, b, "self_attn.o_proj", {{"self_attn.o_proj", {s.hidden, s.hidden}}});
    AddUnit(info, b, "mlp.gate_up_proj",
            {{"mlp.gate_proj", {s.intermediate, s.hidden}}, {"mlp.up_proj", {s.intermediate, s.hidden}}});
    AddUnit(info, b, "mlp.down_proj", {{"mlp.down_proj", {s.hidden, s.intermediate}}});
  }
  const int64_t block = s.hidden * (2 * s.hidden + 2 * s.key_value + 3 * s.intermediate) + 2 * s.hidden;
  const int64_t head = s.vocabulary * s.hidden;
  info.set_parameters(s.blocks * block + 2 * head + s.hidden);
  info.set_tensor_bytes(2 * info.parameters());
  info.set_model_bytes(info.tensor_bytes() + 100'000);
  info.set_blocks(s.blocks);
  info.set_hidden_size(s.hidden);
  info.set_intermediate_size(s.intermediate);
  info.set_vocab_size(s.vocabulary);
  info.set_max_positions(s.max_positions);
  info.set_dtype("BF16");
  info.set_largest_block_bytes(2 * block);
  info.set_block_parameters(block);
  info.set_statistics_bytes(s.blocks * (3 * Packed(s.hidden) + Packed(s.intermediate)));
  info.set_head_parameters(head);
  v1::LiveSizes& live = *info.mutable_live();
  live.set_block(4 * block);
  live.set_narrow_block(2 * block);
  live.set_narrow_block_load(2 * block + 8 * s.hidden * s.intermediate);
  live.set_tensor(2 * s.hidden * s.intermediate);
  live.set_forward_row(4 * (s.hidden + 3 * s.intermediate));
  live.set_backward_row(8 * (6 * s.hidden + 2 * s.key_value + 3 * s.intermediate));
  live.set_narrow_row(2 * s.intermediate);
  live.set_moments(4 * (3 * s.hidden * s.hidden + s.intermediate * s.intermediate));
  target.set_kept_bytes(info.tensor_bytes() - 2 * target.quantized_weights());
  target.set_overhead_bytes(50'000);
  info.set_tokenizer_path("tokenizer.json");
  for (const char* path : {"config.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors",
                           "model.safetensors", "model.safetensors.index.json", "tokenizer.json"}) {
    info.add_files(path);
  }
  info.add_carried_files("tokenizer.json");
  AddPieces(info);
  return info;
}

v1::Digest FakeDigest(const std::string& seed, int64_t size_bytes) {
  v1::Digest digest;
  digest.set_sha256(Sha256Hex(seed));
  digest.set_size_bytes(size_bytes);
  return digest;
}

v1::Model Model(const Shape& shape) {
  v1::Model model;
  model.set_name("models/m1");
  model.set_display_name("small llama");
  model.set_state(v1::Model::READY);
  *model.mutable_info() = Info(shape);
  for (const char* path : {"README.md", "config.json", "model-00001-of-00002.safetensors",
                           "model-00002-of-00002.safetensors", "model.safetensors.index.json", "tokenizer.json"}) {
    auto* file = model.mutable_manifest()->add_files();
    file->set_path(path);
    *file->mutable_digest() = FakeDigest(path, 1000);
  }
  return model;
}

v1::Recipe MixedGptq() {
  v1::Recipe recipe;
  recipe.set_name("mixed-gptq");
  recipe.mutable_sensitivity()->add_checked_bits(2);
  recipe.mutable_candidates()->set_mixed(true);
  return recipe;
}

v1::JobSpec Spec() {
  v1::JobSpec spec;
  spec.set_model("models/m1");
  spec.set_recipe("recipes/mixed-gptq");
  spec.mutable_budget()->set_average_bits(4.25);
  spec.set_display_name("a job");
  for (auto* data : {spec.add_calibration(), spec.add_evaluation()}) data->set_kind(v1::Data::TEXT);
  *spec.mutable_calibration(0)->mutable_blob() = FakeDigest("calibration", 1000);
  *spec.mutable_evaluation(0)->mutable_blob() = FakeDigest("evaluation", 1000);
  return spec;
}

ResolvedJob Job(const Shape& shape) {
  auto job = Resolve(Spec(), std::make_shared<v1::Model>(Model(shape)), FakeDigest("info", 4000), MixedGptq());
  CHECK(job.ok()) << job.status();
  return *std::move(job);
}

v1::TokenizeSummary Summary(int windows, int window) {
  v1::TokenizeSummary summary;
  summary.set_windows(windows);
  summary.set_window(window);
  summary.set_tokens_in_file(int64_t{windows} * window + 3);
  return summary;
}

v1::Allocation Allocation(const v1::ModelInfo& info, int candidates) {
  v1::Allocation allocation;
  for (int c = 0; c < candidates; ++c) {
    auto* plan = allocation.add_candidates();
    plan->set_name(c == 0 ? "mixed" : "uniform-int" + std::to_string(c + 1) + "-g32");
    plan->set_kind(c == 0 ? v1::PLAN_KIND_MIXED : v1::PLAN_KIND_UNIFORM);
    for (int u = 0; u < info.units_size(); ++u) {
      auto* planned = plan->add_units();
      planned->set_unit(info.units(u).name());
      *planned->mutable_format() = info.targets(0).units(u).options(c).format();
    }
  }
  return allocation;
}

Facts FactsAt(const ResolvedJob& job, int level, int calibration_windows, int evaluation_windows, int candidates) {
  Facts facts;
  if (level >= 1) facts.calibration = Summary(calibration_windows, job.calibration_window());
  if (level >= 1) facts.evaluation = {Summary(evaluation_windows, job.evaluation_window())};
  GoalFacts& goal = facts.goal(0);
  if (level >= 2) goal.allocation = std::make_shared<v1::Allocation>(Allocation(job.model->info(), candidates));
  if (level >= 3) {
    v1::Selection& selection = goal.selection.emplace();
    for (int c = 0; c < candidates; ++c) selection.add_candidates()->set_plan(c);
    selection.set_selected(candidates - 1);
  }
  if (level >= 4) goal.provenance = FakeDigest("provenance", 1000);
  return facts;
}

}  // namespace bitwright::server
