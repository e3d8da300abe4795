#include "workers/targets/format_messages.h"

#include "bitwright/v1/plans.pb.h"
#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "workers/formats/formats_errors.h"

namespace bitwright::worker {

absl::StatusOr<Format> FormatOf(const v1::Format& message) {
  switch (message.kind_case()) {
    case v1::Format::kInteger: {
      const IntFormat format{message.integer().bits(), message.integer().group_size()};
      ABSL_RETURN_IF_ERROR(CheckFormat(format));
      return Format(format);
    }
    case v1::Format::kBlock: {
      ABSL_ASSIGN_OR_RETURN(const BlockType type, BlockTypeOfId(static_cast<uint32_t>(message.block().type())));
      return Format(type);
    }
    case v1::Format::KIND_NOT_SET:
      break;
  }
  return FormatUnknownError("");
}

v1::Format ToProto(const Format& format) {
  v1::Format message;
  if (const auto* block = std::get_if<BlockType>(&format)) {
    message.mutable_block()->set_type(static_cast<v1::BlockFormat::Type>(SpecOf(*block).ggml_id));
  } else {
    const IntFormat integer = std::get<IntFormat>(format);
    message.mutable_integer()->set_bits(integer.bits);
    message.mutable_integer()->set_group_size(integer.group_size);
  }
  return message;
}

bool SameFormat(const v1::Format& a, const v1::Format& b) {
  return a.kind_case() == b.kind_case() && a.integer().bits() == b.integer().bits() &&
         a.integer().group_size() == b.integer().group_size() && a.block().type() == b.block().type();
}

std::string NameOf(const v1::Format& message) {
  const auto format = FormatOf(message);
  CHECK(format.ok()) << format.status();
  return FormatName(*format);
}

}  // namespace bitwright::worker
