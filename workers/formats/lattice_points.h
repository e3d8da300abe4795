#pragma once

#include <cstdint>
#include <span>

namespace bitwright::worker {

// The points of ggml's lattice types, in the order that files count them in (ggml-org/ggml, src/ggml-common.h:
// iq2xxs_grid, iq2xs_grid, iq2s_grid, iq3xxs_grid, iq3s_grid). [count, size] numbers; they live as long as the program.
std::span<const uint8_t> Iq2XxsPoints();  // [256, 8] of 8, 25, 43
std::span<const uint8_t> Iq2XsPoints();   // [512, 8] of the same
std::span<const uint8_t> Iq2SPoints();    // [1024, 8] of the same
std::span<const uint8_t> Iq3XxsPoints();  // [256, 4] of 4, 12, 20, 28, 36, 44, 52, 62
std::span<const uint8_t> Iq3SPoints();    // [512, 4] of 1, 3, 5 … 15

}  // namespace bitwright::worker
