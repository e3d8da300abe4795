#include "workers/formats/format.h"

#include <tuple>

#include "workers/formats/formats_errors.h"

namespace bitwright::worker {
namespace {

template <typename... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <typename... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

// Less is more typical. Large groups, of which a scale costs little; types of two levels; lattices last.
std::tuple<int, int64_t> Rank(const Format& format) {
  return std::visit(Overloaded{[](const IntFormat& integer) { return std::tuple(0, int64_t{-integer.group_size}); },
                               [](BlockType type) {
                                 if (OnLattice(type)) return std::tuple(2, LatticeOf(type).group);
                                 const Grid& grid = GridOf(type);
                                 return std::tuple(grid.two_levels() ? 0 : 1, grid.minima ? int64_t{0} : grid.group);
                               }},
                    format);
}

}  // namespace

std::string FormatName(const Format& format) {
  return std::visit(Overloaded{[](const IntFormat& integer) { return FormatName(integer); },
                               [](BlockType type) { return std::string(SpecOf(type).name); }},
                    format);
}

absl::StatusOr<Format> ParseFormat(std::string_view name) {
  if (const auto integer = ParseIntFormat(name); integer.ok()) return Format(*integer);
  if (const auto block = ParseBlockType(name); block.ok()) return Format(*block);
  return FormatUnknownError(name);
}

int WidthOf(const Format& format) {
  return std::visit(
      Overloaded{[](const IntFormat& integer) { return integer.bits; }, [](BlockType type) { return CodeBits(type); }},
      format);
}

int64_t GroupSizeOf(const Format& format) {
  return std::visit(
      Overloaded{[](const IntFormat& integer) { return int64_t{integer.group_size}; },
                 [](BlockType type) { return OnLattice(type) ? LatticeOf(type).group : GridOf(type).group; }},
      format);
}

bool Fits(const Format& format, int64_t in) {
  return std::visit(Overloaded{[&](const IntFormat& integer) { return integer.Fits(in); },
                               [&](BlockType type) { return SpecOf(type).Fits(in); }},
                    format);
}

int64_t CodedBytes(const Format& format, int64_t out, int64_t in, DType type) {
  return std::visit(
      Overloaded{[&](const IntFormat& integer) { return StoredBytes(integer, out, in, type) - kWeightShapeBytes; },
                 [&](BlockType block) { return out * SpecOf(block).RowBytes(in); }},
      format);
}

bool IsMoreTypical(const Format& a, const Format& b) { return Rank(a) < Rank(b); }

}  // namespace bitwright::worker
