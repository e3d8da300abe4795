// Upload rate of one ByteStream.Write stream: upload_bench ADDRESS [MiB]. Start the server with its data directory on
// tmpfs, so that the disk is not what is measured. The client's own hashing is left out: the digest is taken before.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>

#include "google/bytestream/bytestream.grpc.pb.h"
#include "grpcpp/grpcpp.h"
#include "proto/contract/digest.h"
#include "proto/contract/grpc_status.h"
#include "proto/contract/names.h"

namespace bitwright::worker {
namespace {

constexpr size_t kChunk = 1 << 20;

int Run(const std::string& address, size_t mebibytes) {
  std::string data(mebibytes * kChunk, '\0');
  std::mt19937_64 random(std::random_device{}());  // a new blob each time: a held one ends early
  for (size_t i = 0; i < data.size(); i += 4096) data[i] = static_cast<char>(random());
  const BlobDigest digest = DigestOf(data);
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_FRAME_SIZE, 4 << 20);
  arguments.SetInt(GRPC_ARG_HTTP2_WRITE_BUFFER_SIZE, 4 << 20);
  const auto channel = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  const auto stub = google::bytestream::ByteStream::NewStub(channel);
  const auto start = std::chrono::steady_clock::now();
  grpc::ClientContext context;
  google::bytestream::WriteResponse response;
  const auto writer = stub->Write(&context, &response);
  google::bytestream::WriteRequest request;
  request.set_resource_name(UploadNameText({"bench-" + digest.sha256.substr(0, 8), digest}));
  for (size_t offset = 0; offset < data.size(); offset += kChunk) {
    request.set_write_offset(static_cast<int64_t>(offset));
    request.set_data(data.data() + offset, kChunk);
    request.set_finish_write(offset + kChunk == data.size());
    if (!writer->Write(request)) break;
    request.clear_resource_name();
  }
  writer->WritesDone();
  const absl::Status status = FromGrpc(writer->Finish());
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n", status.ToString().c_str());
    return 1;
  }
  std::printf("%zu MiB in %.3f s: %.3f GB/s\n", mebibytes, taken.count(),
              static_cast<double>(data.size()) / taken.count() / 1e9);
  return 0;
}

}  // namespace
}  // namespace bitwright::worker

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  return bitwright::worker::Run(argv[1], argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 1024);
}
