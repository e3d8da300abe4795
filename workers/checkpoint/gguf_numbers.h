#pragma once

#include <optional>
#include <vector>

#include "workers/checkpoint/gguf_value.h"

namespace bitwright::worker {

// The elements of a value as bool, int64_t or double (T): bool of truths, int64_t of integers of any kind, double of
// f32 and f64. Nothing where they are of another sort, or an integer is 2^63 or more.
template <typename T>
std::optional<std::vector<T>> NumbersIn(const GgufValue& value);

}  // namespace bitwright::worker
