#pragma once

#include <cstdint>
#include <cstdlib>
#include <limits>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

#include <sys/mman.h>

namespace bitwright::worker {

// Uninitialized memory for `size` elements of a plain type, 64-byte aligned; large ones ask for huge pages (twice the
// memory bandwidth on the machines seen). Move only. Throws std::bad_alloc when memory is
// out, std::bad_array_new_length for a size that no machine has.
template <typename T>
class Buffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Buffer() = default;
  explicit Buffer(int64_t size) : size_(size) {
    if (size == 0) return;
    if (size < 0 || size > std::numeric_limits<int64_t>::max() / 2 / static_cast<int64_t>(sizeof(T))) {
      throw std::bad_array_new_length();
    }
    const size_t large = size_t{1} << 22;
    const size_t align = static_cast<size_t>(size) * sizeof(T) >= large ? size_t{1} << 21 : 64;
    const size_t bytes = (static_cast<size_t>(size) * sizeof(T) + align - 1) / align * align;
    data_ = static_cast<T*>(std::aligned_alloc(align, bytes));
    if (data_ == nullptr) throw std::bad_alloc();
    if (align > 64) ::madvise(data_, bytes, MADV_HUGEPAGE);
  }
  ~Buffer() { std::free(data_); }
  Buffer(Buffer&& other) noexcept : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }

  T* data() { return data_; }
  const T* data() const { return data_; }
  int64_t size() const { return size_; }
  T& operator[](int64_t i) { return data_[i]; }
  const T& operator[](int64_t i) const { return data_[i]; }
  std::span<T> span() { return {data_, static_cast<size_t>(size_)}; }
  std::span<const T> span() const { return {data_, static_cast<size_t>(size_)}; }

 private:
  T* data_ = nullptr;
  int64_t size_ = 0;
};

}  // namespace bitwright::worker
