#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <random>
#include <thread>

#include "proto/base/files.h"
#include "proto/base/owned_fd.h"
#include "proto/contract/names.h"
#include "proto/transfer/write_call.h"
#include "tests/bench/service/daemon.h"
#include "tests/bench/service/pace.h"
#include "tests/bench/service/process_use.h"
#include "tests/bench/service/row.h"
#include "tests/bench/service/scenarios.h"
#include "tests/bench/service/workload.h"

namespace bitwright::server {
namespace {

constexpr int64_t kChunk = 1 << 20;
constexpr int64_t kRepeated = 64 * kChunk;
constexpr int kStreams = 16;
constexpr double kBeatPause = 0.01;
constexpr double kMiB = 1 << 20;

// Random bytes that need no file and no room: 64 MiB over and over, each MiB with its number at its start. Another seed
// is another blob. Not thread-safe.
class RandomBlob {
 public:
  RandomBlob(int64_t size_bytes, uint64_t seed) : size_bytes_(size_bytes / kChunk * kChunk), seed_(seed) {
    std::mt19937_64 random(seed);
    base_.resize(std::min(kRepeated, size_bytes_) / sizeof(uint64_t));
    for (uint64_t& word : base_) word = random();
  }
  int64_t size_bytes() const { return size_bytes_; }
  // The MiB at this offset; valid until the next call.
  std::string_view Chunk(int64_t offset) {
    char* chunk =
        reinterpret_cast<char*>(base_.data()) + offset % static_cast<int64_t>(base_.size() * sizeof(uint64_t));
    const uint64_t stamp[2] = {seed_, static_cast<uint64_t>(offset / kChunk)};
    std::memcpy(chunk, stamp, sizeof stamp);
    return {chunk, kChunk};
  }

