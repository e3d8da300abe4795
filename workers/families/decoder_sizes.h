#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "workers/families/config_reader.h"

namespace bitwright::worker {

struct DecoderSizes {
  int64_t hidden = 0;
  int64_t intermediate = 0;
  int64_t layers = 0;
  int64_t heads = 0;
  int64_t kv_heads = 0;
  int64_t head_dim = 0;  // heads · head_dim need not equal hidden
  int64_t vocab = 0;
  int64_t max_positions = 0;
};

// The names of the keys, which two families have of their own.
struct SizeKeys {
  const char* hidden = "hidden_size";
  const char* intermediate = "intermediate_size";
  const char* layers = "num_hidden_layers";
  const char* heads = "num_attention_heads";
  const char* max_positions = "max_position_embeddings";
  bool even_head = true;            // for rotary pairs
  bool heads_divide = false;        // the reader asks that the heads divide hidden
  int64_t intermediate_factor = 0;  // where `intermediate` is null: times hidden
};

// CONFIG_INVALID, CONFIG_UNSUPPORTED (an odd head_dim).
absl::StatusOr<DecoderSizes> ReadSizes(const ConfigReader& from, const SizeKeys& keys = {});

// Whether pad_token_id is in the vocabulary, which the embedding of most families asks for. CONFIG_INVALID.
absl::Status CheckPadToken(const ConfigReader& from, int64_t vocab);

// layer_types where it is given, with the one old name that means the same; else empty. CONFIG_INVALID,
// CONFIG_UNSUPPORTED (types other than full_attention and sliding_attention).
absl::StatusOr<std::vector<std::string>> ReadLayerTypes(const ConfigReader& from, int64_t layers);

}  // namespace bitwright::worker
