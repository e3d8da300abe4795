#include "server/jobs/targets.h"

namespace bitwright::server {

const std::vector<Target>& Targets() {
  static const auto& targets = *new std::vector<Target>{[] {
    Target target{kCompressedTensors, {}, {"transformers"}};
    for (int bits = 2; bits <= 8; ++bits) {
      for (const int group : {32, 64, 128, 0}) {
        v1::Format& format = target.formats.emplace_back();
        format.set_bits(bits);
        format.set_group_size(group);
      }
    }
    return target;
  }()};
  return targets;
}

}  // namespace bitwright::server