 private:
  int64_t size_bytes_;
  uint64_t seed_;
  std::vector<uint64_t> base_;
};

struct Hashed {
  BlobDigest digest;
  double bytes_per_second = 0;
};

Hashed Hash(RandomBlob& blob) {
  const double start = NowSeconds();
  Sha256 hash;
  for (int64_t offset = 0; offset < blob.size_bytes(); offset += kChunk) hash.Update(blob.Chunk(offset));
  BlobDigest digest{hash.Finish(), blob.size_bytes()};
  return {std::move(digest), static_cast<double>(blob.size_bytes()) / (NowSeconds() - start)};
}

double CopyBytesPerSecond(RandomBlob& blob, const std::string& folder) {
  const std::string path = folder + "/copy";
  const double start = NowSeconds();
  {
    const OwnedFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    for (int64_t offset = 0; offset < blob.size_bytes(); offset += kChunk) {
      CHECK(WriteAll(file.get(), blob.Chunk(offset)) == 0) << path << " cannot be written";
    }
    CHECK(::fsync(file.get()) == 0) << path << " cannot be written";
  }
  const double taken = NowSeconds() - start;
  ::unlink(path.c_str());
  return static_cast<double>(blob.size_bytes()) / taken;
}

// Sends [begin, end) on one stream; what ends at the blob's end finishes it.
void Send(Calls& calls, const UploadName& name, RandomBlob& blob, int64_t begin, int64_t end) {
  const auto context = PatientContext();
  google::bytestream::WriteResponse response;
  const auto writer = OpenWriteCall(*calls.channel, context.get(), &response);
  google::bytestream::WriteRequest request;
  request.set_resource_name(UploadNameText(name));
  for (int64_t offset = begin; offset < end; offset += kChunk) {
    const std::string_view chunk = blob.Chunk(offset);
    request.set_write_offset(offset);
    request.set_finish_write(offset + kChunk == blob.size_bytes());
    // The server takes far less ahead than what comes before these bytes are others.
    const grpc::Slice data(chunk.data(), chunk.size(), grpc::Slice::STATIC_SLICE);
    if (!writer->Write(WriteCallMessage(request, data))) break;
    request.clear_resource_name();
  }
  writer->WritesDone();
  const absl::Status status = FromGrpc(writer->Finish());
  CHECK(status.ok()) << status.ToString();
  CHECK(response.committed_size() == end) << response.committed_size() << " of " << end << " bytes were taken";
}

int64_t Committed(Calls& calls, const UploadName& name) {
  google::bytestream::QueryWriteStatusRequest request;
  request.set_resource_name(UploadNameText(name));
  return Calls::Must<google::bytestream::QueryWriteStatusResponse>(
             *calls.bytes, &google::bytestream::ByteStream::Stub::QueryWriteStatus, request)
      .committed_size();
}

// Something that is done again and again beside the measured work, until the object goes.
class Beside {
 public:
  Beside(double pause, std::function<void()> body)
      : thread_([this, pause, body = std::move(body)] {
          for (; !stop_; Rest(pause)) body();
        }) {}
  ~Beside() {
    stop_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

void MeasureOne(const BenchOptions& options) {
  Daemon daemon(options.bitwrightd, options.data_dir);
  Calls calls(daemon.address());
  calls.Put("the first upload, which makes what every further one needs");
  RandomBlob blob(options.upload_bytes, std::random_device{}());
  const Hashed hashed = Hash(blob);
  const double copied = CopyBytesPerSecond(blob, daemon.folder());
  const int64_t before = ResidentBytes(daemon.process());
  int64_t most = before;
  double uploaded = 0;
  const CpuShare client(::getpid());
  {
    const Beside watching(0.05, [&] { most = std::max(most, ResidentBytes(daemon.process())); });
    const double start = NowSeconds();
    Send(calls, {"bench", hashed.digest}, blob, 0, blob.size_bytes());
    uploaded = static_cast<double>(blob.size_bytes()) / (NowSeconds() - start);
  }
  Row("upload of " + std::to_string(blob.size_bytes() / kChunk) + " MiB")
      .AtLeast("upload / slower of both", uploaded / std::min(hashed.bytes_per_second, copied), "", 0.8)
      .Value("upload", uploaded / kMiB, "MiB/s")
      .Value("SHA-256", hashed.bytes_per_second / kMiB, "MiB/s")
      .Value("write and fsync", copied / kMiB, "MiB/s")
      .AtMost("resident grew by", static_cast<double>(most - before) / kMiB, "MiB", 256)
      .Value("client", 100 * client.Take(), "% of a core")
      .Print();
}

// Every stream was broken off in the middle; all go on at once, while a worker says that it lives.
void MeasureResumed(const BenchOptions& options) {
  Daemon daemon(options.bitwrightd, options.data_dir);
  Calls calls(daemon.address());
  v1::HeartbeatRequest beat;
  beat.set_worker(calls.Register(1));
  const int64_t size = std::max(2 * kChunk, options.upload_bytes / kStreams / kChunk * kChunk);
  std::vector<std::thread> threads;
  std::atomic<int> halfway{0};
  std::atomic<bool> go_on{false};
  for (int t = 0; t < kStreams; ++t) {
    threads.emplace_back([&, t] {
      Calls own(daemon.address());
      RandomBlob blob(size, std::random_device{}());
      const UploadName name{"bench-" + std::to_string(t), Hash(blob).digest};
      const int64_t half = size / 2 / kChunk * kChunk;
      Send(own, name, blob, 0, half);
      halfway += 1;
      while (!go_on) Rest(0.001);
      CHECK(Committed(own, name) == half) << "bytes of an upload are lost";
      Send(own, name, blob, half, size);
    });
  }
  while (halfway < kStreams) Rest(0.001);
  Latencies beats;
  const double start = NowSeconds();
  {
    const Beside beating(kBeatPause, [&] {
      const double before = NowSeconds();
      calls.Beat(beat);
      beats.Add(NowSeconds() - before);
    });
    go_on = true;
    for (std::thread& thread : threads) thread.join();
  }
  Row(std::to_string(kStreams) + " resumed uploads of " + std::to_string(size / kChunk) + " MiB")
      .AtMost("longest heartbeat", 1e3 * beats.Max(), "ms", 500)
      .Value("of", static_cast<double>(beats.size()), "")
      .Value("seconds", NowSeconds() - start, "s")
      .Print();
}

}  // namespace

void MeasureUploads(const BenchOptions& options) {
  MeasureOne(options);
  MeasureResumed(options);
}

}  // namespace bitwright::server
