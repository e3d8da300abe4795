#pragma once

#include <string>

#include "server/jobs/job_graph.h"

// Jobs for tests, made from sizes as inspect would find them.
namespace bitwright::server {

struct Shape {
  int blocks = 2;
  int64_t hidden = 64;
  int64_t intermediate = 128;
  int64_t key_value = 32;  // width of k and v
  int64_t vocabulary = 256;
  int64_t max_positions = 1024;
};

// A llama in bf16 with untied embeddings. Options: bits 2…8 with every group size that divides the input, and channel.
v1::ModelInfo Info(const Shape& shape);
// READY, with config.json, tokenizer.json, two shards and their index; README.md is not part of it.
v1::Model Model(const Shape& shape);
// 4.25 bits, recipe "mixed-gptq", text of 1000 bytes for either use.
v1::JobSpec Spec();
v1::Recipe MixedGptq();
v1::Digest FakeDigest(const std::string& seed, int64_t size_bytes);

ResolvedJob Job(const Shape& shape);

v1::TokenizeSummary Summary(int windows, int window);
// Plans named "mixed" and "uniform-int4-g32" …; every unit takes its first option.
v1::Allocation Allocation(const v1::ModelInfo& info, int candidates);

// The facts of one level, 0 (none) … 4 (provenance).
Facts FactsAt(const ResolvedJob& job, int level, int calibration_windows, int evaluation_windows, int candidates);

}  // namespace bitwright::server
