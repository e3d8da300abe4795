#pragma once

namespace bitwright::client {

inline constexpr char kVersion[] = BITWRIGHT_VERSION;

}  // namespace bitwright::client
