#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/workers/tokenizer/cases.h"
#include "workers/base/files.h"

namespace bitwright::worker {
namespace {

using nlohmann::json;

// Replaces parts of the small tokenizer; of the model, single fields.
json Patched(const json& patch) {
  json file = SmallTokenizer();
  for (const auto& [key, value] : patch.items()) {
    if (key == "model") {
      file[key].update(value);
    } else {
      file[key] = value;
    }
  }
  return file;
}

// Every kind of normalizer, pre-tokenizer, pattern construct, flag and post-processor, on texts of odd characters.
TEST(TokenizerParts, EveryPartDoesWhatTheReferenceLibraryDoes) {
  ASSERT_OK_AND_ASSIGN(const std::string golden, ReadFile(SourcePath("tests/golden/tokenizer/parts.json")));
  const json variants = json::parse(golden);
  EXPECT_GE(variants.size(), 70u);
  for (const json& variant : variants) {
    SCOPED_TRACE(variant.at("name").get<std::string>());
    const auto tokenizer = Tokenizer::Load(Patched(variant.at("patch")).dump());
    EXPECT_THAT(tokenizer, IsOk());
    if (!tokenizer.ok()) continue;
    for (const json& item : variant.at("cases")) ExpectCase(**tokenizer, ReadCase(item));
  }
}

}  // namespace
}  // namespace bitwright::worker
