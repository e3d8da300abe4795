#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// The byte alphabet of GPT-2's tokenizer (A. Radford et al., "Language Models are Unsupervised Multitask Learners",
// 2019): each byte has one printable character, so that every token can be written in JSON. Bytes 21-7E, A1-AC, AE-FF
// stand for themselves; the other 68, in rising order, are U+0100 and up.
namespace bitwright::worker {

// The character of a byte, as UTF-8.
const std::string& CharOfByte(uint8_t byte);

// The bytes as characters: UTF-8, 1 to 2 times as long.
std::string CharsOfBytes(std::string_view bytes);

// The bytes of characters; nothing when some character is not in the alphabet. `chars` is well-formed UTF-8.
std::optional<std::string> BytesOfChars(std::string_view chars);

}  // namespace bitwright::worker
