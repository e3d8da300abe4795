#include "tests/unit/workers/targets/written_gguf.h"

#include <string>

#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "workers/checkpoint/gguf_writer.h"

namespace bitwright::worker {

absl::StatusOr<GgufFile> WrittenGguf(const std::vector<GgufSetting>& settings) {
  const TempDir dir;
  const std::string path = dir / "settings.gguf";
  const auto plan = PlanGguf("settings.gguf", settings, {});
  auto writer = GgufWriter::Create(path, *plan);
  BITWRIGHT_EXPECT_OK(writer->Close());
  return GgufFile::Open(path, "settings.gguf");
}

}  // namespace bitwright::worker
