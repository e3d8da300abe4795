#include "workers/tokenizer/charsmap.h"

#include <random>

#include "absl/strings/escaping.h"
#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/workers/tokenizer/cases.h"
#include "workers/base/files.h"

namespace bitwright::worker {
namespace {

absl::Status Invalid(const std::string& problem) { return absl::InvalidArgumentError(problem); }

// The table of the variant "precompiled" of the golden data.
std::string GoldenTable() {
  const auto golden = ReadFile(SourcePath("tests/golden/tokenizer/parts.json"));
  std::string bytes;
  if (!golden.ok()) return bytes;
  const nlohmann::json variants = nlohmann::json::parse(*golden);
  for (const auto& variant : variants) {
    if (variant.at("name") != "precompiled") continue;
    absl::Base64Unescape(variant["patch"]["normalizer"]["precompiled_charsmap"].get<std::string>(), &bytes);
  }
  return bytes;
}

TEST(Charsmap, FindsKeys) {
  ASSERT_OK_AND_ASSIGN(const Charsmap map, Charsmap::Create(GoldenTable(), Invalid));
  EXPECT_EQ(map.Longest("\r\nx").length, 2u);
  EXPECT_EQ(map.Longest("\r\nx").replacement, " ");
  EXPECT_EQ(map.Longest("\rx").length, 0u);
  EXPECT_EQ(map.Longest("e\xCC\x81").replacement, "\xC3\xA9");
  EXPECT_EQ(map.Shortest("Hh").replacement, "hh");
  EXPECT_EQ(map.Longest("\xE2\x80\x8B").length, 3u) << "what it replaces by nothing";
  EXPECT_EQ(map.Longest("\xE2\x80\x8B").replacement, "");
  EXPECT_EQ(map.Longest("").length, 0u);
}

TEST(Charsmap, SizesMustFit) {
  const std::string table = GoldenTable();
  for (const std::string& bytes :
       {std::string(), std::string("abc"), table.substr(0, 8), std::string(8, '\0'), table + "\xFF"}) {
    EXPECT_THAT(Charsmap::Create(bytes, Invalid), StatusIs(absl::StatusCode::kInvalidArgument));
  }
}

// Whatever bytes the table has, walking it stays inside and ends.
TEST(Charsmap, DamagedTablesStayInBounds) {
  const std::string table = GoldenTable();
  ASSERT_GT(table.size(), 100u);
  std::mt19937 random(1);
  for (int i = 0; i < 2000; ++i) {
    std::string damaged = table;
    for (int change = 0; change < 20; ++change)
      damaged[4 + random() % (damaged.size() - 4)] = static_cast<char>(random());
    const auto map = Charsmap::Create(damaged, Invalid);
    if (!map.ok()) continue;
    for (const char* text : {"\r\n", "e\xCC\x81", "H", "\xE2\x80\x8B", "E"}) {
      EXPECT_LE(map->Longest(text).length, std::string_view(text).size());
    }
  }
}

}  // namespace
}  // namespace bitwright::worker
