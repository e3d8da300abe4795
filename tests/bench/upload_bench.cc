// Upload rate of one ByteStream.Write stream beside what bounds it: upload_bench ADDRESS FOLDER [MiB]. FOLDER lies on
// the file system of the server's data directory. The client's own hashing is left out: the digest is taken before.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <string>

#include "google/bytestream/bytestream.pb.h"
#include "grpcpp/grpcpp.h"
#include "proto/contract/digest.h"
#include "proto/contract/grpc_status.h"
#include "proto/contract/names.h"
#include "proto/transfer/write_call.h"

namespace bitwright::worker {
namespace {

constexpr size_t kChunk = 1 << 20;

double Seconds(const std::function<bool()>& body) {
  const auto start = std::chrono::steady_clock::now();
  if (!body()) std::exit(1);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Seconds until a copy is written, and until it is on the disk, too, as an upload that is acknowledged is.
struct CopySeconds {
  double written = 0;
  double flushed = 0;
};

CopySeconds CopyInto(const std::string& folder, const std::string& data) {
  const std::string path = folder + "/upload_bench.copy";
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
  CopySeconds taken;
  taken.written = Seconds([&] {
    for (size_t offset = 0; offset < data.size(); offset += kChunk) {
      if (::write(fd, data.data() + offset, kChunk) != static_cast<ssize_t>(kChunk)) return false;
    }
    return true;
  });
  taken.flushed = taken.written + Seconds([&] { return ::fsync(fd) == 0; });
  ::close(fd);
  ::unlink(path.c_str());
  return taken;
}

bool Upload(const std::string& address, const std::string& data, const BlobDigest& digest) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, 4 << 20);
  arguments.SetInt(GRPC_ARG_HTTP2_WRITE_BUFFER_SIZE, 4 << 20);
  const auto channel = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  grpc::ClientContext context;
  google::bytestream::WriteResponse response;
  const auto writer = OpenWriteCall(*channel, &context, &response);
  google::bytestream::WriteRequest request;
  request.set_resource_name(UploadNameText({"bench-" + digest.sha256.substr(0, 8), digest}));
  for (size_t offset = 0; offset < data.size(); offset += kChunk) {
    request.set_write_offset(static_cast<int64_t>(offset));
    request.set_finish_write(offset + kChunk == data.size());
    const grpc::Slice chunk(data.data() + offset, kChunk, grpc::Slice::STATIC_SLICE);
    if (!writer->Write(WriteCallMessage(request, chunk))) break;
    request.clear_resource_name();
  }
  writer->WritesDone();
  const absl::Status status = FromGrpc(writer->Finish());
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok();
}

int Run(const std::string& address, const std::string& folder, size_t mebibytes) {
  std::string data(mebibytes * kChunk, '\0');
  std::mt19937_64 random(std::random_device{}());  // a new blob each time: a held one ends early
  for (size_t i = 0; i < data.size(); i += 4096) data[i] = static_cast<char>(random());
  BlobDigest digest;
  const double hash = Seconds([&] {
    digest = DigestOf(data);
    return true;
  });
  const CopySeconds copy = CopyInto(folder, data);
  const double upload = Seconds([&] { return Upload(address, data, digest); });
  const double gigabytes = static_cast<double>(data.size()) / 1e9;
  std::printf(
      "%zu MiB: upload %.3f GB/s, SHA-256 on one core %.3f GB/s, copy %.3f GB/s (flushed %.3f GB/s); "
      "of the slower of these: %.2f (flushed %.2f)\n",
      mebibytes, gigabytes / upload, gigabytes / hash, gigabytes / copy.written, gigabytes / copy.flushed,
      std::max(hash, copy.written) / upload, std::max(hash, copy.flushed) / upload);
  return 0;
}

}  // namespace
}  // namespace bitwright::worker

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  return bitwright::worker::Run(argv[1], argv[2], argc > 3 ? std::strtoul(argv[3], nullptr, 10) : 1024);
}
