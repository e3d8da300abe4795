#include "tests/unit/workers/tokenizer/cases.h"

#include "proto/base/log.h"
#include "tests/support/status_matchers.h"
#include "workers/base/files.h"
#include "workers/tokenizer/byte_level.h"

namespace bitwright::worker {

using nlohmann::json;

std::unique_ptr<const Tokenizer> LoadTokenizer(const std::string& folder) {
  auto file = MappedFile::Open(folder + "/tokenizer.json");
  CHECK(file.ok()) << file.status();
  auto tokenizer = Tokenizer::Load((*file)->text());
  CHECK(tokenizer.ok()) << tokenizer.status();
  return *std::move(tokenizer);
}

TokenizerCase ReadCase(const json& item) {
  const std::string text = item.at("text");
  const std::vector<int32_t> ids = item.at("ids");
  const std::string decoded = item.value("decoded", text);
  return {text, ids, item.value("ids_with_special", ids), decoded, item.value("decoded_skip_special", decoded)};
}

std::vector<TokenizerCase> LoadCases(const std::string& folder) {
  auto file = MappedFile::Open(folder + "/cases.json");
  CHECK(file.ok()) << file.status();
  std::vector<TokenizerCase> cases;
  const json items = json::parse((*file)->text());
  for (const json& item : items) cases.push_back(ReadCase(item));
  return cases;
}

void ExpectCase(const Tokenizer& tokenizer, const TokenizerCase& c, bool with_special) {
  SCOPED_TRACE(json(c.text.substr(0, 100)).dump(-1, ' ', true, json::error_handler_t::replace));
  ASSERT_OK_AND_ASSIGN(const auto ids, tokenizer.Encode(c.text, false));
  EXPECT_EQ(ids, c.ids);
  ASSERT_OK_AND_ASSIGN(const auto decoded, tokenizer.Decode(c.ids, false));
  EXPECT_EQ(decoded, c.decoded);
  if (!with_special) return;
  ASSERT_OK_AND_ASSIGN(const auto ids_with_special, tokenizer.Encode(c.text, true));
  EXPECT_EQ(ids_with_special, c.ids_with_special);
  ASSERT_OK_AND_ASSIGN(const auto skipped, tokenizer.Decode(c.ids_with_special, true));
  EXPECT_EQ(skipped, c.decoded_skip_special);
}

json SmallTokenizer() {
  json vocab = json::object();
  for (int byte = 0; byte < 256; ++byte) vocab[CharOfByte(static_cast<uint8_t>(byte))] = byte;
  vocab["he"] = 256;
  vocab["ll"] = 257;
  vocab["hell"] = 258;
  json file = json::parse(R"({
    "version": "1.0", "added_tokens": [], "normalizer": null, "post_processor": null,
    "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
    "decoder": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
    "model": {"type": "BPE", "merges": ["h e", ["l", "l"], "he ll"]}
  })");
  file["model"]["vocab"] = vocab;
  AddToken(file, "<|end|>")["special"] = true;
  return file;
}

json& AddToken(json& file, const std::string& content) {
  json& tokens = file["added_tokens"];
  tokens.push_back({{"id", 259 + tokens.size()},
                    {"content", content},
                    {"single_word", false},
                    {"lstrip", false},
                    {"rstrip", false},
                    {"normalized", false},
                    {"special", false}});
  return tokens.back();
}

}  // namespace bitwright::worker
