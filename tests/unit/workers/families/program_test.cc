#include <gtest/gtest.h>

#include <set>

#include "proto/contract/architectures.h"
#include "tests/support/status_matchers.h"
#include "workers/families/config.h"
#include "workers/families/family.h"

namespace bitwright::worker {
namespace {

absl::StatusOr<ModelConfig> Bare(std::string_view family) {
  return ParseModelConfig("{\"model_type\": \"" + std::string(family) + "\"}");
}

TEST(Families, TheTableIsThatOfTheContract) {
  ASSERT_EQ(Families().size(), kArchitectures.size());
  for (size_t i = 0; i < Families().size(); ++i) {
    EXPECT_EQ(Families()[i]->architecture, kArchitectures[i].architecture);
    EXPECT_EQ(Families()[i]->name, kArchitectures[i].family);
    ASSERT_OK_AND_ASSIGN(const ModelConfig config, Bare(kArchitectures[i].family));
    EXPECT_EQ(config.embedding.tokens,
              std::string(kArchitectures[i].prefix) + std::string(kArchitectures[i].embedding));
  }
}

// Columns of a part lie within its value, and every operation reads what an earlier one has written.
class Checker {
 public:
  explicit Checker(const BlockProgram& program) : program_(program) { written_.insert(0); }

  void operator()(const NormOp& op) {
    Read(op.in);
    EXPECT_EQ(op.in.dim, program_.norms.at(static_cast<size_t>(op.norm)).dim);
    EXPECT_EQ(op.in.count, op.out.count);
    Inside(op.out);
    written_.insert(op.out.value);
  }
  void operator()(const LinearOp& op) {
    const UnitSpec& unit = program_.matrix(op.matrix);
    Read(op.in.value, op.in.first, op.in.columns);
    EXPECT_EQ(op.in.columns, unit.in());
    Write(op.out, unit.out(), op.residual);
  }
  void operator()(const RotateOp& op) { Read(op.x); }
  void operator()(const AttendOp& op) {
    for (const HeadsPart* part : {&op.q, &op.k, &op.v}) Read(*part);
    EXPECT_EQ(op.q.count % op.k.count, 0);
    EXPECT_EQ(op.k.count, op.v.count);
    Inside(op.out);
    written_.insert(op.out.value);
  }
  void operator()(const ActivateOp& op) {
    Read(op.gate.value, op.gate.first, op.gate.columns);
    if (op.up.value >= 0) Read(op.up.value, op.up.first, op.up.columns);
    Write(op.out, op.gate.columns, -1);
  }
  void operator()(const AddOp& op) {
    Read(op.delta, 0, Columns(op.delta));
    Write(op.out, Columns(op.delta), op.residual);
  }
  void operator()(const AddGatedOp& op) {
    Read(op.gate, 0, 1);
    Read(op.delta, 0, Columns(op.delta));
    Write(op.out, Columns(op.delta), op.residual);
  }
  void operator()(const ExpertsOp& op) {
    const UnitSpec& gate_up = program_.matrix(op.gate_up);
    Read(op.in, 0, gate_up.in());
    Read(op.logits, 0, gate_up.experts);
    EXPECT_LE(op.chosen, gate_up.experts);
    EXPECT_EQ(gate_up.linears.size() % static_cast<size_t>(gate_up.experts), 0U);
    Write(op.out, gate_up.in(), op.residual);
  }
  void Output() { Read(program_.output, 0, Columns(0)); }

 private:
  int64_t Columns(int value) const { return program_.values.at(static_cast<size_t>(value)).columns; }
  void Inside(const HeadsPart& part) {
    EXPECT_LE(part.first + (part.count - 1) * part.stride + part.dim, Columns(part.value));
  }
  void Read(int value, int64_t first, int64_t columns) {
    EXPECT_TRUE(written_.contains(value)) << value;
    EXPECT_LE(first + columns, Columns(value));
  }
  void Read(const HeadsPart& part) {
    EXPECT_TRUE(written_.contains(part.value));
    Inside(part);
  }
  void Write(int value, int64_t columns, int residual) {
    if (residual >= 0) Read(residual, 0, columns);
    EXPECT_EQ(Columns(value), columns);
    EXPECT_TRUE(written_.insert(value).second) << "written twice: " << value;
  }

  const BlockProgram& program_;
  std::set<int> written_;
};

TEST(Families, EveryProgramReadsWhatItHasWritten) {
  for (const Family* family : Families()) {
    SCOPED_TRACE(family->name);
    ASSERT_OK_AND_ASSIGN(const ModelConfig config, Bare(family->name));
    for (const int64_t b : {int64_t{0}, config.layers - 1}) {
      const BlockProgram program = config.block(b);
      Checker checker(program);
      for (const Operation& operation : program.operations) std::visit(checker, operation);
      checker.Output();
      std::set<std::string> names;
      for (const UnitSpec& unit : program.units) EXPECT_TRUE(names.insert(unit.name).second) << unit.name;
      for (const UnitSpec& unit : program.units) EXPECT_TRUE(unit.name.starts_with(program.prefix)) << unit.name;
    }
  }
}

// Names and shapes as the classes have them when nothing is said: sizes of each family's own defaults.
TEST(Families, AbsentKeysMeanTheFamilysDefaults) {
  const auto sizes = [](std::string_view family) {
    const auto config = Bare(family);
    EXPECT_THAT(config, IsOk());
    return std::vector<int64_t>{config->hidden, config->intermediate,  config->layers,
                                config->vocab,  config->max_positions, config->tied_embeddings};
  };
  using Sizes = std::vector<int64_t>;
  EXPECT_EQ(sizes("mixtral"), (Sizes{4096, 14336, 32, 32000, 131072, 0}));
  EXPECT_EQ(sizes("qwen2_moe"), (Sizes{2048, 5632, 24, 151936, 32768, 0}));
  EXPECT_EQ(sizes("qwen3_moe"), (Sizes{2048, 6144, 24, 151936, 32768, 0}));
  EXPECT_EQ(sizes("gemma"), (Sizes{3072, 24576, 28, 256000, 8192, 1}));
  EXPECT_EQ(sizes("gemma2"), (Sizes{2304, 9216, 26, 256000, 8192, 1}));
  EXPECT_EQ(sizes("gemma3_text"), (Sizes{2304, 9216, 26, 262208, 131072, 1}));
  EXPECT_EQ(sizes("phi3"), (Sizes{3072, 8192, 32, 32064, 4096, 0}));
  EXPECT_EQ(sizes("granite"), (Sizes{4096, 11008, 32, 32000, 2048, 0}));
  EXPECT_EQ(sizes("olmo2"), (Sizes{4096, 11008, 32, 50304, 2048, 0}));
  EXPECT_EQ(sizes("stablelm"), (Sizes{2560, 6912, 32, 50304, 4096, 0}));
  EXPECT_EQ(sizes("gpt2"), (Sizes{768, 3072, 12, 50257, 1024, 1}));
  EXPECT_EQ(sizes("opt"), (Sizes{768, 3072, 12, 50272, 2048, 1}));
  EXPECT_EQ(sizes("gpt_neox"), (Sizes{6144, 24576, 44, 50432, 2048, 0}));
}

}  // namespace
}  // namespace bitwright::worker
