#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace bitwright::worker {

// Writes a regular expression of the reference library (Oniguruma's syntax) in PCRE2's, where the two differ:
//   \s \S          property White_Space: PCRE2's own \s also takes U+180E
//   \w \W \b \B    Alphabetic, M, Nd, Pc, and outside of classes six more of Latin-1: PCRE2's \w is L, N, "_"
//   \h \v \e \uHHHH  hexadecimal digit, U+000B, U+001B, a code point: other meanings in PCRE2
//   \p{Han}        the script, where PCRE2 takes script extensions; long names of categories (\p{Letter})
//   (?m: )         "." takes newlines: PCRE2's (?s: )
//   x{,n}          0 to n times
// Constructs outside of the common subset are refused (TOKENIZER_UNSUPPORTED naming `field`): backreferences,
// recursion, verbs, conditions, callouts, \K, nested or intersected classes, POSIX brackets, inline options in the
// middle of a group, quantifiers after an interval, properties of case in a class that ignores case, intervals above
// kMaxRepeat. TOKENIZER_PATTERN_INVALID: the pattern ends inside a construct.
absl::StatusOr<std::string> TranslatePattern(std::string_view field, std::string_view pattern);

// Of an interval x{n,m}. Matching cost is counted between items of a pattern, so one item must be bounded.
inline constexpr int kMaxRepeat = 1000;

}  // namespace bitwright::worker
