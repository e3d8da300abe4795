#include "workers/kernels/cuda/cuda_transfer.h"

#include <algorithm>
#include <cstring>

#include "workers/kernels/cuda/moments.h"
#include "workers/kernels/cuda/widen.h"
#include "workers/tensor/packed_triangle.h"

namespace bitwright::worker::cuda {
namespace {

constexpr int64_t kHalfBytes = int64_t{16} << 20;
constexpr int64_t kCopyBytes = int64_t{1} << 20;  // that one thread copies at a time
constexpr int64_t kAlignment = 256;               // of what lies behind one another in a half
constexpr int64_t kFloat = sizeof(float);

// A part of a matrix that fits in a half: whole rows, or some columns of one.
struct Piece {
  int64_t row, column, rows, columns;

  int64_t elements() const { return rows * columns; }
  Wide Of(const Wide& m) const { return {m.data + row * m.stride + column, rows, columns, m.stride}; }
};

template <typename F>
void ForPieces(int64_t rows, int64_t columns, int64_t element_bytes, const F& body) {
  if (rows * columns == 0) return;
  const int64_t most = kHalfBytes / element_bytes, width = std::min(columns, most);
  const int64_t height = width < columns ? 1 : most / columns;
  for (int64_t r = 0; r < rows; r += height) {
    for (int64_t c = 0; c < columns; c += width) {
      body(Piece{r, c, std::min(height, rows - r), std::min(width, columns - c)});
    }
  }
}

Array<std::byte> RoomOf(const Context& context, int64_t elements, int64_t element_bytes) {
  return {context, std::min(elements * element_bytes, kHalfBytes)};
}

void Send(const Context& context, const std::byte* pinned, int64_t bytes, std::byte* to) {
  Check(cudaMemcpyAsync(to, pinned, static_cast<size_t>(bytes), cudaMemcpyHostToDevice, context.stream),
        "copying to the device");
}

void Copy(const Context& context, const void* from, int64_t from_stride, int64_t rows, int64_t columns, void* to,
          int64_t to_stride, cudaMemcpyKind kind) {
  const auto bytes = [](int64_t floats) { return static_cast<size_t>(floats * kFloat); };
  Check(cudaMemcpy2DAsync(to, bytes(to_stride), from, bytes(from_stride), bytes(columns), static_cast<size_t>(rows),
                          kind, context.stream),
        "copying between host and device");
}

}  // namespace

Transfer::Transfer(const Context& context, ThreadPool& pool) : context_(context), pool_(pool) {}

Transfer::~Transfer() {
  if (pinned_ == nullptr) return;
  (void)cudaStreamSynchronize(context_.stream);
  for (cudaEvent_t event : left_) (void)cudaEventDestroy(event);
  (void)cudaFreeHost(pinned_);
}

std::byte* Transfer::Half(int half) {
  if (pinned_ == nullptr) {
    for (cudaEvent_t& event : left_) {
      if (event == nullptr) Check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "making an event");
    }
    Check(cudaMallocHost(reinterpret_cast<void**>(&pinned_), 2 * kHalfBytes), "allocating pinned memory");
  }
  return pinned_ + half * kHalfBytes;
}

std::byte* Transfer::Take(int64_t bytes) {
  Half(0);  // so that it is there
  if (used_ + bytes > kHalfBytes) {
    Check(cudaEventRecord(left_[half_], context_.stream), "marking a copy");
    half_ = 1 - half_;
    used_ = 0;
    Check(cudaEventSynchronize(left_[half_]), "waiting for a copy");
  }
  std::byte* taken = Half(half_) + used_;
  used_ += (bytes + kAlignment - 1) / kAlignment * kAlignment;
  return taken;
}

void Transfer::CopyHost(const std::byte* from, int64_t bytes, std::byte* to) {
  if (bytes <= kCopyBytes) {
    std::memcpy(to, from, static_cast<size_t>(bytes));
    return;
  }
  pool_.ParallelFor((bytes + kCopyBytes - 1) / kCopyBytes, [&](int64_t part, int) {
    const int64_t at = part * kCopyBytes;
    std::memcpy(to + at, from + at, static_cast<size_t>(std::min(kCopyBytes, bytes - at)));
  });
}

void Transfer::Write(std::span<const float> from, const Wide& to) {
  ForPieces(to.rows, to.columns, kFloat, [&](const Piece& piece) {
    std::byte* pinned = Take(piece.elements() * kFloat);
    const float* at = from.data() + piece.row * to.columns + piece.column;
    CopyHost(reinterpret_cast<const std::byte*>(at), piece.elements() * kFloat, pinned);
    Copy(context_, pinned, piece.columns, piece.rows, piece.columns, piece.Of(to).data, to.stride,
         cudaMemcpyHostToDevice);
  });
}

