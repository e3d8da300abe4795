#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "workers/tokenizer/tokenizer.h"

namespace bitwright::worker {

// A text with what the reference library makes of it.
struct TokenizerCase {
  std::string text;
  std::vector<int32_t> ids;
  std::vector<int32_t> ids_with_special;
  std::string decoded;               // of ids
  std::string decoded_skip_special;  // of ids_with_special
};

// Of folder/tokenizer.json and folder/cases.json; failures end the test's process.
std::unique_ptr<const Tokenizer> LoadTokenizer(const std::string& folder);
std::vector<TokenizerCase> LoadCases(const std::string& folder);
// What an item leaves out: ids_with_special is ids, decoded is text, decoded_skip_special is decoded.
TokenizerCase ReadCase(const nlohmann::json& item);

// All must come out exactly; without `with_special` only ids and decoded are looked at.
void ExpectCase(const Tokenizer& tokenizer, const TokenizerCase& c, bool with_special = true);

// A small tokenizer.json to change in tests: all 256 bytes (ids 0 to 255) and the merges h+e, l+l, he+ll (256 to 258),
// the added special token <|end|> (259), pre-tokenizer and decoder ByteLevel.
nlohmann::json SmallTokenizer();

// Adds one to `file`, with the next id.
nlohmann::json& AddToken(nlohmann::json& file, const std::string& content);

}  // namespace bitwright::worker
