#pragma once

#include <cstdint>
#include <string_view>

namespace bitwright::worker {

// Walks the fields of one protobuf message (the wire format of Protocol Buffers). Hostile: nothing outside of `message`
// is read, whatever its lengths say. Groups, which no message since 2008 uses, are taken for damage.
class WireReader {
 public:
  enum class Kind { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

  explicit WireReader(std::string_view message) : rest_(message) {}

  // False: there is no further field, or the message is damaged.
  bool Next();
  bool damaged() const { return damaged_; }

  uint64_t field() const { return field_; }
  Kind kind() const { return kind_; }
  uint64_t number() const { return number_; }        // of kVarint, kFixed64, kFixed32
  std::string_view bytes() const { return bytes_; }  // of kBytes

 private:
  bool Varint(uint64_t& value);
  bool Fixed(size_t size);
  bool Value(uint64_t type);

  std::string_view rest_;
  bool damaged_ = false;
  uint64_t field_ = 0;
  Kind kind_ = Kind::kVarint;
  uint64_t number_ = 0;
  std::string_view bytes_;
};

}  // namespace bitwright::worker