template <typename Send>
void Transfer::Receive(int64_t floats, float* to, const Send& send) {
  const int half = 1 - underway_.half;
  send(Half(half));
  Check(cudaEventRecord(left_[half], context_.stream), "marking a copy");
  Deliver();
  underway_ = {to, floats, half};
}

void Transfer::Deliver() {
  if (underway_.floats == 0) return;
  Check(cudaEventSynchronize(left_[underway_.half]), "reading from the device");
  CopyHost(Half(underway_.half), underway_.floats * kFloat, reinterpret_cast<std::byte*>(underway_.to));
  underway_.floats = 0;
  used_ = kHalfBytes;  // the next Take begins a half, and waits for what the stream does with it
}

void Transfer::Read(const Wide& from, std::span<float> to) {
  ForPieces(from.rows, from.columns, kFloat, [&](const Piece& piece) {
    Receive(piece.elements(), to.data() + piece.row * from.columns + piece.column, [&](std::byte* pinned) {
      Copy(context_, piece.Of(from).data, from.stride, piece.rows, piece.columns, pinned, piece.columns,
           cudaMemcpyDeviceToHost);
    });
  });
  Deliver();
}

void Transfer::ReadTriangle(const Wide& from, float factor, std::span<float> to) {
  const int64_t n = from.rows, most = kHalfBytes / kFloat;
  const Array<float> packed(context_, std::min(PackedTriangleSize(n), most));
  for (int64_t first = 0, count = 0; first < n; first += count) {
    const int64_t begin = PackedTriangleIndex(n, first, first);
    const auto end = [&](int64_t row) { return row < n ? PackedTriangleIndex(n, row, row) : PackedTriangleSize(n); };
    for (count = 1; first + count < n && end(first + count + 1) - begin <= most;) ++count;
    const int64_t floats = end(first + count) - begin;
    Check(PackTriangle(from, factor, first, count, packed.data(), context_.stream), "packing a triangle");
    Receive(floats, to.data() + begin, [&](std::byte* pinned) {
      Check(cudaMemcpyAsync(pinned, packed.data(), static_cast<size_t>(floats * kFloat), cudaMemcpyDeviceToHost,
                            context_.stream),
            "reading a triangle");
    });
  }
  Deliver();
}

void Transfer::Load(const TensorView& tensor, int64_t first, const Wide& to) {
  const int64_t size = ByteSize(tensor.dtype);
  const Array<std::byte> stored = RoomOf(context_, to.rows * to.columns, size);
  ForPieces(to.rows, to.columns, size, [&](const Piece& piece) {
    const int64_t bytes = piece.elements() * size;
    std::byte* pinned = Take(bytes);
    CopyHost(tensor.bytes.data() + (first + piece.row * to.columns + piece.column) * size, bytes, pinned);
    Send(context_, pinned, bytes, stored.data());
    Check(Widen(stored.data(), tensor.dtype, 1, false, piece.Of(to), context_.stream), "loading a tensor");
  });
}

void Transfer::LoadTransposed(const TensorView& tensor, const Wide& to) {
  const int64_t size = ByteSize(tensor.dtype), in = to.columns, out = to.rows;
  const Array<std::byte> stored = RoomOf(context_, in * out, size);
  ForPieces(in, out, size, [&](const Piece& piece) {
    const int64_t bytes = piece.elements() * size;
    std::byte* pinned = Take(bytes);
    CopyHost(tensor.bytes.data() + (piece.row * out + piece.column) * size, bytes, pinned);
    Send(context_, pinned, bytes, stored.data());
    const Wide part{to.data + piece.column * to.stride + piece.row, piece.columns, piece.rows, to.stride};
    Check(WidenTransposed(stored.data(), tensor.dtype, part, context_.stream), "loading a tensor, transposed");
  });
}

void Transfer::LoadRows(const TensorView& table, std::span<const int32_t> rows, float factor, bool add,
                        const Wide& to) {
  const int64_t size = ByteSize(table.dtype);
  const Array<std::byte> stored = RoomOf(context_, to.rows * to.columns, size);
  ForPieces(to.rows, to.columns, size, [&](const Piece& piece) {
    const int64_t row_bytes = piece.columns * size;
    std::byte* pinned = Take(piece.rows * row_bytes);
    const int64_t share = std::max<int64_t>(1, kCopyBytes / row_bytes);
    pool_.ParallelFor((piece.rows + share - 1) / share, [&](int64_t part, int) {
      for (int64_t r = part * share; r < std::min((part + 1) * share, piece.rows); ++r) {
        const int64_t row = rows[static_cast<size_t>(piece.row + r)];
        const std::byte* from = table.bytes.data() + (row * to.columns + piece.column) * size;
        std::memcpy(pinned + r * row_bytes, from, static_cast<size_t>(row_bytes));
      }
    });
    Send(context_, pinned, piece.rows * row_bytes, stored.data());
    Check(Widen(stored.data(), table.dtype, factor, add, piece.Of(to), context_.stream), "loading rows");
  });
}

}  // namespace bitwright::worker::cuda
