#pragma once

#include <string>

namespace bitwright::server {

// 4 KiB appends with fsync, one after the other, to a file in the folder.
double FsyncsPerSecond(const std::string& folder, double seconds);
// Whether files there are in memory only, where durability costs nothing.
bool IsInMemory(const std::string& folder);

}  // namespace bitwright::server
