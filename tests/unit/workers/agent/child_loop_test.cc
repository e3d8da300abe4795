#include "workers/agent/child_loop.h"

#include <unistd.h>

#include <new>
#include <stdexcept>
#include <thread>

#include "bitwright/v1/tasks.pb.h"
#include "google/rpc/status.pb.h"
#include "proto/contract/digest.h"
#include "proto/contract/rpc_status.h"
#include "tests/support/fixtures.h"
#include "tests/support/status_matchers.h"
#include "workers/agent/pipe_frames.h"
#include "workers/base/files.h"
#include "workers/kernels/device.h"

namespace bitwright::worker {
namespace {

// A loop on its own thread, with a function as its tasks.
class ChildLoop : public ::testing::Test {
 protected:
  void Start(RunTaskFunction run_task, ConfineFunction confine = nullptr) {
    ASSERT_EQ(::pipe(in_), 0);
    ASSERT_EQ(::pipe(out_), 0);
    loop_ = std::thread([=, this] { status_ = RunChildLoop(in_[0], out_[1], run_task, confine); });
  }
  void Send() {
    v1::ExecuteRequest request;
    request.set_input_dir(dir_.path());
    request.set_output_dir(dir_.path());
    request.set_threads(2);
    auto* input = request.mutable_task()->add_inputs();
    input->set_name("data");
    input->mutable_digest()->set_sha256("abc");
    ASSERT_THAT(WriteFrame(in_[1], request), IsOk());
  }
  v1::ExecuteEvent Next() {
    v1::ExecuteEvent event;
    EXPECT_TRUE(*ReadFrame(out_[0], event));
    return event;
  }
  void End() {
    ::close(in_[1]);
    loop_.join();
    for (const int fd : {in_[0], out_[0], out_[1]}) ::close(fd);
  }

  TempDir dir_;
  int in_[2];
  int out_[2];
  std::thread loop_;
  absl::Status status_;
};

TEST_F(ChildLoop, HashesOutputsAndSortsThem) {
  Start([](const v1::TaskSpec&, TaskContext& context) -> absl::StatusOr<std::vector<TaskOutputFile>> {
    EXPECT_TRUE(context.input_path("data").ends_with("/abc"));
    EXPECT_EQ(context.input_path("other"), "");
    EXPECT_EQ(context.pool->threads(), 2);
    WriteFile(context.output_dir + "/one", "1").IgnoreError();
    WriteFile(context.output_dir + "/two", "22").IgnoreError();
    return std::vector<TaskOutputFile>{{"z", "one"}, {"a", "two"}};
  });
  Send();
  const v1::ExecuteEvent event = Next();
  ASSERT_TRUE(event.has_result());
  ASSERT_EQ(event.result().outputs_size(), 2);
  EXPECT_EQ(event.result().outputs(0).name(), "a");
  EXPECT_EQ(event.result().outputs(0).digest().sha256(), Sha256Hex("22"));
  EXPECT_EQ(event.result().outputs(0).digest().size_bytes(), 2);
  EXPECT_GT(event.result().peak_memory_bytes(), 1 << 20);
  End();
  EXPECT_THAT(status_, IsOk());
}

TEST_F(ChildLoop, ReportsProgressSeldom) {
  Start([](const v1::TaskSpec&, TaskContext& context) -> absl::StatusOr<std::vector<TaskOutputFile>> {
    for (int i = 0; i <= 10'000; ++i) context.progress(i / 10'000.0);
    return std::vector<TaskOutputFile>{};
  });
  Send();
  int reports = 0;
  while (Next().has_result() == false) ++reports;
  EXPECT_GE(reports, 1);
  EXPECT_LE(reports, 5);
  End();
}

TEST_F(ChildLoop, ConfinesItselfOnceAndRunsNothingWhenItCannot) {
  int confined = 0;
  const RunTaskFunction nothing = [](const v1::TaskSpec&, TaskContext&) { return std::vector<TaskOutputFile>{}; };
  Start(nothing, [&](const v1::ExecuteRequest& first) {
    EXPECT_EQ(first.input_dir(), dir_.path());
    ++confined;
    return absl::OkStatus();
  });
  for (int task = 0; task < 2; ++task) {
    Send();
    EXPECT_TRUE(Next().has_result());
  }
  End();
  EXPECT_EQ(confined, 1);
  int calls = 0;
  Start([&](const v1::TaskSpec&, TaskContext&) { return ++calls, std::vector<TaskOutputFile>{}; },
        [](const v1::ExecuteRequest&) { return absl::UnavailableError("no"); });
  Send();
  loop_.join();
  EXPECT_THAT(status_, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_EQ(calls, 0);
  for (const int fd : {in_[0], in_[1], out_[0], out_[1]}) ::close(fd);
}

TEST_F(ChildLoop, ErrorsAndExceptionsAreEventsAndTheLoopGoesOn) {
  int calls = 0;
  Start([&](const v1::TaskSpec&, TaskContext&) -> absl::StatusOr<std::vector<TaskOutputFile>> {
    ++calls;
    if (calls == 1) return MakeError(absl::StatusCode::kInvalidArgument, "BAD_MODEL", "bad");
    if (calls == 2) throw std::runtime_error("oops");
    if (calls == 3) throw std::bad_alloc();
    if (calls == 4) throw std::bad_array_new_length();
    if (calls == 5) throw std::length_error("a size that no machine has");
    if (calls == 6) throw DeviceError("a product failed on CUDA device 0");
    return std::vector<TaskOutputFile>{{"info", "never written"}};
  });
  for (const char* reason : {"BAD_MODEL", "TASK_EXCEPTION", "OUT_OF_MEMORY", "TASK_EXCEPTION", "TASK_EXCEPTION",
                             "DEVICE_FAILED", "FILE_UNREADABLE"}) {
    Send();
    const v1::ExecuteEvent event = Next();
    ASSERT_TRUE(event.has_error());
    EXPECT_THAT(FromProto(event.error()), HasReason(reason));
  }
  End();
}

}  // namespace
}  // namespace bitwright::worker
