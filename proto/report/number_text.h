#pragma once

#include <cstdint>
#include <string>
#include <string_view>

// Numbers and names as a person reads them, the same in reports, tables and progress lines.
namespace bitwright {

std::string WithThousands(int64_t value);                         // 12,345,678
std::string BytesText(int64_t bytes);                             // "13.64 MB" (powers of 1000)
std::string SecondsText(double seconds);                          // "0.3 s", "12 s", "3 min 05 s", "2 h 04 min"
std::string Fixed(double value, int decimals);                    // "1.0271"
std::string RoundedUp(double value, int decimals);                // 2.0521 → "2.053": as a number not below `value`
std::string RoundedDown(double value, int decimals);              // 8.4999 → "8.499": as a number not above `value`
std::string Scientific(double value, int decimals);               // "2.71e-02"
std::string PlusMinus(double value, double error, int decimals);  // "24.71 ± 0.31"
std::string Percent(double share, int decimals);                  // 0.951 → "95.1 %"

// Text from elsewhere with control characters (which could steer a terminal) as '?', cut to `most_columns`.
std::string Printable(std::string_view text, size_t most_columns);
// Columns on a terminal: code points of UTF-8.
size_t Columns(std::string_view text);

}  // namespace bitwright
