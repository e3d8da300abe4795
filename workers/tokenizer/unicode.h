#pragma once

#include <cstdint>
#include <string>
#include <string_view>

// What the tokenizer needs to know about Unicode. Tables: ICU's.
namespace bitwright::worker {

// Every ill-formed maximal subpart becomes U+FFFD (Unicode Standard, section 3.9, "U+FFFD Substitution of Maximal
// Subparts"), as Rust's from_utf8_lossy does.
std::string ReplaceInvalidUtf8(std::string_view bytes);

void AppendCodePoint(int32_t code_point, std::string& out);

// First and last code point of well-formed, non-empty text.
int32_t FirstCodePoint(std::string_view text);
int32_t LastCodePoint(std::string_view text);
// Bytes of the code point that starts with this byte of well-formed text.
int CodePointBytes(char lead);

bool IsUnicodeSpace(int32_t code_point);           // property White_Space
size_t LeadingSpace(std::string_view text);        // bytes of White_Space at the start
size_t TrailingSpaceStart(std::string_view text);  // where the White_Space at the end begins
// \w of UTS #18 annex C: Alphabetic, M, Nd, Pc, Join_Control.
bool IsUnicodeWord(int32_t code_point);

}  // namespace bitwright::worker
