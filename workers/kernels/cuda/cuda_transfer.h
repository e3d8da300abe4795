#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "workers/base/thread_pool.h"
#include "workers/kernels/cuda/cuda_memory.h"
#include "workers/kernels/device.h"
#include "workers/tensor/tensor.h"

namespace bitwright::worker::cuda {

// The way between the host's memory and a card's: Device's operations of these names. All goes through two pieces of
// pinned memory in turn, so that the pool's threads fill one while the other travels; elements travel as they are
// stored and are widened on the card. What was put on its way is in the order of the stream; the host's memory may go
// when a call returns.
class Transfer {
 public:
  // Both must outlive it.
  Transfer(const Context& context, ThreadPool& pool);
  ~Transfer();
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  void Write(std::span<const float> from, const Wide& to);
  void Read(const Wide& from, std::span<float> to);
  void Load(const TensorView& tensor, int64_t first, const Wide& to);
  void LoadTransposed(const TensorView& tensor, const Wide& to);
  void LoadRows(const TensorView& table, std::span<const int32_t> rows, float factor, bool add, const Wide& to);
  void ReadTriangle(const Wide& from, float factor, std::span<float> to);

 private:
  // Pinned memory for `bytes`, at most a piece; what is put there must be sent before the next call.
  std::byte* Take(int64_t bytes);
  // Copies with the pool's threads.
  void CopyHost(const std::byte* from, int64_t bytes, std::byte* to);

  // Calls send(pinned) to put the copy of the next `floats` on the stream, and hands on what the call before sent.
  template <typename Send>
  void Receive(int64_t floats, float* to, const Send& send);
  void Deliver();

  std::byte* Half(int half);

  struct Delivery {
    float* to = nullptr;
    int64_t floats = 0;
    int half = 0;
  };

  const Context& context_;
  ThreadPool& pool_;
  std::byte* pinned_ = nullptr;           // two halves, from the first use on
  std::array<cudaEvent_t, 2> left_ = {};  // the stream has done what used each half
  int half_ = 0;
  int64_t used_ = 0;  // bytes of this half
  Delivery underway_;
};

}  // namespace bitwright::worker::cuda
