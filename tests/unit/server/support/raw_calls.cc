#include "tests/unit/server/support/raw_calls.h"

#include <algorithm>
#include <chrono>

#include "proto/base/log.h"
#include "proto/base/random_id.h"
#include "proto/contract/names.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/server/support/fake_tasks.h"

namespace bitwright::server {

using google::bytestream::ReadRequest;
using google::bytestream::ReadResponse;
using google::bytestream::WriteRequest;
using google::bytestream::WriteResponse;

RawCalls::RawCalls(const std::string& address) : id_(RandomId()) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  channel = grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
  blobs = v1::BlobService::NewStub(channel);
  workers = v1::WorkerService::NewStub(channel);
  bytes = google::bytestream::ByteStream::NewStub(channel);
}

std::unique_ptr<grpc::ClientContext> RawCalls::Context(int seconds) {
  auto context = std::make_unique<grpc::ClientContext>();
  context->set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(seconds));
  context->set_wait_for_ready(true);
  return context;
}

absl::StatusOr<int64_t> RawCalls::Upload(const std::string& uuid, const BlobDigest& digest, std::string_view data,
                                         int64_t offset, bool finish, size_t chunk) {
  const auto context = Context();
  WriteResponse response;
  const auto writer = bytes->Write(context.get(), &response);
  WriteRequest request;
  request.set_resource_name(UploadNameText({uuid, digest}));
  size_t sent = 0;
  do {
    const size_t size = std::min(chunk, data.size() - sent);
    request.set_write_offset(offset + static_cast<int64_t>(sent));
    request.set_data(data.data() + sent, size);
    sent += size;
    request.set_finish_write(finish && sent == data.size());
    if (!writer->Write(request)) break;
    request.clear_resource_name();
  } while (sent < data.size());
  writer->WritesDone();
  const absl::Status status = FromGrpc(writer->Finish());
  if (!status.ok()) return status;
  return response.committed_size();
}

BlobDigest RawCalls::Put(const std::string& data) {
  const BlobDigest digest = DigestOf(data);
  const auto committed = Upload(id_ + "-" + std::to_string(++uploads_), digest, data);
  CHECK(committed.ok() && *committed == digest.size_bytes) << committed.status().ToString();
  return digest;
}

absl::StatusOr<std::string> RawCalls::Read(const std::string& name, int64_t offset, int64_t limit) {
  const auto context = Context();
  ReadRequest request;
  request.set_resource_name(name);
  request.set_read_offset(offset);
  request.set_read_limit(limit);
  const auto reader = bytes->Read(context.get(), request);
  std::string data;
  ReadResponse response;
  while (reader->Read(&response)) data += response.data();
  const absl::Status status = FromGrpc(reader->Finish());
  if (!status.ok()) return status;
  return data;
}

std::string RawCalls::Register() {
  v1::RegisterWorkerRequest request;
  v1::WorkerCapacity& capacity = *request.mutable_capacity();
  capacity.set_cores(2);
  capacity.set_memory_bytes(int64_t{64} << 30);
  capacity.set_compute_class("cpu-avx2");
  capacity.set_code_version("code1");
  capacity.set_host("test");
  const auto response = Call<v1::RegisterWorkerResponse>(*workers, &v1::WorkerService::Stub::RegisterWorker, request);
  CHECK(response.ok()) << response.status().ToString();
  return response->worker();
}

std::optional<v1::Lease> RawCalls::Lease(const std::string& worker, int wait_seconds) {
  v1::LeaseTaskRequest request;
  request.set_worker(worker);
  request.mutable_max_wait()->set_seconds(wait_seconds);
  auto response = Call<v1::LeaseTaskResponse>(*workers, &v1::WorkerService::Stub::LeaseTask, request);
  if (!response.ok() || !response->has_lease()) return std::nullopt;
  const auto bytes_of_it = static_cast<int64_t>(response->ByteSizeLong());
  largest_lease = std::max(largest_lease, bytes_of_it);
  if (response->lease().spec().has_report()) report_lease = bytes_of_it;
  return response->lease();
}

absl::Status RawCalls::Complete(const std::string& worker, const v1::Lease& lease) {
  v1::CompleteTaskRequest request;
  request.set_worker(worker);
  request.set_task(lease.task());
  request.set_fencing_token(lease.fencing_token());
  for (const auto& [name, data] : FakeOutputs(lease.spec(), {}, windows)) {
    v1::TaskOutput* output = request.mutable_result()->add_outputs();
    output->set_name(name);
    *output->mutable_digest() = ToProto(Put(data));
  }
  return Call<v1::CompleteTaskResponse>(*workers, &v1::WorkerService::Stub::CompleteTask, request).status();
}

int RawCalls::RunTasks(int limit) {
  const std::string worker = Register();
  for (int ran = 0; ran < limit; ++ran) {
    // What follows from a completion is on its way when that is answered.
    const std::optional<v1::Lease> lease = Lease(worker, 1);
    if (!lease) return ran;
    EXPECT_THAT(Complete(worker, *lease), IsOk());
  }
  return limit;
}

}  // namespace bitwright::server
