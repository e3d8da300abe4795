#include "workers/agent/pipe_frames.h"

#include <signal.h>
#include <unistd.h>

#include "bitwright/v1/tasks.pb.h"
#include "tests/support/status_matchers.h"

namespace bitwright::worker {
namespace {

class PipeFrames : public ::testing::Test {
 protected:
  PipeFrames() {
    ::signal(SIGPIPE, SIG_IGN);
    EXPECT_EQ(::pipe(ends_), 0);
  }
  ~PipeFrames() override {
    ::close(ends_[0]);
    CloseWriter();
  }
  void Put(std::string_view bytes) { ASSERT_EQ(::write(ends_[1], bytes.data(), bytes.size()), ssize_t(bytes.size())); }
  void CloseWriter() {
    if (ends_[1] >= 0) ::close(ends_[1]);
    ends_[1] = -1;
  }
  int ends_[2] = {-1, -1};
};

TEST_F(PipeFrames, MessagesComeThroughInOrder) {
  v1::ExecuteEvent progress;
  progress.set_progress(0.25);
  v1::ExecuteEvent empty;
  EXPECT_THAT(WriteFrame(ends_[1], progress), IsOk());
  EXPECT_THAT(WriteFrame(ends_[1], empty), IsOk());
  CloseWriter();
  v1::ExecuteEvent got;
  EXPECT_TRUE(*ReadFrame(ends_[0], got));
  EXPECT_EQ(got.progress(), 0.25);
  EXPECT_TRUE(*ReadFrame(ends_[0], got));
  EXPECT_EQ(got.event_case(), v1::ExecuteEvent::EVENT_NOT_SET);
  EXPECT_FALSE(*ReadFrame(ends_[0], got));
}

TEST_F(PipeFrames, SizeIsLittleEndian) {
  v1::ExecuteEvent event;
  event.set_progress(1);  // tag and eight bytes
  EXPECT_THAT(WriteFrame(ends_[1], event), IsOk());
  unsigned char head[4];
  ASSERT_EQ(::read(ends_[0], head, 4), 4);
  EXPECT_EQ(head[0], 9);
  EXPECT_EQ(head[1] + head[2] + head[3], 0);
}

TEST_F(PipeFrames, EndWithinASizeOrMessageIsBroken) {
  v1::ExecuteEvent got;
  Put(std::string_view("\x09\0", 2));
  CloseWriter();
  EXPECT_THAT(ReadFrame(ends_[0], got), HasReason("PIPE_BROKEN"));
}

TEST_F(PipeFrames, EndWithinABodyIsBroken) {
  v1::ExecuteEvent got;
  Put(std::string_view("\x09\0\0\0abc", 7));
  CloseWriter();
  EXPECT_THAT(ReadFrame(ends_[0], got), HasReason("PIPE_BROKEN"));
}

TEST_F(PipeFrames, HugeSizeIsRefusedBeforeItIsAllocated) {
  v1::ExecuteEvent got;
  Put("\xff\xff\xff\xff");
  EXPECT_THAT(ReadFrame(ends_[0], got), HasReason("PIPE_BROKEN"));
}

TEST_F(PipeFrames, GarbageIsBroken) {
  v1::ExecuteEvent got;
  Put(std::string_view("\x02\0\0\0\xff\xff", 6));
  EXPECT_THAT(ReadFrame(ends_[0], got), HasReason("PIPE_BROKEN"));
}

TEST_F(PipeFrames, WritingToNobodyIsBroken) {
  ::close(ends_[0]);
  ends_[0] = -1;
  EXPECT_THAT(WriteFrame(ends_[1], v1::ExecuteEvent()), HasReason("PIPE_BROKEN"));
}

}  // namespace
}  // namespace bitwright::worker
