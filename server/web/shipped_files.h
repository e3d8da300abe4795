#pragma once

#include <string_view>

namespace bitwright::server {

// The text of a file from elsewhere that is part of the program, by its name: "chart.min.js" of Debian's
// libjs-chart.js, "mixed.txt" of deploy/sample; empty: there is none.
std::string_view ShippedFile(std::string_view name);

}  // namespace bitwright::server
