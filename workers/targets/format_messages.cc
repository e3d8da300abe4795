#include "workers/targets/format_messages.h"

#include <string>

#include "bitwright/v1/plans.pb.h"
#include "proto/base/log.h"
#include "proto/base/status_macros.h"
#include "workers/formats/formats_errors.h"

namespace bitwright::worker {
namespace {

static_assert(static_cast<int>(v1::FloatFormat::MXFP4) == static_cast<int>(FloatFormat::kMxfp4) + 1 &&
              static_cast<int>(v1::FloatFormat::MXFP8) == static_cast<int>(FloatFormat::kMxfp8) + 1);

UnitFormats Checked(const v1::Format& message) {
  const auto formats = UnitFormatsOf(message);
  CHECK(formats.ok()) << formats.status();
  return *formats;
}

}  // namespace

absl::StatusOr<Format> FormatOf(const v1::Format& message) {
  switch (message.kind_case()) {
    case v1::Format::kInteger: {
      const v1::IntegerFormat& integer = message.integer();
      const IntFormat format{integer.bits(), integer.group_size(), integer.asymmetric(), integer.half_scales(),
                             integer.input_bits()};
      ABSL_RETURN_IF_ERROR(CheckFormat(format));
      return Format(format);
    }
    case v1::Format::kBlock: {
      ABSL_ASSIGN_OR_RETURN(const BlockType type, BlockTypeOfId(static_cast<uint32_t>(message.block().type())));
      return Format(type);
    }
    case v1::Format::kFloats: {
      const int type = message.floats().type();
      if (type < 1 || type > std::ssize(FloatSpecs())) return FormatUnknownError("floats " + std::to_string(type));
      return Format(FloatSpecs()[static_cast<size_t>(type - 1)].format);
    }
    case v1::Format::kPlain:
      return Format(PlainFormat{});
    case v1::Format::kCodebook: {
      const v1::CodebookFormat& codebook = message.codebook();
      if (codebook.type() != v1::CodebookFormat::NF4 && codebook.type() != v1::CodebookFormat::K_MEANS) break;
      const bool nf4 = codebook.type() == v1::CodebookFormat::NF4;
      const CodebookFormat format{nf4 ? CodebookFormat::Type::kNf4 : CodebookFormat::Type::kKMeans, codebook.bits(),
                                  codebook.group_size()};
      ABSL_RETURN_IF_ERROR(CheckFormat(format));
      return Format(format);
    }
    case v1::Format::kLinears:
    case v1::Format::KIND_NOT_SET:
      break;
  }
  return FormatUnknownError("");
}

v1::Format ToProto(const Format& format) {
  v1::Format message;
  if (const auto* block = std::get_if<BlockType>(&format)) {
    message.mutable_block()->set_type(static_cast<v1::BlockFormat::Type>(SpecOf(*block).ggml_id));
  } else if (const auto* floats = std::get_if<FloatFormat>(&format)) {
    message.mutable_floats()->set_type(static_cast<v1::FloatFormat::Type>(static_cast<int>(*floats) + 1));
  } else if (const auto* integer = std::get_if<IntFormat>(&format)) {
    message.mutable_integer()->set_bits(integer->bits);
    message.mutable_integer()->set_group_size(integer->group_size);
    message.mutable_integer()->set_asymmetric(integer->asymmetric);
    message.mutable_integer()->set_half_scales(integer->half_scales);
    message.mutable_integer()->set_input_bits(integer->input_bits);
  } else if (const auto* codebook = std::get_if<CodebookFormat>(&format)) {
    const bool nf4 = codebook->type == CodebookFormat::Type::kNf4;
    message.mutable_codebook()->set_type(nf4 ? v1::CodebookFormat::NF4 : v1::CodebookFormat::K_MEANS);
    message.mutable_codebook()->set_bits(codebook->bits);
    message.mutable_codebook()->set_group_size(codebook->group_size);
  } else {
    message.mutable_plain();
  }
  return message;
}

absl::StatusOr<UnitFormats> UnitFormatsOf(const v1::Format& message) {
  std::vector<Format> formats;
  if (message.linears().formats_size() < 2) {
    ABSL_ASSIGN_OR_RETURN(formats.emplace_back(), FormatOf(message));
  }
  for (const v1::Format& format : message.linears().formats()) {
    ABSL_ASSIGN_OR_RETURN(formats.emplace_back(), FormatOf(format));
  }
  return UnitFormats(std::move(formats));
}

v1::Format ToProto(const UnitFormats& formats) {
  if (!formats.differ()) return ToProto(formats.Of(0));
  v1::Format message;
  for (const Format& format : formats.all()) *message.mutable_linears()->add_formats() = ToProto(format);
  return message;
}

bool SameFormat(const v1::Format& a, const v1::Format& b) {
  const auto formats_a = UnitFormatsOf(a), formats_b = UnitFormatsOf(b);
  if (!formats_a.ok() || !formats_b.ok()) return a.kind_case() == b.kind_case() && formats_a.ok() == formats_b.ok();
  return *formats_a == *formats_b;
}

UnitFormats PlannedFormats(const v1::UnitPlan& unit) { return Checked(unit.format()); }

Format PlannedFormat(const v1::UnitPlan& unit) {
  const UnitFormats formats = PlannedFormats(unit);
  CHECK(!formats.differ()) << unit.unit() << " has linears of formats " << formats.Name();
  return formats.Of(0);
}

std::string NameOf(const v1::Format& message) { return Checked(message).Name(); }

}  // namespace bitwright::worker
