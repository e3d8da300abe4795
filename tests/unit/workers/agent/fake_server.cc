#include "tests/unit/workers/agent/fake_server.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>

#include "absl/time/time.h"
#include "bitwright/v1/blobs.grpc.pb.h"
#include "bitwright/v1/workers.grpc.pb.h"
#include "google/bytestream/bytestream.grpc.pb.h"
#include "proto/base/errors.h"
#include "proto/base/log.h"
#include "proto/contract/grpc_status.h"
#include "proto/contract/names.h"

namespace bitwright::worker {
namespace {

using google::bytestream::QueryWriteStatusRequest;
using google::bytestream::QueryWriteStatusResponse;
using google::bytestream::ReadRequest;
using google::bytestream::ReadResponse;
using google::bytestream::WriteRequest;
using google::bytestream::WriteResponse;
using grpc::ServerContext;
using grpc::Status;

const Status kBroken(grpc::StatusCode::UNAVAILABLE, "broken by the test");

v1::Lease MakeLease(const std::string& task, const std::string& command, const v1::Digest& input,
                    const std::string& owner) {
  v1::Lease lease;
  lease.set_task(task);
  lease.set_owner(owner);
  lease.mutable_spec()->set_kind("inspect");
  lease.mutable_spec()->mutable_report()->set_model_display_name(command);
  auto* added = lease.mutable_spec()->add_inputs();
  added->set_name("model/a");
  *added->mutable_digest() = input;
  return lease;
}

}  // namespace

class FakeServer::Impl {
 public:
  Impl() : workers_(*this), blobs_(*this), bytes_(*this) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(&workers_);
    builder.RegisterService(&blobs_);
    builder.RegisterService(&bytes_);
    server_ = builder.BuildAndStart();
    CHECK(server_ != nullptr);
  }
  ~Impl() {
    {
      absl::MutexLock lock(&mutex);
      closing = true;
    }
    server_->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1));
  }
  int port() const { return port_; }

  absl::Mutex mutex;
  bool closing ABSL_GUARDED_BY(mutex) = false;
  Faults faults ABSL_GUARDED_BY(mutex);
  Seen seen ABSL_GUARDED_BY(mutex);
  std::deque<v1::Lease> leases ABSL_GUARDED_BY(mutex);
  std::deque<v1::Lease> small_leases ABSL_GUARDED_BY(mutex);
  std::map<std::string, std::string> held ABSL_GUARDED_BY(mutex);
  std::map<std::string, std::string> partial ABSL_GUARDED_BY(mutex);

 private:
  class Workers : public v1::WorkerService::Service {
   public:
    explicit Workers(Impl& impl) : impl_(impl) {}

    Status RegisterWorker(ServerContext*, const v1::RegisterWorkerRequest* request,
                          v1::RegisterWorkerResponse* response) override {
      absl::MutexLock lock(&impl_.mutex);
      if (impl_.faults.refuse_registrations-- > 0) return kBroken;
      impl_.seen.capacity = request->capacity();
      impl_.seen.workers.push_back("workers/w" + std::to_string(impl_.seen.workers.size()));
      response->set_worker(impl_.seen.workers.back());
      response->mutable_heartbeat_interval()->set_nanos(20'000'000);
      return Status::OK;
    }

    Status LeaseTask(ServerContext* context, const v1::LeaseTaskRequest* request,
                     v1::LeaseTaskResponse* response) override {
      absl::MutexLock lock(&impl_.mutex);
      ++impl_.seen.lease_calls;
      impl_.seen.small_lease_calls += request->small_only() ? 1 : 0;
      if (impl_.faults.forget_worker || request->worker() != impl_.seen.workers.back()) {
        impl_.faults.forget_worker = false;
        return ToGrpc(MakeError(absl::StatusCode::kNotFound, "WORKER_UNKNOWN", "who?"));
      }
      std::deque<v1::Lease>& leases = request->small_only() ? impl_.small_leases : impl_.leases;
      const auto ready = [&] {
        impl_.mutex.AssertHeld();
        return !leases.empty() || impl_.faults.drain || impl_.faults.dismiss || impl_.closing || context->IsCancelled();
      };
      const absl::Time end =
          absl::Now() + absl::Nanoseconds(request->max_wait().nanos()) + absl::Seconds(request->max_wait().seconds());
      // A cancelled call changes nothing that the mutex guards, so it is looked at every now and then.
      while (!impl_.mutex.AwaitWithTimeout(absl::Condition(&ready), absl::Milliseconds(20)) && absl::Now() < end) {
      }
      if (impl_.faults.dismiss) {
        return ToGrpc(MakeError(absl::StatusCode::kFailedPrecondition, "WORKER_DRAINED", "leave"));
      }
      if (leases.empty() || context->IsCancelled()) return Status::OK;
      *response->mutable_lease() = leases.front();
      leases.pop_front();
      return Status::OK;
    }

    Status Heartbeat(ServerContext*, const v1::HeartbeatRequest* request, v1::HeartbeatResponse* response) override {
      absl::MutexLock lock(&impl_.mutex);
      impl_.seen.heartbeats.push_back(*request);
      for (const auto& task : impl_.faults.lost) response->add_lost(task);
      for (const auto& owner : request->owners()) {
        if (std::find(impl_.faults.live.begin(), impl_.faults.live.end(), owner) == impl_.faults.live.end()) {
          response->add_ended_owners(owner);
        }
      }
      response->set_drain(impl_.faults.drain);
      return Status::OK;
    }

    Status CompleteTask(ServerContext*, const v1::CompleteTaskRequest* request, v1::CompleteTaskResponse*) override {
      absl::MutexLock lock(&impl_.mutex);
      if (impl_.faults.refuse_results-- > 0) {
        return ToGrpc(MakeError(absl::StatusCode::kResourceExhausted, "DISK_FULL", "no room"));
      }
      impl_.seen.completed.push_back(*request);
      return Status::OK;
    }

    Status FailTask(ServerContext*, const v1::FailTaskRequest* request, v1::FailTaskResponse*) override {
      absl::MutexLock lock(&impl_.mutex);
      impl_.seen.failed.push_back(*request);
      return Status::OK;
    }

    Status DeregisterWorker(ServerContext*, const v1::DeregisterWorkerRequest*,
                            v1::DeregisterWorkerResponse*) override {
      absl::MutexLock lock(&impl_.mutex);
      impl_.seen.deregistered = true;
      return Status::OK;
    }

   private:
    Impl& impl_;
  };

  class Blobs : public v1::BlobService::Service {
   public:
    explicit Blobs(Impl& impl) : impl_(impl) {}
    Status FindMissingBlobs(ServerContext*, const v1::FindMissingBlobsRequest* request,
                            v1::FindMissingBlobsResponse* response) override {
      absl::MutexLock lock(&impl_.mutex);
      for (const auto& digest : request->digests()) {
        if (!impl_.held.contains(digest.sha256())) *response->add_missing() = digest;
      }
      return Status::OK;
    }

   private:
    Impl& impl_;
  };

  class Bytes : public google::bytestream::ByteStream::Service {
   public:
    explicit Bytes(Impl& impl) : impl_(impl) {}

    Status Read(ServerContext*, const ReadRequest* request, grpc::ServerWriter<ReadResponse>* writer) override {
      std::string bytes;
      int64_t limit = -1;
      {
        absl::MutexLock lock(&impl_.mutex);
        impl_.seen.read_offsets.push_back(request->read_offset());
        const auto digest = ParseReadName(request->resource_name());
        const auto found = digest.ok() ? impl_.held.find(digest->sha256) : impl_.held.end();
        if (found == impl_.held.end()) return Status(grpc::StatusCode::NOT_FOUND, "no such blob");
        bytes = found->second.substr(request->read_offset());
        if (request->read_limit() > 0) bytes = bytes.substr(0, request->read_limit());
        impl_.seen.bytes_read += static_cast<int64_t>(bytes.size());
        if (impl_.faults.corrupt_reads) bytes[0] ^= 1;
        limit = std::exchange(impl_.faults.break_read_after, -1);
      }
      const bool breaks = limit >= 0;
      if (breaks) bytes.resize(limit);
      for (size_t at = 0; at < bytes.size(); at += 1000) {
        ReadResponse response;
        response.set_data(bytes.substr(at, 1000));
        writer->Write(response);
      }
      return breaks ? kBroken : Status::OK;
    }

    Status Write(ServerContext*, grpc::ServerReader<WriteRequest>* reader, WriteResponse* response) override {
      WriteRequest request;
      std::string name;
      while (reader->Read(&request)) {
        absl::MutexLock lock(&impl_.mutex);
        if (name.empty()) {
          name = request.resource_name();
          impl_.seen.write_offsets.push_back(request.write_offset());
        }
        std::string& part = impl_.partial[name];
        if (request.write_offset() != static_cast<int64_t>(part.size())) {
          return Status(grpc::StatusCode::INVALID_ARGUMENT, "wrong offset");
        }
        part += request.data();
        if (impl_.faults.break_write_after >= 0 &&
            static_cast<int64_t>(part.size()) >= impl_.faults.break_write_after) {
          impl_.faults.break_write_after = -1;
          return kBroken;
        }
        if (!request.finish_write()) continue;
        const auto upload = ParseUploadName(name);
        if (!upload.ok() || DigestOf(part) != upload->digest) {
          return Status(grpc::StatusCode::INVALID_ARGUMENT, "wrong digest");
        }
        impl_.held[upload->digest.sha256] = part;
        response->set_committed_size(static_cast<int64_t>(part.size()));
        return Status::OK;
      }
      return kBroken;
    }

    Status QueryWriteStatus(ServerContext*, const QueryWriteStatusRequest* request,
                            QueryWriteStatusResponse* response) override {
      absl::MutexLock lock(&impl_.mutex);
      const auto found = impl_.partial.find(request->resource_name());
      if (found == impl_.partial.end()) return Status(grpc::StatusCode::NOT_FOUND, "no such upload");
      response->set_committed_size(static_cast<int64_t>(found->second.size()));
      return Status::OK;
    }

   private:
    Impl& impl_;
  };

  Workers workers_;
  Blobs blobs_;
  Bytes bytes_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

