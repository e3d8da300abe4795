#include "workers/import/plain_weights.h"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "tests/support/fixtures.h"
#include "tests/support/safetensors_reader.h"
#include "tests/support/status_matchers.h"
#include "workers/base/files.h"

namespace bitwright::worker {
namespace {

// n values i, i + 1 … in F32, handed over `piece` at a time.
PlainTensor Counting(const std::string& name, int64_t n, int64_t piece) {
  return {{name, DType::kF32, {n}}, [=](const TakeBytes& take) {
            std::vector<float> values;
            for (int64_t begin = 0; begin < n; begin += piece) {
              values.clear();
              for (int64_t i = begin; i < std::min(n, begin + piece); ++i) values.push_back(static_cast<float>(i));
              if (absl::Status status = take(std::as_bytes(std::span(values))); !status.ok()) return status;
            }
            return absl::OkStatus();
          }};
}

struct Written {
  std::vector<std::string> paths;
  std::vector<double> shares;
};

absl::StatusOr<Written> Write(const TempDir& dir, const std::vector<PlainTensor>& tensors, int64_t shard_bytes) {
  Written written;
  const absl::Status status = WritePlainWeights(
      tensors, shard_bytes, [&](const std::string& path) { return dir / path; },
      [&](const std::string& path) {
        written.paths.push_back(path);
        return absl::OkStatus();
      },
      [&](double share) { written.shares.push_back(share); });
  if (!status.ok()) return status;
  return written;
}

TEST(PlainWeights, OneFileWhereOneIsEnough) {
  const TempDir dir;
  ASSERT_OK_AND_ASSIGN(const Written written,
                       Write(dir, {Counting("a", 5, 2), Counting("b", 0, 1), Counting("c", 3, 3)}, 1000));
  EXPECT_EQ(written.paths, std::vector<std::string>{"model.safetensors"});
  EXPECT_EQ(written.shares.back(), 1);
  const FixtureTensors tensors = ReadFixture(dir / "model.safetensors");
  EXPECT_EQ(Find(tensors, "a").As<float>(), (std::vector<float>{0, 1, 2, 3, 4}));
  EXPECT_EQ(Find(tensors, "c").As<float>(), (std::vector<float>{0, 1, 2}));
  EXPECT_EQ(Find(tensors, "b").elements(), 0);
}

TEST(PlainWeights, ShardsWithAnIndexWhereTheyAreMore) {
  const TempDir dir;
  const std::vector<PlainTensor> tensors = {Counting("a", 4, 4), Counting("b", 100, 7), Counting("c", 3, 1),
                                            Counting("d", 5, 5)};
  ASSERT_OK_AND_ASSIGN(const Written written, Write(dir, tensors, 32));
  EXPECT_EQ(written.paths,
            (std::vector<std::string>{"model-00001-of-00003.safetensors", "model-00002-of-00003.safetensors",
                                      "model-00003-of-00003.safetensors", "model.safetensors.index.json"}));
  ASSERT_OK_AND_ASSIGN(const std::string text, ReadFile(dir / "model.safetensors.index.json"));
  const auto index = nlohmann::json::parse(text);
  EXPECT_EQ(index["metadata"]["total_size"], 4 * (4 + 100 + 3 + 5));
  const std::map<std::string, std::string> map = index["weight_map"];
  EXPECT_EQ(map.size(), 4U);
  for (const auto& [tensor, shard] : map) EXPECT_TRUE(ReadFixture(dir / shard).contains(tensor)) << tensor;
  EXPECT_EQ(map.at("b"), "model-00002-of-00003.safetensors") << "one that is larger than a shard has its own";
}

TEST(PlainWeights, TheBytesDoNotDependOnThePieces) {
  std::vector<std::string> all;
  for (const int64_t piece : {1, 3, 50}) {
    const TempDir dir;
    ASSERT_OK_AND_ASSIGN(const Written written, Write(dir, {Counting("a", 50, piece)}, 1000));
    ASSERT_OK_AND_ASSIGN(all.emplace_back(), ReadFile(dir / "model.safetensors"));
  }
  EXPECT_EQ(all[0], all[1]);
  EXPECT_EQ(all[0], all[2]);
}

TEST(PlainWeights, AnErrorOfATensorIsTheError) {
  const TempDir dir;
  PlainTensor tensor = Counting("a", 5, 2);
  tensor.write = [](const TakeBytes&) { return absl::InvalidArgumentError("no bytes"); };
  EXPECT_EQ(Write(dir, {tensor}, 1000).status().message(), "no bytes");
}

}  // namespace
}  // namespace bitwright::worker
