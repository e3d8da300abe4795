#include "proto/contract/trace_context.h"

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace bitwright {
namespace {

constexpr size_t kLength = 55;
constexpr size_t kTraceAt = 3, kSpanAt = 36, kFlagsAt = 53;
constexpr uint8_t kSampled = 1, kRandom = 2;
constexpr uint8_t kNoVersion = 0xff;

constexpr size_t kMostStateBytes = 512;
constexpr size_t kMostMembers = 32;
constexpr size_t kMostKeyBytes = 256, kMostValueBytes = 256;

// −1: it is no digit.
int Digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

template <size_t N>
bool ReadHex(std::string_view text, std::array<uint8_t, N>& bytes) {
  for (size_t i = 0; i < N; ++i) {
    const int high = Digit(text[2 * i]), low = Digit(text[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    bytes[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return true;
}

template <size_t N>
bool IsZero(const std::array<uint8_t, N>& bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](uint8_t byte) { return byte == 0; });
}

template <size_t N>
std::string Hex(const std::array<uint8_t, N>& bytes) {
  return absl::BytesToHexString({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

// "vendor" or "tenant@vendor".
bool IsStateKey(std::string_view key) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz0123456789_-*/@";
  if (key.empty() || key.size() > kMostKeyBytes) return false;
  const auto begins_well = [](std::string_view part) {
    return !part.empty() && (absl::ascii_islower(part[0]) || absl::ascii_isdigit(part[0]));
  };
  const size_t at = key.find('@');
  if (at != std::string_view::npos &&
      (key.find('@', at + 1) != std::string_view::npos || !begins_well(key.substr(at + 1)))) {
    return false;
  }
  return begins_well(key) && key.find_first_not_of(kLetters) == std::string_view::npos;
}

bool IsStateValue(std::string_view value) {
  if (value.empty() || value.size() > kMostValueBytes || value.back() == ' ') return false;
  return std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c <= '~' && c != ',' && c != '='; });
}

}  // namespace

std::optional<TraceContext> ParseTraceParent(std::string_view text) {
  if (text.size() < kLength || text[kTraceAt - 1] != '-' || text[kSpanAt - 1] != '-' || text[kFlagsAt - 1] != '-') {
    return std::nullopt;
  }
  std::array<uint8_t, 1> version, flags;
  TraceContext context;
  if (!ReadHex(text, version) || !ReadHex(text.substr(kTraceAt), context.trace_id) ||
      !ReadHex(text.substr(kSpanAt), context.span_id) || !ReadHex(text.substr(kFlagsAt), flags)) {
    return std::nullopt;
  }
  if (version[0] == kNoVersion || IsZero(context.trace_id) || IsZero(context.span_id)) return std::nullopt;
  if (text.size() > kLength && (version[0] == 0 || text[kLength] != '-')) return std::nullopt;
  context.sampled = (flags[0] & kSampled) != 0;
  context.random = (flags[0] & kRandom) != 0;
  return context;
}

uint8_t TraceFlags(const TraceContext& context) {
  return static_cast<uint8_t>((context.sampled ? kSampled : 0) | (context.random ? kRandom : 0));
}

std::string TraceParentText(const TraceContext& context) {
  const std::array<uint8_t, 1> flags = {TraceFlags(context)};
  return absl::StrCat("00-", Hex(context.trace_id), "-", Hex(context.span_id), "-", Hex(flags));
}

bool IsTraceState(std::string_view text) {
  if (text.size() > kMostStateBytes) return false;
  size_t members = 0;
  for (const absl::string_view part : absl::StrSplit(absl::string_view(text.data(), text.size()), ',')) {
    const absl::string_view trimmed = absl::StripAsciiWhitespace(part);
    const std::string_view member(trimmed.data(), trimmed.size());
    if (member.empty()) continue;
    const size_t equals = member.find('=');
    if (equals == std::string_view::npos || !IsStateKey(member.substr(0, equals)) ||
        !IsStateValue(member.substr(equals + 1)) || ++members > kMostMembers) {
      return false;
    }
  }
  return members > 0;
}

}  // namespace bitwright