FakeServer::FakeServer() : impl_(std::make_unique<Impl>()), address_("127.0.0.1:" + std::to_string(impl_->port())) {}
FakeServer::~FakeServer() = default;

v1::Digest FakeServer::Put(const std::string& bytes) {
  const BlobDigest digest = DigestOf(bytes);
  absl::MutexLock lock(&impl_->mutex);
  impl_->held[digest.sha256] = bytes;
  return ToProto(digest);
}

std::string FakeServer::Get(const std::string& sha256) const {
  absl::MutexLock lock(&impl_->mutex);
  const auto found = impl_->held.find(sha256);
  return found == impl_->held.end() ? std::string() : found->second;
}

void FakeServer::AddLease(const std::string& task, const std::string& command, const v1::Digest& input,
                          const std::string& owner) {
  const v1::Lease lease = MakeLease(task, command, input, owner);
  absl::MutexLock lock(&impl_->mutex);
  impl_->leases.push_back(lease);
  impl_->leases.back().set_fencing_token(static_cast<int64_t>(impl_->leases.size()) + 6);
}

void FakeServer::AddSmallLease(const std::string& task, const std::string& command, const v1::Digest& input,
                               const std::string& owner) {
  const v1::Lease lease = MakeLease(task, command, input, owner);
  absl::MutexLock lock(&impl_->mutex);
  impl_->small_leases.push_back(lease);
  impl_->small_leases.back().set_fencing_token(static_cast<int64_t>(impl_->small_leases.size()) + 106);
}

void FakeServer::SetFaults(const std::function<void(Faults&)>& change) {
  absl::MutexLock lock(&impl_->mutex);
  change(impl_->faults);
}

bool FakeServer::WaitUntil(const std::function<bool(const Seen&)>& condition) const {
  absl::MutexLock lock(&impl_->mutex);
  const auto holds = [&] {
    impl_->mutex.AssertHeld();
    return condition(impl_->seen);
  };
  return impl_->mutex.AwaitWithTimeout(absl::Condition(&holds), absl::Seconds(30));
}

FakeServer::Seen FakeServer::seen() const {
  absl::MutexLock lock(&impl_->mutex);
  return impl_->seen;
}

}  // namespace bitwright::worker
