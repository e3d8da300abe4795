// Prints what each file is taken for, one JSON object per line: {"kind"}, or {"reason", "message"}.
// usage: recognize_text FILE...
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "proto/base/errors.h"
#include "proto/inputs/data_kind.h"

int main(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    std::string head(bitwright::kDataHeadBytes, '\0');
    std::ifstream file(argv[i], std::ios::binary);
    file.read(head.data(), static_cast<std::streamsize>(head.size()));
    head.resize(static_cast<size_t>(file.gcount()));
    const std::string path = argv[i];
    const auto kind = bitwright::RecognizeData(path.substr(path.rfind('/') + 1), head);
    nlohmann::json line;
    if (kind.ok()) {
      line["kind"] = bitwright::DataKindName(*kind);
    } else {
      line["reason"] = bitwright::ErrorReason(kind.status());
      line["message"] = std::string(kind.status().message());
    }
    std::cout << line.dump() << "\n";
  }
  return 0;
}
