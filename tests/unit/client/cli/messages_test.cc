#include <gtest/gtest.h>

#include <filesystem>
#include <regex>

#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/client/test_files.h"

namespace bitwright::client {
namespace {

namespace fs = std::filesystem;

// Names that only the code knows have no place in what a person reads.
TEST(Messages, HaveNoInternalWords) {
  const std::regex literal(R"re("((?:[^"\\\n]|\\.)*)")re");
  const std::regex internal(
      R"(TOKEN_IDS_JSONL|DOCUMENTS_JSONL|_UNSPECIFIED|CivetServer|null context|nullptr|protobuf|ErrorInfo|errno|)"
      R"(\b(?:[a-z]+_)?(?:spec|proto|stub)\b)");
  int seen = 0;
  for (const auto& entry : fs::recursive_directory_iterator(SourcePath("client"))) {
    const std::string path = entry.path().string();
    if (!path.ends_with(".cc")) continue;
    ASSERT_OK_AND_ASSIGN(std::string text, ReadWholeFile(path));
    text = std::regex_replace(text, std::regex(R"(#include[^\n]*|(^|\n)\s*//[^\n]*)"), "\n");
    for (std::sregex_iterator it(text.begin(), text.end(), literal), end; it != end; ++it) {
      ++seen;
      const std::string words = (*it)[1].str();
      EXPECT_FALSE(std::regex_search(words, internal)) << path << ": " << words;
    }
  }
  EXPECT_GT(seen, 300) << "the search has lost its subject";
}

}  // namespace
}  // namespace bitwright::client
