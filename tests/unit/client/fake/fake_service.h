#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bitwright/v1/capabilities.pb.h"
#include "bitwright/v1/jobs.pb.h"
#include "bitwright/v1/models.pb.h"
#include "bitwright/v1/operator.pb.h"

namespace bitwright::client {

// A Bitwright service in this process, over real gRPC, that holds blobs in memory, runs no job and breaks off on
// demand. Set `plan` before the first call; read `seen` after the calls.
class FakeService {
 public:
  struct Plan {
    std::deque<int64_t> break_writes_after;  // each upload call, in turn: UNAVAILABLE after so many bytes; −1: not
    std::deque<int64_t> break_reads_after;   // each download call likewise
    int corrupt_reads = 0;                   // so many download calls give other bytes
    std::string corrupt_bytes;               // a blob of these bytes is always read as others; empty: none
    int unavailable_calls = 0;               // so many calls of GetJob and GetModel are UNAVAILABLE
    int break_watches = 0;   // so many WatchJob and WatchModel calls break off after their first message
    int silent_watches = 0;  // so many WatchJob calls say RUNNING and nothing more until their deadline
    int lose_blobs = 0;      // so many CreateModel calls answer BLOB_MISSING and drop all blobs
    int inspections = 2;     // GetModel answers, or WatchModel says, INSPECTING so often
    bool reject_model = false;
    v1::Job::State job_end = v1::Job::SUCCEEDED;
    bool job_hangs = false;            // WatchJob says RUNNING and nothing more
    bool blobs_arrive = false;         // during each upload call another client completes the blob; the call ends early
    v1::Notice waiting;                // of the model while it is inspected, and of the job's first state
    std::vector<v1::Notice> notices;   // of every job
    std::vector<v1::Job> listed_jobs;  // ListJobs gives them all, whatever is asked for, as an old server would
    std::vector<v1::Model> listed_models;  // likewise; empty: three pages of one
    std::vector<v1::Task> tasks;           // ListTasks gives them, two a page
    std::vector<v1::Worker> workers;       // ListWorkers likewise
    v1::CacheEntry cache_entry;            // the only one
    v1::Tenant tenant;                     // likewise, under whatever name
    bool knows_capabilities = false;       // otherwise GetCapabilities is UNIMPLEMENTED
    v1::Capabilities capabilities;
    v1::Estimate estimate;           // of every job
    v1::GoalEstimate goal_estimate;  // of each of its goals
    std::string recipe_renamed;      // CreateJob gives an inline recipe this name; empty: its own
    int failing_calls = 0;           // so many calls of GetJob end with `fail_code` of gRPC and without any text
    int fail_code = 0;
    bool busy_uploads = false;  // another client owns every upload name asked for first: wrong offset
  };
  struct Seen {
    std::vector<std::string> write_names;
    std::vector<int64_t> write_offsets;  // of each upload call's first message
    std::vector<int64_t> read_offsets;
    int create_models = 0;
    int create_jobs = 0;                // without those that validate
    std::vector<std::string> filters;   // of lists
    std::string order;                  // of the last ListJobs
    std::string model_name;             // display name in the last CreateModel
    std::string retried;                // of the last RetryJob
    std::vector<std::string> operated;  // calls of OperatorService: "CordonWorker workers/w1"
    std::string etag;                   // of the last call that had one
    v1::JobSpec spec;                   // of the last CreateJob
    // Of the last ListRecipes.
    std::multimap<std::string, std::string> metadata;
  };

  explicit FakeService(const std::string& listen = "127.0.0.1:0");
  ~FakeService();  // ends all calls

  std::string address() const;
  Plan plan;
  Seen seen;
  std::map<std::string, std::string> blobs;  // bytes by "{sha256}/{size}"
  v1::Report report;                         // given for every goal of every job, with that goal's target and budget
  v1::Manifest
      artifact;  // of the first goal; that of another one has a file goal.txt more, which holds the goal's index
  void AddArtifactFile(const std::string& path, const std::string& bytes);

  struct Services;

 private:
  std::unique_ptr<Services> services_;
};

}  // namespace bitwright::client
