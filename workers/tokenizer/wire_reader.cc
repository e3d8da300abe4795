#include "workers/tokenizer/wire_reader.h"

namespace bitwright::worker {

bool WireReader::Varint(uint64_t& value) {
  constexpr int kBits = 64;
  value = 0;
  for (int shift = 0; shift < kBits && !rest_.empty(); shift += 7) {
    const auto byte = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    value |= uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

bool WireReader::Fixed(size_t size) {
  if (rest_.size() < size) return false;
  number_ = 0;
  for (size_t i = size; i-- > 0;) number_ = number_ << 8 | static_cast<uint8_t>(rest_[i]);
  rest_.remove_prefix(size);
  return true;
}

bool WireReader::Value(uint64_t type) {
  kind_ = static_cast<Kind>(type);
  switch (kind_) {
    case Kind::kVarint:
      return Varint(number_);
    case Kind::kFixed64:
      return Fixed(8);
    case Kind::kFixed32:
      return Fixed(4);
    case Kind::kBytes: {
      uint64_t size = 0;
      if (!Varint(size) || size > rest_.size()) return false;
      bytes_ = rest_.substr(0, size);
      rest_.remove_prefix(size);
      return true;
    }
  }
  return false;
}

bool WireReader::Next() {
  if (damaged_ || rest_.empty()) return false;
  constexpr int kTypeBits = 3;
  uint64_t tag = 0;
  damaged_ = !Varint(tag) || !Value(tag & ((1U << kTypeBits) - 1));
  field_ = tag >> kTypeBits;
  damaged_ = damaged_ || field_ == 0;
  return !damaged_;
}

}  // namespace bitwright::worker
